package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.AdapterSource;
import ai.luciferai.llama.CacheType;
import ai.luciferai.llama.ChatTemplate;
import ai.luciferai.llama.ContextOptions;
import ai.luciferai.llama.FlashAttention;
import ai.luciferai.llama.GenerateOptions;
import ai.luciferai.llama.GpuLayers;
import ai.luciferai.llama.Grammar;
import ai.luciferai.llama.KvOverride;
import ai.luciferai.llama.LoadMode;
import ai.luciferai.llama.ModelOptions;
import ai.luciferai.llama.Rope;
import ai.luciferai.llama.Sampling;
import ai.luciferai.llama.SplitMode;
import ai.luciferai.llama.Threads;
import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Text to options of {@code generate}, whose mixins the other verbs share. */
class GeneratePlanTest {

    @TempDir
    Path folder;

    private static GeneratePlan plan(String... words) {
        return GeneratePlan.of(new GenerateCommand().syntax().parse(words, 0));
    }

    /** With a prompt, which is otherwise missing. */
    private static GeneratePlan with(String... words) {
        var all = new ArrayList<>(List.of("-p", "x"));
        all.addAll(Arrays.asList(words));
        return plan(all.toArray(String[]::new));
    }

    private static Sampling sampling(String... words) {
        return with(words).options().sampling();
    }

    @Test
    void whatLuciferAiTypesIsUnderstood() {
        GeneratePlan plan = plan("-m", "tiny.gguf", "-p", "list files", "-c", "512", "--temp", "0.3", "-n", "64", "--threads", "2",
                "--top-p", "0.9", "--top-k", "20", "--repeat-penalty", "1.1", "--silent-prompt", "--no-display-prompt", "-ngl", "0");
        assertEquals(List.of(Optional.of(Path.of("tiny.gguf"))), plan.models());
        assertEquals("list files", plan.source().text());
        assertEquals(512, plan.contextOptions().contextSize());
        assertEquals(0.3f, plan.options().sampling().temperature());
        assertEquals(64, plan.options().maxTokens());
        assertEquals(Threads.of(2), plan.contextOptions().threads());
        assertEquals(0.9f, plan.options().sampling().truncation().topP());
        assertEquals(20, plan.options().sampling().truncation().topK());
        assertEquals(1.1f, plan.options().sampling().penalties().repeat());
        assertEquals(GpuLayers.NONE, plan.modelOptions().placement().gpuLayers());
        assertFalse(plan.interactive());
    }

    @Test
    void nothingButAPromptGivesTheDefaults() {
        GeneratePlan plan = with();
        assertEquals(List.of(Optional.empty()), plan.models());
        assertEquals(ModelOptions.defaults(), plan.modelOptions());
        assertEquals(ContextOptions.defaults(), plan.contextOptions());
        assertEquals(GenerateOptions.defaults(), plan.options());
    }

    @Test
    void samplingOptionsAreUnderstood() {
        assertEquals(7, sampling("-s", "7").seed());
        assertEquals(Sampling.RANDOM_SEED, sampling("--seed", "-1").seed());
        assertEquals(0f, sampling("--temp", "-1").temperature());
        assertEquals(0.2f, sampling("--min-p", "0.2").truncation().minP());
        assertEquals(0.7f, sampling("--typical", "0.7").truncation().typicalP());
        assertEquals(1.5f, sampling("--top-nsigma", "1.5").truncation().topNSigma());
        assertEquals(new Sampling.Xtc(0.5f, 0.2f), sampling("--xtc-probability", "0.5", "--xtc-threshold", "0.2").xtc());
        assertEquals(new Sampling.DynamicTemperature(0.4f, 2f), sampling("--dynatemp-range", "0.4", "--dynatemp-exp", "2").dynamic());
        assertEquals(new Sampling.Mirostat(2, 4f, 0.2f),
                sampling("--mirostat", "2", "--mirostat-ent", "4", "--mirostat-lr", "0.2").mirostat());
        assertEquals(new Sampling.Penalties(-1, 1.2f, 0.3f, 0.4f), sampling("--repeat-last-n", "-1", "--repeat-penalty", "1.2",
                "--frequency-penalty", "0.3", "--presence-penalty", "0.4").penalties());
        assertEquals(new Sampling.Dry(0.8f, 1.5f, 3, 128, List.of("\n", ";")), sampling("--dry-multiplier", "0.8", "--dry-base", "1.5",
                "--dry-allowed-length", "3", "--dry-penalty-last-n", "128", "--dry-sequence-breaker", "\\n",
                "--dry-sequence-breaker", ";").dry());
        assertEquals(Map.of(15, 1f, 16, -2.5f, 17, Float.NEGATIVE_INFINITY),
                sampling("-l", "15+1", "-l", "16-2.5", "--logit-bias", "17-inf").logitBias());
        assertEquals(List.of("top_k", "temperature"), sampling("--samplers", "top_k;temperature").order());
    }

