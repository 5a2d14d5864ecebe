package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.train.RawSample;
import ai.luciferai.llama.train.RawSample.Turn;
import ai.luciferai.llama.train.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which tokens of a conversation are learnt. */
class SampleEncoderIT {

    private static final Path FILE = Path.of("data.jsonl");

    /** As Qwen3's: an earlier answer stands without its thoughts. */
    private static final ChatTemplate FORGETS = ChatTemplate.jinja("""
            {%- for m in messages -%}
            {{ '<|im_start|>' + m.role + '\n' + (m.content if loop.last else m.content.split('</think>')[-1]) + '<|im_end|>\n' }}
            {%- endfor -%}
            {%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}
            """);

    private static String learnt(Model model, Sample sample) {
        return model.detokenize(IntStream.range(0, sample.length()).filter(i -> sample.supervised()[i]).map(i -> sample.tokens()[i]).toArray(), true);
    }

    @Test
    void anAnswerOfWeightZeroIsGivenAndNotLearnt() {
        try (Model model = Model.embedded(Goldens.onCpu(), Progress.NONE, Cancel.NONE)) {
            for (DataOptions.Loss loss : DataOptions.Loss.values()) {
                SampleEncoder encoder = new SampleEncoder(model, DataOptions.of(FILE).withLoss(loss), Cancel.NONE);
                Sample all = encode(encoder, true);
                Sample second = encode(encoder, false);
                assertArrayEquals(all.tokens(), second.tokens());
                assertEquals(true, learnt(model, all).contains("mkdir one"));
                assertEquals(false, learnt(model, second).contains("mkdir one"));
                assertEquals(true, learnt(model, second).contains("mkdir two"));
            }
        }
    }

    @Test
    void whereTheTemplateForgetsThoughtsEachAnswerHasASampleOfItsOwn() {
        try (Model model = Tiny.load()) {
            List<Sample> samples = encode(model, DataOptions.Loss.AUTO, true);
            assertEquals(List.of("<think>t1</think>one<|im_end|>", "<think>t2</think>two<|im_end|>"), samples.stream().map(s -> learnt(model, s)).toList());
            assertEquals(false, given(model, samples.get(1)).contains("t1"));
            assertEquals(true, given(model, samples.get(1)).contains("one<|im_end|>\n<|im_start|>user\nsecond<|im_end|>\n<|im_start|>assistant\n"));
        }
    }

    @Test
    void anAnswerOfWeightZeroHasNoSampleOfItsOwn() {
        try (Model model = Tiny.load()) {
            List<Sample> samples = encode(model, DataOptions.Loss.AUTO, false);
            assertEquals(List.of("<think>t2</think>two<|im_end|>"), samples.stream().map(s -> learnt(model, s)).toList());
        }
    }

    @Test
    void aTemplateThatDoesNotExistIsTheOptionsFault() {
        try (Model model = Tiny.load()) {
            DataOptions options = DataOptions.of(FILE).withTemplate(ChatTemplate.named("nonsense"));
            var refusal = assertThrows(InvalidOptionException.class, () -> new SampleEncoder(model, options, Cancel.NONE));
            assertEquals(true, refusal.getMessage().contains("nonsense"), refusal.getMessage());
        }
    }

    @Test
    void aConversationWhoseAnswersAllHaveWeightZeroHasNoSample() {
        try (Model model = Tiny.load()) {
            var turns = List.of(new Turn("user", "q"), new Turn("assistant", "a", false));
            assertEquals(List.of(), new SampleEncoder(model, DataOptions.of(FILE), Cancel.NONE)
                    .encode(new RawSample.Located(1, new RawSample.Conversation(turns)), FILE));
        }
    }

    @Test
    void whereEverythingIsLearntNothingIsLearntTwice() {
        try (Model model = Tiny.load()) {
            String all = encode(model, DataOptions.Loss.ALL, true).stream().map(s -> learnt(model, s)).reduce("", String::concat);
            for (String once : List.of("first", "second", "t1", "t2", "one", "two")) {
                assertEquals(2, all.split(once, -1).length, once + " in " + all);
            }
            String without = encode(model, DataOptions.Loss.ALL, false).stream().map(s -> learnt(model, s)).reduce("", String::concat);
            assertEquals(false, without.contains("one") || without.contains("t1"), without);
        }
    }

