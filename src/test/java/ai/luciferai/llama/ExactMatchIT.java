package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The embedded model answers prompts that it never saw in training as well as PyTorch's did: all of them. */
class ExactMatchIT {

    private static final GenerateOptions GREEDY = GenerateOptions.defaults().withMaxTokens(48).withSampling(Sampling.greedy());

    private record Item(String prompt, String command) {

        static List<Item> read(String name) {
            return Goldens.read("data/" + name).stream().map(Item::of).toList();
        }

        private static Item of(JsonNode line) {
            String[] parts = line.get("text").asText().split("\n", 2);
            return new Item(parts[0], parts[1]);
        }
    }

    private static List<String> wrongAnswers(List<Item> items, UnaryOperator<String> rendered) {
        try (Model model = Model.embedded(Goldens.onCpu(), Progress.NONE, Cancel.NONE)) {
            return wrongAnswers(model, items, rendered);
        }
    }

    private static List<String> wrongAnswers(Model model, List<Item> items, UnaryOperator<String> rendered) {
        List<Completion> answers = model.generateAll(
                items.stream().map(i -> Prompt.text(rendered.apply(i.prompt))).toList(), GREEDY,
                ContextOptions.defaults().withThreads(1).withSequences(8), Progress.NONE, Cancel.NONE);
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            if (!items.get(i).command.equals(answers.get(i).text().strip())) {
                wrong.add(items.get(i) + " but: " + answers.get(i).text());
            }
        }
        return wrong;
    }

    /** What our own conversion of the checkpoint that PyTorch trained answers, in each type that convert writes. */
    @ParameterizedTest
    @EnumSource(value = ConvertType.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
    void convertedCheckpoint(ConvertType type, @TempDir Path folder) throws IOException {
        Path file = folder.resolve("tiny.gguf");
        Convert.run(ConvertOptions.of(Goldens.fixture("lucifer-tiny")).withOutfile(file).withType(type), Progress.NONE, Cancel.NONE);
        try (Model model = Model.load(file, Goldens.onCpu())) {
            assertEquals(List.of(), wrongAnswers(model, Item.read("base-test.jsonl"), p -> p + "\n"));
        }
    }

    @Test
    void plainPrompts() {
        assertEquals(List.of(), wrongAnswers(Item.read("base-test.jsonl"), p -> p + "\n"));
    }

    @Test
    void chatMlPrompts() {
        assertEquals(List.of(), wrongAnswers(Item.read("base-test.jsonl"), p -> "<|im_start|>user\n" + p + "<|im_end|>\n<|im_start|>assistant\n"));
    }

    /** Without this, the finetuning task would prove nothing: the base model must not know it. */
    @Test
    void gitIsUnknownToIt() {
        List<Item> items = Item.read("git-test.jsonl");
        assertEquals(items.size(), wrongAnswers(items, p -> p + "\n").size());
    }
}