    @Test
    void modelOptionsAreUnderstood() {
        GeneratePlan plan = with("--lora", "a.gguf", "--lora", "b.gguf:0.5", "--override-kv", "llama.context_length=int:64",
                "--mlock", "--check-tensors", "--no-repack", "-ngl", "12", "-dev", "CUDA0,RPC0", "-sm", "row", "-ts", "3,1", "-mg", "1");
        ModelOptions options = plan.modelOptions();
        assertEquals(List.of(AdapterSource.of(Path.of("a.gguf")), new AdapterSource(Path.of("b.gguf"), 0.5f)), options.adapters());
        assertEquals(List.of(KvOverride.of("llama.context_length", 64L)), options.kvOverrides());
        assertEquals(LoadMode.MMAP_MLOCK, options.loadMode());
        assertTrue(options.checkTensors());
        assertFalse(options.repack());
        assertEquals(GpuLayers.of(12), options.placement().gpuLayers());
        assertEquals(List.of("CUDA0", "RPC0"), options.placement().devices());
        assertEquals(SplitMode.ROW, options.placement().splitMode());
        assertEquals(List.of(3f, 1f), options.placement().tensorSplit());
        assertEquals(1, options.placement().mainGpu());
        assertEquals(GpuLayers.ALL, with("-ngl", "all").modelOptions().placement().gpuLayers());
        assertEquals(GpuLayers.NONE, with("--device", "none").modelOptions().placement().gpuLayers());
        assertEquals(LoadMode.READ, with("--no-mmap").modelOptions().loadMode());
    }

    @Test
    void contextOptionsAreUnderstood() {
        ContextOptions options = with("-c", "1024", "-t", "2", "-tb", "4", "-b", "256", "-ub", "128", "-fa", "-ctk", "q8_0", "-ctv", "q4_0",
                "-nkvo", "--swa-full", "--rope-scaling", "yarn", "--rope-freq-base", "10000", "--rope-freq-scale", "0.5")
                .contextOptions();
        assertEquals(1024, options.contextSize());
        assertEquals(new Threads(2, 4), options.threads());
        assertEquals(256, options.batchSize());
        assertEquals(128, options.ubatchSize());
        assertEquals(FlashAttention.ON, options.flashAttention());
        assertEquals(CacheType.Q8_0, options.cache().typeK());
        assertEquals(CacheType.Q4_0, options.cache().typeV());
        assertFalse(options.cache().offload());
        assertTrue(options.cache().swaFull());
        assertEquals(Rope.Scaling.YARN, options.rope().scaling());
        assertEquals(10000f, options.rope().frequencyBase());
        assertEquals(0.5f, options.rope().frequencyScale());
        assertEquals(8, plan("--prompts", "p.txt", "-np", "8").contextOptions().sequences());
        assertEquals(ContextOptions.MODEL_SIZE, with("-c", "0").contextOptions().contextSize());
        assertEquals(Threads.defaults(), with("--threads", "-1").contextOptions().threads());
        assertEquals(1024, with("-c", "1024").modelOptions().placement().fitContextSize());
    }