    /** Some templates go through roles that they do not know without a word. */
    @Test
    void aMessageThatTheTemplateLeavesOutIsABadLine() {
        ChatTemplate knows = ChatTemplate.jinja("""
                {%- for m in messages -%}
                {%- if m.role == 'user' %}[ {{ m.content }} ]{% elif m.role == 'assistant' %} {{ m.content }}{{ eos_token }}{% endif -%}
                {%- endfor -%}""");
        try (Model model = Tiny.load()) {
            var encoder = new SampleEncoder(model, DataOptions.of(FILE).withTemplate(knows), Cancel.NONE);
            var answer = new Turn("assistant", "ls");
            assertEquals(1, encoder.encode(located(List.of(new Turn("user", "list"), answer)), FILE).size());
            for (List<Turn> turns : List.of(List.of(new Turn("robot", "beep"), new Turn("user", "list"), answer),
                    List.of(new Turn("user", "list"), answer, new Turn("robot", "l"), answer))) {
                var refused = assertThrows(InvalidFileException.class, () -> encoder.encode(located(turns), FILE), turns.toString());
                assertEquals("line 1", refused.where());
                assertEquals(true, refused.getMessage().contains("one of role 'robot' that it leaves out"), refused.getMessage());
            }
            // llama.cpp puts a system's message into the user's where a template knows no system
            assertEquals(1, encoder.encode(located(List.of(new Turn("system", "brief"), new Turn("user", "list"), answer)), FILE).size());
            var chatml = new SampleEncoder(model, DataOptions.of(FILE).withTemplate(ChatTemplate.named("chatml")), Cancel.NONE);
            assertEquals(1, chatml.encode(located(List.of(new Turn("robot", "beep"), answer)), FILE).size()); // it renders every role
        }
    }

    private static RawSample.Located located(List<Turn> turns) {
        return new RawSample.Located(1, new RawSample.Conversation(turns));
    }

    @Test
    void theTemplatesOwnRefusalIsSaid() {
        try (Model model = Tiny.load()) {
            var options = DataOptions.of(FILE).withTemplate(ChatTemplate.jinja("{{ raise_exception('No systems, please') }}"));
            var refused = assertThrows(InvalidFileException.class, () -> new SampleEncoder(model, options, Cancel.NONE).encode(conversation(true), FILE));
            assertEquals("line 1", refused.where());
            assertEquals(true, refused.getMessage().contains("No systems, please"), refused.getMessage());
        }
    }

    @Test
    void aTemplateOfAFileIsNamed(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("mine.jinja"), "{{ raise_exception('never') }}");
        Path broken = Files.writeString(folder.resolve("broken.jinja"), "{% if %}");
        try (Model model = Tiny.load()) {
            for (Path template : List.of(file, broken)) {
                ChatFormat format = ChatFormat.defaults().withTemplate(ChatTemplate.parse(template.toString()));
                var refused = assertThrows(InvalidOptionException.class, () -> model.renderChat(List.of(ChatMessage.user("q")), format));
                assertEquals(true, refused.getMessage().contains(template + ": "), refused.getMessage());
            }
            var options = DataOptions.of(FILE).withTemplate(ChatTemplate.file(file));
            var refused = assertThrows(InvalidFileException.class, () -> new SampleEncoder(model, options, Cancel.NONE).encode(conversation(true), FILE));
            assertEquals(true, refused.getMessage().startsWith("data.jsonl: line 1") && refused.getMessage().contains(file + ": "), refused.getMessage());
        }
    }

    @Test
    void evaluationSharesNoConversationWithTraining(@TempDir Path folder) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 10; i < 20; i++) {
            lines.append("""
                    {"messages": [{"role": "user", "content": "ask %1$d"}, {"role": "assistant", "content": "<think>a</think>say %1$d"},
                     {"role": "user", "content": "more"}, {"role": "assistant", "content": "<think>b</think>tell %1$d"}]}
                    """.formatted(i).replace(",\n ", ",")); // one line
        }
        Path file = Files.writeString(folder.resolve("data.jsonl"), lines);
        try (Model model = Tiny.load()) {
            TrainingSet set = TrainingSet.read(model, DataOptions.of(file).withTemplate(FORGETS).withEvalSplit(0.3f), 128, 1, Cancel.NONE);
            assertEquals(List.of(14, 6), List.of(set.train().size(), set.eval().size()));
            Set<String> train = numbers(model, set.train());
            assertEquals(false, numbers(model, set.eval()).stream().anyMatch(train::contains));
        }
    }

    private static Set<String> numbers(Model model, List<Sample> samples) {
        return samples.stream().map(s -> model.detokenize(s.tokens(), true).replaceAll("(?s).*ask (\\d+).*", "$1")).collect(Collectors.toSet());
    }

    private static String given(Model model, Sample sample) {
        int from = 0;
        while (!sample.supervised()[from]) {
            from++;
        }
        return model.detokenize(Arrays.copyOf(sample.tokens(), from), true);
    }

    private static List<Sample> encode(Model model, DataOptions.Loss loss, boolean learnFirst) {
        return new SampleEncoder(model, DataOptions.of(FILE).withLoss(loss).withTemplate(FORGETS), Cancel.NONE).encode(conversation(learnFirst), FILE);
    }

    private static RawSample.Located conversation(boolean learnFirst) {
        return new RawSample.Located(1, new RawSample.Conversation(List.of(new Turn("user", "first"), new Turn("assistant", "<think>t1</think>one", learnFirst),
                new Turn("user", "second"), new Turn("assistant", "<think>t2</think>two"))));
    }

    private static Sample encode(SampleEncoder encoder, boolean learnFirst) {
        List<Turn> turns = List.of(new Turn("user", "make one"), new Turn("assistant", "mkdir one", learnFirst), new Turn("user", "make two"),
                new Turn("assistant", "mkdir two"));
        return encoder.encode(new RawSample.Located(1, new RawSample.Conversation(turns)), FILE).getFirst();
    }
}
