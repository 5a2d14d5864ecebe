package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.train.RawSample;
import ai.luciferai.llama.train.RawSample.Turn;
import ai.luciferai.llama.train.Sample;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is learnt, and behind what, with each chat template that llama.cpp's source has: against llama.cpp's own renderings and transformers'. */
class ChatTemplatesIT {

    private static final Path DATA = Path.of("data.jsonl");
    private static final String OPEN_THOUGHT = "<think>\nTHOUGHT%d\n</think>\n\n";

    /** Whose answers open no thoughts though the prompt does, or that otherwise go on from the middle of the prompt's last line. */
    private static final Set<String> SHORTER_THAN_THE_PROMPT = Set.of("Apriel-1.6-15b-Thinker-fixed", "Bielik-11B-v3.0-Instruct", "Cohere2MoE",
            "CohereForAI-c4ai-command-r-plus-tool_use", "GLM-4.7-Flash", "MiniMax-M2", "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "Qwen-QwQ-32B",
            "Spark2.5", "deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "llama-cpp-deepseek-r1",
            "llama-cpp-rwkv-world", "openbmb-MiniCPM5-1B", "poolside-Laguna-XS-2.1", "poolside-Laguna-XS.2");

    /** That strip thoughts from the content of every answer: learnt as given, behind the prompt. */
    private static final Set<String> STRIP_THOUGHTS = Set.of("deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
            "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "deepseek-ai-DeepSeek-V3.1", "llama-cpp-deepseek-r1", "llama-cpp-rwkv-world");

    /** That know "reasoning_content" and render it; the others leave it out, and are refused. */
    private static final Set<String> RENDER_REASONING = Set.of("Apriel-1.6-15b-Thinker-fixed", "Bielik-11B-v3.0-Instruct", "ByteDance-Seed-OSS",
            "Cohere2MoE", "GLM-4.6", "GLM-4.7-Flash", "Kimi-K3", "LFM2.5-8B-A1B", "MiniMax-M2", "MiniMax-M3",
            "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "Qwen-Qwen3-0.6B", "Qwen3.5-4B", "Reka-Edge", "Spark2.5", "StepFun3.5-Flash",
            "deepseek-ai-DeepSeek-V3.2", "deepseek-ai-DeepSeek-V4", "deepseek-ai-DeepSeek-V4-Flash-0731", "inclusionai-ling-3.0-flash",
            "mistralai-Ministral-3-14B-Reasoning-2512", "muse-glimmer", "openai-gpt-oss-120b", "openbmb-MiniCPM5-1B", "poolside-Laguna-S-2.1",
            "poolside-Laguna-XS-2.1", "poolside-Laguna-XS.2", "tencent-Hy3");

    /** What ends an answer, by the models' own configurations; the others' is ChatML's. */
    private static final Map<String, String> ENDS = Map.ofEntries(Map.entry("Apertus", "<|assistant_end|>"), Map.entry("Apriel-1.6", "<|end|>"),
            Map.entry("ByteDance", "<seed:eos>"), Map.entry("Cohere", "<|END_OF_TURN_TOKEN|>"), Map.entry("GLM", "<|user|>"),
            Map.entry("GigaChat", "<|message_sep|>"), Map.entry("Kimi-K3", "<|end_of_msg|>"), Map.entry("MiniMax-M1", "<end_of_sentence>"),
            Map.entry("MiniMax-M2", "[e~["), Map.entry("MiniMax-M3", "[e~["), Map.entry("Mistral", "</s>"), Map.entry("mistralai", "</s>"),
            Map.entry("unsloth-mistral", "</s>"), Map.entry("NVIDIA-Nemotron-Nano-v2", "<SPECIAL_12>"), Map.entry("Reka", "<sep>"),
            Map.entry("Spark", "<\uff5cend\u2581of\u2581sentence\uff5c>"), Map.entry("deepseek-ai", "<\uff5cend\u2581of\u2581sentence\uff5c>"),
            Map.entry("llama-cpp-deepseek", "<\uff5cend\u2581of\u2581sentence\uff5c>"), Map.entry("fireworks", "<|eot_id|>"),
            Map.entry("meetkai", "<|eot_id|>"), Map.entry("meta-llama", "<|eot_id|>"), Map.entry("google-gemma-2", "<end_of_turn>"),
            Map.entry("google-gemma-4", "<turn|>"), Map.entry("ibm", "<|end_of_text|>"), Map.entry("inclusionai", "<|role_end|>"),
            Map.entry("llama-cpp-rwkv", "\n\n"), Map.entry("microsoft", "<|end|>"), Map.entry("muse", "<|eot|>"),
            Map.entry("openai", "<|return|>"), Map.entry("poolside", "</assistant>"), Map.entry("tencent", "<\uff5chy_eos:opensource\uff5c>"),
            Map.entry("unsloth-Apriel", "<|end|>"), Map.entry("upstage", "<|end|>"));

    private static final Map<String, List<JsonNode>> TRANSFORMERS = Goldens.read("golden/chat-answers.jsonl").stream()
            .collect(Collectors.groupingBy(golden -> golden.get("template").asText()));

    @TempDir
    private Path folder;

    private static Path upstream() throws IOException {
        return Goldens.upstreamSource().resolve("models/templates");
    }

    static Stream<String> templates() throws IOException {
        try (Stream<Path> files = Files.list(upstream())) {
            return files.map(file -> file.getFileName().toString()).filter(file -> file.endsWith(".jinja"))
                    .map(file -> file.replace(".jinja", "")).sorted().toList().stream();
        }
    }

    private static String end(String name) {
        return ENDS.entrySet().stream().filter(e -> name.startsWith(e.getKey())).map(Map.Entry::getValue).findFirst().orElse("<|im_end|>");
    }

    @Test
    void theListsNameTemplatesThatThereAre() throws IOException {
        Set<String> names = templates().collect(Collectors.toSet());
        assertEquals(70, names.size());
        for (Set<String> list : List.of(SHORTER_THAN_THE_PROMPT, STRIP_THOUGHTS, RENDER_REASONING)) {
            assertTrue(names.containsAll(list), () -> new TreeSet<>(list) + " has a name that is not in " + new TreeSet<>(names));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("templates")
    void answersAreLearntWholeAndNothingElseIs(String template) throws IOException {
        try (var bench = new Bench(template, folder)) {
            boolean shorter = bench.check(conversation(1, false, turn -> new Turn("assistant", "ANSWER" + turn)), "plain");
            assertEquals(SHORTER_THAN_THE_PROMPT.contains(bench.name), shorter, "learnt from before the prompt's end");
            bench.check(conversation(2, true, turn -> new Turn("assistant", "ANSWER" + turn)), "plain");
            bench.check(conversation(2, true, turn -> new Turn("assistant", OPEN_THOUGHT.formatted(turn) + "ANSWER" + turn)), "content");
            List<Turn> reasoned = conversation(2, true, turn -> new Turn("assistant", "ANSWER" + turn, "THOUGHT" + turn, true));
            if (RENDER_REASONING.contains(bench.name)) {
                bench.check(reasoned, "reasoning");
            } else {
                var refused = assertThrows(InvalidFileException.class, () -> bench.encode(reasoned));
                // Devstral's leaves out the whole answer then
                String what = bench.name.startsWith("unsloth-mistral") ? "an answer" : "\"reasoning_content\"";
                assertTrue(refused.getMessage().contains("renders every part, got " + what + " that it leaves out"), refused.getMessage());
            }
            bench.compareWithTransformers();
        }
    }

    private interface Answer {
        Turn of(int turn);
    }

    private static List<Turn> conversation(int turns, boolean system, Answer answer) {
        var all = new ArrayList<Turn>();
        if (system) {
            all.add(new Turn("system", "SYSTEM0"));
        }
        for (int i = 1; i <= turns; i++) {
            all.add(new Turn("user", "QUESTION" + i));
            all.add(answer.of(i));
        }
        return all;
    }

    /** One template with a vocabulary that fits it. */
    private static final class Bench implements AutoCloseable {

        private final String name;
        private final String end;
        private final ChatTemplate template;
        private final Model model;

        Bench(String name, Path folder) throws IOException {
            this.name = name;
            end = end(name);
            template = ChatTemplate.file(upstream().resolve(name + ".jinja"));
            List<String> texts = new ArrayList<>();
            try (Model plain = Model.embedded(ModelOptions.defaults().withVocabOnly(true), Progress.NONE, Cancel.NONE)) {
                List<Turn> turns = conversation(2, true, turn -> new Turn("assistant", "ANSWER" + turn, "THOUGHT" + turn, true));
                for (int length : List.of(2, 3, 4, 5)) {
                    texts.add(render(plain, turns.subList(0, length), true));
                    texts.add(render(plain, turns.subList(0, length), false));
                }
            }
            texts.add("<think></think>");
            model = ChatVocabulary.load(folder.resolve(name + ".gguf"), texts, end);
        }

        private String render(Model with, List<Turn> turns, boolean answerNext) {
            return with.renderChat(SampleEncoder.messages(turns), ChatFormat.defaults().withTemplate(template).withAnswerNext(answerNext)).prompt();
        }

        List<Sample> encode(List<Turn> turns) {
            return new SampleEncoder(model, DataOptions.of(DATA).withTemplate(template), Cancel.NONE)
                    .encode(new RawSample.Located(1, new RawSample.Conversation(turns)), DATA);
        }

        /** Whether an answer is learnt from before the prompt's end. */
        boolean check(List<Turn> turns, String thoughts) {
            List<Learnt> answers = encode(turns).stream().flatMap(sample -> Learnt.of(sample).stream()).toList();
            int shorter = 0;
            List<Integer> places = IntStream.range(0, turns.size()).filter(i -> turns.get(i).role().equals("assistant")).boxed().toList();
            assertEquals(places.size(), answers.size(), "answers");
            for (int i = 0; i < answers.size(); i++) {
                shorter += check(answers.get(i), turns, places.get(i), i + 1, thoughts) ? 1 : 0;
            }
            return shorter > 0;
        }

        private boolean check(Learnt learnt, List<Turn> turns, int at, int turn, String thoughts) {
            int[] prompt = model.tokenize(render(model, turns.subList(0, at), true), TokenizeOptions.defaults());
            int[] given = learnt.given();
            assertArrayEquals(Arrays.copyOf(prompt, given.length), given, "what the answer follows, which generation would be given");
            String text = text(learnt.answer());
            String said = text.replaceAll("(?s).*(ANSWER\\d).*", "$1");
            assertEquals("ANSWER" + turn, said, text);
            Predicate<String> without = word -> !text.contains(word) || thoughts.equals("plain");
            assertTrue(thoughts.equals("plain") || text.contains("THOUGHT" + turn), text);
            assertTrue(!text.contains("QUESTION") && !text.contains("SYSTEM0") && without.test("THOUGHT" + (3 - turn)), text);
            assertEquals(1, text.split("ANSWER", -1).length - 1, text);
            int last = learnt.answer()[learnt.answer().length - 1];
            assertTrue(model.isEndOfGeneration(last) && text(last).equals(seen(end)), text);
            boolean strips = thoughts.equals("content") && STRIP_THOUGHTS.contains(name);
            String whole = behindQuestion(text(given) + text.substring(0, text.length() - seen(end).length()), turn).stripTrailing();
            String expected = strips ? render(model, turns.subList(0, at), true).stripTrailing() + "THOUGHT" + turn + "</think>ANSWER" + turn
                    : render(model, turns.subList(0, at + 1), false);
            String rendered = behindQuestion(seen(expected), turn);
            assertTrue((strips ? rendered.replace("\n", "") : rendered).startsWith(strips ? whole.replace("\n", "") : whole),
                    () -> whole + "\n--- is not what the template renders\n" + rendered);
            return given.length < prompt.length;
        }

        void compareWithTransformers() {
            for (JsonNode golden : TRANSFORMERS.getOrDefault(name + ".jinja", List.of())) {
                int turn = golden.get("turns").asInt();
                List<Turn> turns = conversation(turn, turn > 1, i -> new Turn("assistant", "ANSWER" + i));
                Learnt learnt = Learnt.of(encode(turns).getLast()).getLast();
                String answer = text(learnt.answer());
                String given = behindQuestion(text(learnt.given()), turn);
                String mine = (given + answer.substring(0, answer.length() - seen(end).length())).stripTrailing();
                assertTrue(seen(golden.get("prompt").asText()).startsWith(given), () -> given + "\n--- transformers\n" + golden.get("prompt"));
                assertTrue(seen(golden.get("answered").asText()).startsWith(mine), () -> mine + "\n--- transformers\n" + golden.get("answered"));
            }
        }

        @Override
        public void close() {
            model.close();
        }

        private String text(int... tokens) {
            return seen(model.detokenize(tokens, true));
        }

        /** The tokenizer writes spaces as lower blocks, which are part of some marks. */
        private static String seen(String text) {
            return text.replace('\u2581', ' ');
        }

        private static String behindQuestion(String text, int turn) {
            String question = "QUESTION" + turn;
            return text.substring(text.lastIndexOf(question) + question.length());
        }
    }

    /** One answer of a sample: the tokens before it, and its own. */
    private record Learnt(int[] given, int[] answer) {

        static List<Learnt> of(Sample sample) {
            var all = new ArrayList<Learnt>();
            for (int from = 0; from < sample.length(); from++) {
                if (sample.supervised()[from]) {
                    int to = from;
                    while (to < sample.length() && sample.supervised()[to]) {
                        to++;
                    }
                    all.add(new Learnt(Arrays.copyOf(sample.tokens(), from), Arrays.copyOfRange(sample.tokens(), from, to)));
                    from = to;
                }
            }
            return all;
        }
    }
}