    /** Values and spellings that llama.cpp's tools give a meaning of its own. */
    @Test
    void whatLlamaCppsUsersTypeMeansTheSame() {
        assertEquals(GpuLayers.AUTO, with("-ngl", "-1").modelOptions().placement().gpuLayers());
        assertEquals(GpuLayers.ALL, with("-ngl", "-2").modelOptions().placement().gpuLayers());
        assertEquals(0, sampling("--top-k", "-1").truncation().topK());
        assertEquals(List.of("top_k", "temperature"), sampling("--sampler-seq", "kt").order());
        assertEquals(List.of("none"), sampling("--dry-sequence-breaker", "none").dry().breakers());
        assertEquals(LoadMode.MMAP_MLOCK, with("-lm", "mmap+mlock").modelOptions().loadMode());
        assertEquals(LoadMode.DIRECT_IO, with("--load-mode", "dio").modelOptions().loadMode());
        assertEquals(List.of(AdapterSource.of(Path.of("a.gguf")), new AdapterSource(Path.of("b.gguf"), 0.5f)),
                with("--lora", "a.gguf,b.gguf:0.5").modelOptions().adapters());
        assertEquals(List.of(KvOverride.of("a.b", 1L), KvOverride.of("c", "x, y"), KvOverride.of("d", true)),
                with("--override-kv", "a.b=int:1,c=str:x, y,d=bool:true").modelOptions().kvOverrides());
        assertEquals(0.25f, with("--rope-scale", "4").contextOptions().rope().frequencyScale());
        assertEquals(new Rope.Yarn(1, 2, 32, 4, 2048), with("--yarn-ext-factor", "1", "--yarn-attn-factor", "2", "--yarn-beta-fast", "32",
                "--yarn-beta-slow", "4", "--yarn-orig-ctx", "2048").contextOptions().rope().yarn());
        for (String on : List.of("on", "1", "true", "enabled")) {
            assertEquals(FlashAttention.ON, with("-fa", on).contextOptions().flashAttention(), on);
        }
        assertEquals(FlashAttention.OFF, with("-fa", "disabled").contextOptions().flashAttention());
        assertEquals(FlashAttention.AUTO, with("-fa", "-1").contextOptions().flashAttention());
    }

    @Test
    void whatTheChatTemplateIsToldMakesAChat() throws IOException {
        GeneratePlan plan = with("--reasoning", "off", "--chat-template-kwargs", "{\"a\": [1, \"b\"], \"c\": \"d\"}", "--reasoning-effort", "low");
        assertFalse(plan.chat().format().thinking());
        assertEquals(Map.of("a", "[1,\"b\"]", "c", "\"d\"", "reasoning_effort", "\"low\""), plan.chat().format().arguments());
        assertTrue(plan.chatsOnce());
        assertFalse(with("--reasoning", "auto", "--reasoning-effort", "default").chatsOnce());
        Path file = Files.writeString(folder.resolve("t.jinja"), "{{ messages[0].content }}");
        assertEquals(ChatTemplate.file(file), with("--chat-template-file", file.toString()).chat().format().template());
    }

    @Test
    void templatesThatHoldNothingAreNamed() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty.jinja"), "");
        for (String option : List.of("--chat-template", "--chat-template-file")) {
            CliRun run = CliRun.of("generate", "-p", "x", option, empty.toString());
            assertEquals(ExitCode.INPUT_FILE, run.code());
            assertEquals("error: " + empty + ": chat template: expected a Jinja template, got an empty file\n", run.err());
        }
    }

    @Test
    void completionOptionsAreUnderstood() {
        GenerateOptions options = with("-n", "-2", "--stop", "\\n\\n", "-r", "END", "--ignore-eos", "-sp", "--logprobs", "3").options();
        assertEquals(GenerateOptions.UNLIMITED, options.maxTokens());
        assertEquals(List.of("\n\n", "END"), options.stops());
        assertTrue(options.ignoreEos());
        assertTrue(options.renderSpecial());
        assertEquals(3, options.logprobs());
        assertEquals(List.of("\\n"), with("--no-escape", "--stop", "\\n").options().stops());
        assertTrue(with("--json").json());
    }

    @Test
    void formsOfTheAnswerComeFromTextOrFile() throws IOException {
        Path grammar = Files.writeString(folder.resolve("g.gbnf"), "root ::= \"a\"\n");
        Path schema = Files.writeString(folder.resolve("s.json"), "{\"type\":\"object\"}");
        assertEquals(Grammar.gbnf("root ::= \"b\""), with("--grammar", "root ::= \"b\"").options().grammar());
        assertEquals(Grammar.gbnf("root ::= \"a\"\n"), with("--grammar-file", grammar.toString()).options().grammar());
        assertEquals(Grammar.jsonSchema("{}"), with("-j", "{}").options().grammar());
        assertEquals(Grammar.jsonSchema("{\"type\":\"object\"}"), with("--json-schema-file", schema.toString()).options().grammar());
        Files.writeString(schema, "\uFEFF{\"type\":\"object\"}"); // a mark of byte order is no part of it
        assertEquals(Grammar.jsonSchema("{\"type\":\"object\"}"), with("--json-schema-file", schema.toString()).options().grammar());
        assertEquals(Grammar.laxJsonSchema("{}"), with("-j", "{}", "--lax-schema").options().grammar());
        assertThrows(InvalidOptionException.class, () -> with("--lax-schema", "--grammar", "x"));
        assertThrows(InvalidOptionException.class, () -> with("-j", "{}", "--grammar", "x"));
        assertThrows(InvalidFileException.class, () -> with("--grammar-file", folder.resolve("none").toString()));
        assertThrows(InvalidFileException.class, () -> with("--json-schema-file", folder.toString()));
    }

    @Test
    void promptsComeFromTextFileOrStdinWithEscapes() throws IOException {
        Path file = Files.writeString(folder.resolve("prompt.txt"), "\uFEFFlist\\tfiles\n\n");
        assertEquals("a\nb", plan("-p", "a\\nb").prompt(CliRun.environment("")));
        assertEquals("a\\nb", plan("-p", "a\\nb", "--no-escape").prompt(CliRun.environment("")));
        assertEquals("list\tfiles\n", plan("-f", file.toString()).prompt(CliRun.environment("")));
        assertEquals("from stdin", plan("-").prompt(CliRun.environment("from stdin\n")));
        assertEquals("from stdin", plan("-f", "-").prompt(CliRun.environment("from stdin\n")));
        assertNull(plan("-i").prompt(CliRun.environment("")));
        assertEquals("", plan("-p", "").prompt(CliRun.environment("")));
    }

    @Test
    void promptFilesThatAreNoTextAreRefused() throws IOException {
        Path latin = Files.write(folder.resolve("latin1.txt"), "é".getBytes(StandardCharsets.ISO_8859_1));
        for (String name : List.of(latin.toString(), folder.toString(), folder.resolve("none.txt").toString())) {
            var e = assertThrows(InvalidFileException.class, () -> plan("-f", name).prompt(CliRun.environment("")));
            assertTrue(e.getMessage().startsWith(name + ": "), e.getMessage());
        }
    }

    @Test
    void conversationsAreRecognised() {
        assertTrue(plan("-i").interactive());
        assertTrue(plan("-i", "-ins", "-p", "hello").interactive());
        assertTrue(plan("-i", "-ins").instruct());
        assertTrue(plan("--chat").interactive());
        assertFalse(plan("--chat", "-p", "hello").interactive());
        assertTrue(plan("--chat", "-p", "hello").chatsOnce());
        assertTrue(plan("-p", "hello", "-sys", "Be brief.").chatsOnce());
        assertTrue(plan("-p", "hello", "--chat-template", "chatml").chatsOnce());
        assertFalse(plan("-p", "hello", "-no-cnv").chatsOnce());
        assertFalse(plan("-p", "hello").chatsOnce());
        assertEquals("Be brief.", plan("-i", "--system", "Be brief.").chat().systemPrompt());
        assertEquals("Be brief.", plan("-ins", "-no-cnv", "-sys", "Be brief.").chat().systemPrompt());
        assertTrue(plan("-i", "-st", "-p", "hello").interactive());
        assertTrue(plan("-cnv", "-st").single());
        assertFalse(plan("-cnv", "-st", "-p", "hello").interactive());
    }

    /** What acts in one mode alone is no word without effect in the others. */
    @ParameterizedTest
    @ValueSource(strings = {
        "-p x --out-dir .", "-p x --force", "-p x -np 2", "-f x --out-dir .", "- --force", "-i -np 2", "-cnv --force", "-ins --out-dir .",
        "--prompts p -st", "--prompts p --logprobs 2", "--prompts p -i", "--prompts p -ins", "-cnv --json", "-i --json", "-i -", "-ins -f -",
        "-i --keep 3", "-ins --no-context-shift", "-cnv --keep 3", "-p x -no-cnv --reasoning off",
        "-p x -no-cnv --chat-template-kwargs {}", "-p x -no-cnv --chat-template-file f", "-p x --chat-template a --chat-template-file f",
        "-p x -no-cnv -sys s", "-i -no-cnv -sysf s", "-p x --no-chat --chat-template chatml", "-p x -sys s -sysf s", "-i -no-cnv --chat-template chatml"
    })
    void whatHasNoEffectInAModeIsRefused(String words) {
        String[] parts = words.split(" ");
        var piped = assertThrows(InvalidOptionException.class, () -> GeneratePlan.of(new GenerateCommand().syntax().parse(parts, 0), true));
        assertTrue(List.of(parts).contains(piped.option()), piped.getMessage());
        assertThrows(InvalidOptionException.class, () -> plan(parts));
    }

    @Test
    void linesOfStdinRefuseWhatIsForAFileOfPrompts() {
        for (String[] words : new String[][] {{"--out-dir", "."}, {"--force"}, {"-np", "2"}}) {
            var e = assertThrows(InvalidOptionException.class, () -> GeneratePlan.of(new GenerateCommand().syntax().parse(words, 0), true));
            assertTrue(e.getMessage().contains(words[0] + ": expected --prompts FILE beside it, got none"), e.getMessage());
        }
    }

    @Test
    void onePromptIsNeededAndNoMore() {
        assertTrue(assertThrows(InvalidOptionException.class, GeneratePlanTest::plan).hint().contains("-p"));
        assertThrows(InvalidOptionException.class, () -> plan("-p", "a", "-f", "b"));
        assertThrows(InvalidOptionException.class, () -> plan("-p", "a", "--prompts", "b"));
        assertThrows(InvalidOptionException.class, () -> plan("-p", "a", "-"));
        assertThrows(InvalidOptionException.class, () -> plan("list", "files"));
        assertThrows(InvalidOptionException.class, () -> plan("-i", "--prompts", "b"));
        assertThrows(InvalidOptionException.class, () -> plan("-i", "--json"));
        assertThrows(InvalidOptionException.class, () -> plan("-i", "-"));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "-c x", "-c -1", "-n 1.5", "-n -3", "--temp hot", "--top-k many", "--top-p 1.5", "--top-p -0.1", "--min-p 2", "--typical 3",
        "--repeat-penalty 0", "--repeat-penalty nan", "--repeat-last-n -2", "--threads two", "-tb x", "-b 0", "-ub 0", "-fa=maybe", "-fa maybe", "-rea maybe",
        "-ctk q9", "-ctv f8", "-ngl some", "-ngl -5", "-lm fast", "--rope-scale 0", "--yarn-orig-ctx -1", "--sampler-seq kz", "--keep all", "--chat-template-kwargs []",
        "--chat-template-kwargs {", "--reasoning-budget 10", "--color on", "-lv much", "-sm diagonal", "-ts a,b", "-mg -1", "-mg x", "-dev CUDA0,,", "--rpc ,",
        "-s x", "-s 4294967296", "-s -2", "--mirostat 3", "--xtc-probability 2", "--xtc-threshold -1", "--dry-base 0.5",
        "--dry-allowed-length -1", "--dry-penalty-last-n -2", "-l 15", "-l +1", "-l 15*2", "-l 99999999999+1", "--override-kv a",
        "--override-kv a=int:b", "--override-kv a=bool:maybe", "--lora=", "--stop=", "--logprobs -1", "--logprobs x", "-np 0",
        "--rope-scaling round", "--rope-freq-base -1", "--rope-freq-scale x", "-m=", "--grammar=", "-j=", "--chat-template="
    })
    void badValuesAreRefusedWithOptionExpectedAndGot(String words) {
        String[] parts = words.split(" ", 2);
        CliRun run = parts.length == 2
                ? CliRun.of("generate", "-p", "x", parts[0], parts[1])
                : CliRun.of("generate", "-p", "x", words);
        assertEquals(ExitCode.USAGE, run.code(), run.err());
        assertEquals("", run.out());
        assertTrue(run.err().startsWith("error: option " + words.split("[ =]")[0]), run.err());
        assertTrue(run.err().contains(": expected "), run.err());
        assertTrue(run.err().contains(", got "), run.err());
    }

    @Test
    void everyFailureIsOfOurTypes() {
        for (String[] words : List.of(new String[] {"-p"}, new String[] {"--nonsense"}, new String[] {"-f", "\0"},
                new String[] {"-p", "x", "-m", "\0"})) {
            assertThrows(BridgeException.class, () -> plan(words).prompt(CliRun.environment("")), Arrays.toString(words));
        }
    }
}
