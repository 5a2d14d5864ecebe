package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every verb with the embedded model: results alone on stdout, exit codes, and what stderr says about wrong input. */
class CliIT {

    private static final String ASK = "list files in src directory\\n";
    private static final String ANSWER = "ls src/";
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void unpackModel() throws IOException {
        model = folder.resolve("tiny.gguf");
        try (InputStream in = CliIT.class.getResourceAsStream("/ai/luciferai/llama/lucifer-tiny-f16.gguf")) {
            Files.copy(in, model);
        }
    }

    /** With one thread: on a machine with much to do, several wait for each other. */
    private static CliRun run(String... words) {
        boolean computes = List.of("generate", "embed").contains(words[0]) && !List.of(words).contains("--threads");
        return CliRun.of(computes ? Stream.concat(Arrays.stream(words), Stream.of("-t", "1")).toArray(String[]::new) : words);
    }

    /** Runs a verb that shall do well; returns stdout. */
    private static String ok(String... words) {
        CliRun run = run(words);
        assertEquals(ExitCode.OK, run.code(), run.err());
        assertEquals("", run.err());
        return run.out();
    }

    private static void refused(int code, String message, String... words) {
        CliRun run = run(words);
        String context = String.join(" ", words) + ": " + run.err();
        assertEquals(code, run.code(), context);
        assertEquals("", run.out(), context);
        assertTrue(run.err().startsWith("error: "), context);
        assertTrue(run.err().contains(message), context);
        assertFalse(run.err().contains("\tat "), context);
    }

    // --- generate ------------------------------------------------------------------------------------------------------

    @Test
    void completionAloneGoesToStdout() {
        assertEquals(ANSWER, ok("generate", "-p", ASK, "--temp", "0", "-n", "16"));
        assertEquals(ANSWER, ok("generate", "-p", ASK, "--temp", "0", "-n", "16", "-m", model.toString()));
    }

    @Test
    void whatLuciferAiTypesWorksWithAndWithoutTheVerb() {
        String[] words = {"generate", "-m", model.toString(), "-p", ASK, "-c", "512", "--temp", "0", "-n", "16", "--threads", "2", "--top-p", "0.9",
            "--top-k", "40", "--repeat-penalty", "1.1", "--silent-prompt", "--no-display-prompt", "-ngl", "0"};
        assertEquals(ANSWER, ok(words));
        assertEquals(ANSWER, ok(Arrays.copyOfRange(words, 1, words.length)));
    }

    @Test
    void promptComesFromFileOrStdin() throws IOException {
        Path file = Files.writeString(folder.resolve("ask.txt"), "list files in src directory\n\n");
        assertEquals(ANSWER, ok("generate", "-f", file.toString(), "--temp", "0"));
        assertEquals(ANSWER, CliRun.withInput("list files in src directory\n\n", "generate", "-", "--temp", "0", "-t", "1").out());
    }

    @Test
    void sameSeedGivesSameText() {
        String[] words = {"generate", "-p", "find \\n", "--temp", "1.5", "--seed", "7", "-n", "24"};
        assertEquals(ok(words), ok(words));
    }

    @Test
    void jsonTellsTextTokensTimingsAndStopReason() throws IOException {
        JsonNode json = JSON.readTree(ok("generate", "-p", ASK, "--temp", "0", "--json", "--logprobs", "2"));
        assertEquals(ANSWER, json.get("text").asText());
        assertEquals("end_of_generation", json.get("stop_reason").asText());
        assertTrue(json.get("timings").get("first_token_ms").asDouble() > 0);
        assertEquals(2, json.get("tokens").get(0).get("top").size());
        assertTrue(json.get("tokens").get(0).get("logprob").asDouble() <= 0);
        assertEquals("max_tokens", JSON.readTree(ok("generate", "-p", ASK, "-n", "1", "--json")).get("stop_reason").asText());
        JsonNode stopped = JSON.readTree(ok("generate", "-p", ASK, "--temp", "0", "--stop", " src", "--json"));
        assertEquals("ls", stopped.get("text").asText());
        assertEquals(" src", stopped.get("stop_string").asText());
    }

    @Test
    void formsAreKept() throws IOException {
        assertEquals("no", ok("generate", "-p", ASK, "--temp", "0", "--grammar", "root ::= \"no\""));
        String schema = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"maximum\":9,\"minimum\":0}},\"required\":[\"n\"]}";
        assertTrue(JSON.readTree(ok("generate", "-p", ASK, "--temp", "0", "-n", "64", "-j", schema)).get("n").isInt());
    }

    /** Half a JSON is told from a whole one, in every mode; one that happens to be whole at -n tokens is none. */
    @Test
    void anAnswerThatEndsBeforeItsGrammarIsSaidToBeCutOff() throws IOException {
        String schema = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"maximum\":9,\"minimum\":0}},\"required\":[\"n\"]}";
        String by = "the answer is cut off by -n: its JSON schema asks for more\n";
        String[] cut = {"generate", "--temp", "0", "-n", "2", "-j", schema};
        CliRun run = run(with(cut, "-p", ASK));
        assertEquals(ExitCode.OK, run.code());
        assertEquals(by, run.err());
        run = run(with(cut, "-p", ASK, "--json"));
        assertEquals(by, run.err());
        JsonNode json = JSON.readTree(run.out());
        assertEquals("max_tokens", json.get("stop_reason").asText());
        assertFalse(json.get("grammar_complete").asBoolean());
        String lines = "stdin, line 1: " + by + "stdin, line 3: " + by;
        assertEquals(lines, CliRun.withInput("a\n\nb\n", with(cut, "-t", "1")).err());
        assertEquals(lines, CliRun.withInput("a\n\nb\n", with(cut, "-t", "1", "--json")).err());
        assertEquals(by, CliRun.withInput("a\n", with(cut, "-t", "1", "-i")).err());
        Path prompts = Files.writeString(folder.resolve("cut.txt"), "a\nb\n");
        run = run(with(cut, "--prompts", prompts.toString(), "--out-dir", folder.toString()));
        assertTrue(run.err().contains("embedded: 2 of 2 answers are cut off: their JSON schema asks for more; "), run.err());
        assertTrue(Files.readString(folder.resolve("results-embedded.txt")).contains("(2 tokens, max_tokens, cut off)"));

        json = JSON.readTree(ok("generate", "-p", ASK, "--temp", "0", "--grammar", "root ::= \"no\"", "--json"));
        String tokens = String.valueOf(json.get("tokens").size() - 1); // without the one that ends it
        json = JSON.readTree(ok("generate", "-p", ASK, "--temp", "0", "--grammar", "root ::= \"no\" \"!\"*", "-n", tokens, "--json"));
        assertEquals("no max_tokens true", json.get("text").asText() + " " + json.get("stop_reason").asText() + " " + json.get("grammar_complete"));
        run = run("generate", "-p", ASK, "--temp", "0", "--grammar", "root ::= \"no\" \"!\"", "--stop", "o");
        assertEquals("the answer is cut off by a stop string: its grammar asks for more\n", run.err());
    }

    private static String[] with(String[] words, String... more) {
        return Stream.concat(Arrays.stream(words), Arrays.stream(more)).toArray(String[]::new);
    }

    @Test
    void aSingleTurnIsOneAnswer() {
        String lines = "make a new folder golka\nshow client.css\n";
        String[] single = {"generate", "-st", "--temp", "0", "-t", "1"};
        assertEquals("mkdir golka\n", CliRun.withInput(lines, single).out());
        assertEquals("mkdir golka\n", CliRun.withInput(lines, with(single, "-i")).out());
        assertEquals("mkdir golka\n", CliRun.withInput(lines, with(single, "-cnv")).out());
        assertEquals("cat client.css\n", CliRun.withInput(lines, with(single, "-i", "-p", "show client.css")).out());
        assertEquals(ExitCode.USAGE, CliRun.withInput("x ".repeat(600), with(single, "-i", "-c", "256")).code());
    }

    @Test
    void chatUsesTheTemplate() {
        assertEquals("mkdir golka", ok("generate", "--chat", "-p", "make a new folder golka", "--temp", "0"));
    }

    @Test
    void conversationAnswersEachLineOfAPipe() {
        CliRun run = CliRun.withInput("make a new folder golka\n\n/reset\nlist files in src \\\ndirectory\n/exit\nnever\n",
                "generate", "-i", "--temp", "0", "-t", "1");
        assertEquals(ExitCode.OK, run.code(), run.err());
        assertEquals("", run.err());
        List<String> answers = run.out().lines().toList();
        assertEquals(2, answers.size(), run.out());
        assertEquals("mkdir golka", answers.getFirst());
    }

    @Test
    void loraChangesTheAnswerByItsScale() {
        Path lora = Path.of(System.getProperty("basedir", "."), "src/test/fixtures/lora/tiny-lora.gguf");
        String prompt = "follow report.html\\n";
        assertEquals("tail -f report.html", ok("generate", "-p", prompt, "--temp", "0", "--lora", lora + ":0"));
        assertEquals("tail -f report.c", ok("generate", "-p", prompt, "--temp", "0", "--lora", lora + ":2"));
    }

    @Test
    void manyPromptsGoIntoAFileForEachModel() throws IOException {
        Path prompts = Files.writeString(folder.resolve("prompts.txt"), "list files in src directory\\n\n\nfollow report.html\\n\n");
        Path twin = Files.copy(model, folder.resolve("twin.gguf"));
        Path out = Files.createDirectory(folder.resolve("out"));
        String[] words = {"generate", "--prompts", prompts.toString(), "-m", model.toString(), "-m", twin.toString(), "--temp", "0",
            "--out-dir", out.toString(), "-q"};
        String table = ok(words);
        assertEquals(3, table.lines().count(), table);
        String results = Files.readString(out.resolve("results-tiny.txt"));
        assertTrue(results.contains("list files in src directory\n--- answer (5 tokens, end_of_generation)\n" + ANSWER + "\n"), results);
        assertTrue(results.endsWith("\ntail -f report.html\n"), results);
        assertEquals(results.replace("tiny", "twin"), Files.readString(out.resolve("results-twin.txt")));
        refused(ExitCode.USAGE, "--force", words);
    }

    @Test
    void modelThatFailsDoesNotKeepTheOthersFromAnswering() throws IOException {
        Path prompts = Files.writeString(folder.resolve("one.txt"), ASK + "\n");
        Path out = Files.createDirectory(folder.resolve("out2"));
        CliRun run = CliRun.of("generate", "--prompts", prompts.toString(), "-m", "missing.gguf", "-m", model.toString(), "--temp", "0",
                "--out-dir", out.toString(), "--json", "-q", "-t", "1");
        assertEquals(ExitCode.INPUT_FILE, run.code());
        assertTrue(run.err().startsWith("error: missing.gguf: "), run.err());
        assertEquals(ANSWER, JSON.readTree(out.resolve("results-tiny.json").toFile()).get("answers").get(0).get("text").asText());
        try (Stream<Path> files = Files.list(out)) {
            assertEquals(1, files.count());
        }
    }

    // --- the other verbs -----------------------------------------------------------------------------------------------

    @Test
    void tokenizeAndDetokenizeAreInverse() throws IOException {
        String ids = ok("tokenize", "-p", "list files, déjà vu 🙂", "--ids", "--no-bos");
        assertTrue(ids.startsWith("["), ids);
        CliRun back = CliRun.withInput(ids, "detokenize");
        assertEquals("list files, déjà vu 🙂", back.out(), back.err());
        assertTrue(ok("tokenize", "-p", "list").startsWith("     1 -> '<s>'\n"));
        JsonNode json = JSON.readTree(ok("tokenize", "-p", "list", "--json"));
        assertEquals(json.get("count").asInt(), json.get("tokens").size());
        refused(ExitCode.USAGE, "ID: expected a token from 0 to 1023, got 5000", "detokenize", "5000");
        refused(ExitCode.USAGE, "ID: expected a whole number, got 'x'", "detokenize", "x");
    }

    @Test
    void infoShowsWhatAFileHolds() throws IOException {
        List<String> lines = ok("info", model.toString()).lines().toList();
        assertEquals("GGUF model file version 3", lines.getFirst());
        assertTrue(lines.contains("  architecture   llama"), lines.toString());
        assertTrue(lines.contains("  parameters     2.62 M"), lines.toString());
        String all = ok("info", "-m", model.toString(), "--metadata", "--tensors", "--template");
        assertTrue(all.contains("llama.context_length"), all);
        assertTrue(all.contains("blk.0.attn_q.weight"), all);
        assertTrue(all.contains("{% for message in messages %}"), all);
        JsonNode json = JSON.readTree(ok("info", model.toString(), "--json", "--metadata", "--tensors", "--template"));
        assertEquals(512, json.get("metadata").get("llama.context_length").get("value").asInt());
        assertEquals(json.get("tensor_count").asInt(), json.get("tensors").size());
        refused(ExitCode.USAGE, "MODEL: expected one GGUF file, got none", "info");
        refused(ExitCode.USAGE, "MODEL: expected one GGUF file, got one and -m", "info", "a", "-m", "b");
    }

    @Test
    void infoDescribesAnAdapter() throws IOException {
        String adapter = Path.of("src/test/fixtures/lora/tiny-lora.gguf").toString();
        List<String> lines = ok("info", adapter).lines().toList();
        assertEquals("GGUF adapter file version 3", lines.getFirst());
        assertTrue(lines.containsAll(List.of("  rank           4", "  alpha          8, scale 2",
                "  changes        12 weights: attn_q, attn_v, ffn_down")), lines.toString());
        assertTrue(lines.stream().noneMatch(line -> line.contains("problem")), lines.toString());
        assertTrue(lines.stream().noneMatch(line -> line.contains("guessed") || line.contains(" 0.00 M")), lines.toString());
        JsonNode json = JSON.readTree(ok("info", adapter, "--json"));
        assertEquals("adapter", json.get("contents").asText());
        assertEquals(12, json.get("adapter").get("weights").size());
    }

    @Test
    void importanceMatrixInAnotherPlaceIsToldWhatItIsFor() throws IOException {
        String matrix = Path.of("src/test/fixtures/quantize/imatrix.gguf").toString();
        refused(ExitCode.UNSUPPORTED, "expected a model, got an importance matrix", "generate", "-m", matrix, "-p", "x");
        refused(ExitCode.INPUT_FILE, "HINT: this is an importance matrix: quantize takes it as --imatrix", "generate", "--lora", matrix, "-p", "x");
        List<String> lines = ok("info", matrix).lines().toList();
        assertEquals("GGUF importance matrix file version 3", lines.getFirst());
        assertTrue(lines.stream().noneMatch(line -> line.contains("parameters") || line.contains("guessed")), lines.toString());
    }

    /** As LuciferAI's guide types it: {@code llamafile -m M < test_prompts.txt}. Each line is what -i would answer. */
    @Test
    void promptsAreTheLinesOfStdinWhenNothingElseIsGiven() throws IOException {
        String prompts = "list files in src directory\n\nfind the postgres process\r\n";
        CliRun all = CliRun.withInput(prompts, "-m", model.toString(), "--temp", "0");
        assertEquals(ExitCode.OK, all.code(), all.err());
        List<String> answers = all.out().lines().toList();
        assertEquals(List.of(CliRun.of("-p", "list files in src directory\\n", "--temp", "0").out().strip(),
                CliRun.of("-p", "find the postgres process\\n", "--temp", "0").out().strip()), answers);
        JsonNode json = JSON.readTree(CliRun.withInput(prompts, "-m", model.toString(), "--temp", "0", "--json").out());
        assertEquals(answers.getLast(), json.get(1).get("text").asText().strip());
        CliRun nothing = CliRun.withInput("\n \n", "-m", model.toString());
        assertEquals(ExitCode.USAGE, nothing.code());
        assertTrue(nothing.err().contains("no line with text on stdin"), nothing.err());
    }

    /** Each answer is out before the next line is asked for, so that stdin may be somebody who waits for it, or have no end. */
    @Test
    void lineOfStdinIsAnsweredBeforeTheNextIsRead() {
        var out = new ByteArrayOutputStream();
        var seen = new ArrayList<String>();
        InputStream lines = new InputStream() {
            private byte[] line = "list files in src directory\n".getBytes(StandardCharsets.UTF_8);
            private int at;

            @Override
            public int read() {
                throw new UnsupportedOperationException("blocks are read");
            }

            @Override
            public int read(byte[] bytes, int from, int most) {
                if (at == line.length) {
                    seen.add(out.toString(StandardCharsets.UTF_8));
                    line = seen.size() == 3 ? new byte[0] : line;
                    at = 0;
                }
                int n = Math.min(most, line.length - at);
                System.arraycopy(line, at, bytes, from, n);
                at += n;
                return n == 0 ? -1 : n;
            }
        };
        int code = Main.run(new String[] {"-m", model.toString(), "--temp", "0"}, new Environment(lines, out, System.err, false));
        assertEquals(ExitCode.OK, code);
        assertEquals(List.of("ls src/\n", "ls src/\nls src/\n", "ls src/\nls src/\nls src/\n"), seen);
    }

    @Test
    void lineOfStdinThatDoesNotFitEndsItWithItsNumber() throws IOException {
        String input = "list files in src directory\n\n" + "list files ".repeat(300) + "\nfind the postgres process\n";
        String[] words = {"-m", model.toString(), "--temp", "0", "-c", "256"};
        CliRun run = CliRun.withInput(input, words);
        assertEquals(List.of(ExitCode.USAGE, "ls src/\n"), List.of(run.code(), run.out()), run.err());
        assertTrue(run.err().startsWith("error: stdin, line 3: "), run.err());
        CliRun json = CliRun.withInput(input, Stream.concat(Arrays.stream(words), Stream.of("--json")).toArray(String[]::new));
        assertEquals(ExitCode.USAGE, json.code());
        assertTrue(json.err().startsWith("error: stdin, line 3: "), json.err());
        JsonNode answers = JSON.readTree(json.out());
        assertEquals(1, answers.size());
        assertEquals("ls src/", answers.get(0).get("text").asText().strip());
        CliRun first = CliRun.withInput("list files ".repeat(300), Stream.concat(Arrays.stream(words), Stream.of("--json")).toArray(String[]::new));
        assertEquals(0, JSON.readTree(first.out()).size());
    }

    @Test
    void logprobsOfLinesOfStdinAreOnStderr() {
        CliRun run = CliRun.withInput("list files in src directory\n", "-m", model.toString(), "--temp", "0", "--logprobs", "1");
        assertEquals("ls src/\n", run.out());
        assertTrue(run.err().contains("' src'"), run.err());
        assertEquals(CliRun.of("-m", model.toString(), "--chat", "-p", "list files in src directory", "--temp", "0", "--logprobs", "1").err(), run.err());
    }

    /** The guide's {@code main -m M --test}. */
    @Test
    void testIsTheBenchmark() throws IOException {
        String table = ok("-q", "-m", model.toString(), "--test", "-p", "8", "-n", "4", "-r", "1");
        assertTrue(table.contains("pp8") && table.contains("tg4"), table);
    }

    @Test
    void embedGivesUnitVectors() throws IOException {
        String line = ok("embed", "-p", "list files", "--pooling", "mean");
        double length = Arrays.stream(line.trim().split(" ")).mapToDouble(Double::parseDouble).map(x -> x * x).sum();
        assertEquals(1, length, 1e-5); // 256 rounded squares
        JsonNode json = JSON.readTree(ok("embed", "-p", "list files", "--json"));
        assertEquals(json.get("dimensions").asInt(), json.get("data").get(0).get("embedding").size());
        assertEquals(2, JSON.readTree(CliRun.withInput("a\n\nb\n", "embed", "--lines", "--array").out()).size());
    }

    @Test
    void devicesHaveTheCpuAndMemory() throws IOException {
        assertTrue(ok("devices").contains("CPU"));
        JsonNode json = JSON.readTree(ok("devices", "--json"));
        JsonNode cpu = null;
        for (JsonNode device : json.get("devices")) {
            cpu = device.get("name").asText().equals("CPU") ? device : cpu;
        }
        assertTrue(cpu != null && cpu.get("total_bytes").asLong() > 0, json.toString());
    }

    @Test
    void doctorFindsAllWell() throws IOException {
        assertTrue(JSON.readTree(CliRun.of("doctor", "--json", "-q").out()).get("ok").asBoolean());
        assertTrue(CliRun.of("doctor", "-q").out().lines().allMatch(line -> line.startsWith("ok ")));
    }

    @Test
    void benchHasLlamaBenchsTable() throws IOException {
        List<String> lines = CliRun.of("bench", "-p", "16", "-n", "4", "-pg", "8,2", "-r", "1", "-t", "1", "-q").out().lines().toList();
        assertEquals("| model                          |       size |     params | backend    | threads |            test |                  t/s |",
                lines.get(0));
        assertEquals("| ------------------------------ | ---------: | ---------: | ---------- | ------: | --------------: | -------------------: |",
                lines.get(1));
        assertTrue(lines.get(2).matches("\\| llama \\?B F16 +\\|   5\\.01 MiB \\|     2\\.62 M \\| CPU        \\|       1 \\| +pp16 \\| .* ± 0\\.00 \\|"),
                lines.get(2));
        assertTrue(lines.get(4).contains("|         pp8+tg2 |"), lines.get(4));
        JsonNode json = JSON.readTree(CliRun.of("bench", "-p", "0", "-n", "4", "-r", "2", "-t", "1", "--json", "-q").out());
        assertEquals(1, json.size());
        assertEquals(2, json.get(0).get("samples_ts").size());
    }

    @Test
    void versionNamesEveryPart() {
        List<String> lines = ok("--version").lines().toList();
        assertTrue(lines.get(0).startsWith("lucifer-llama "), lines.get(0));
        assertTrue(lines.get(1).matches("llama\\.cpp .*\\(.+\\)"), lines.get(1));
        assertTrue(lines.get(2).startsWith("ggml "), lines.get(2));
        assertEquals("JDK " + Runtime.version(), lines.get(3));
    }

    // --- wrong input ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"generate -p x", "tokenize -p x", "detokenize 1", "embed -p x", "bench -p 1", "info"})
    void wrongModelFilesAreNamedByEveryVerb(String verb) throws IOException {
        byte[] bytes = Files.readAllBytes(model);
        Path truncated = Files.write(folder.resolve("truncated.gguf"), Arrays.copyOf(bytes, 100_000));
        Path empty = Files.write(folder.resolve("empty.gguf"), new byte[0]);
        Path other = Files.writeString(folder.resolve("other.gguf"), "this is no model");
        for (Path file : List.of(folder.resolve("missing.gguf"), folder, truncated, empty, other)) {
            refused(ExitCode.INPUT_FILE, "error: " + file + ": ", Stream.concat(Arrays.stream(verb.split(" ")), Stream.of("-m", file.toString()))
                    .toArray(String[]::new));
        }
    }

    @Test
    void wrongOptionsOfGenerateAreNamed() throws IOException {
        refused(ExitCode.USAGE, "option --device: expected one of ", "generate", "-p", "x", "--device", "CUDA77");
        refused(ExitCode.USAGE, "option -ngl: ", "generate", "-p", "x", "-ngl", "-3");
        refused(ExitCode.USAGE, "option --grammar: ", "generate", "-p", "x", "--grammar", "root = 1");
        refused(ExitCode.USAGE, "option -j: ", "generate", "-p", "x", "-j", "{\"type\":\"nothing\"}");
        refused(ExitCode.USAGE, "option -j: ", "generate", "-p", "x", "-j", "{");
        refused(ExitCode.USAGE, "#/items/pattern: ", "generate", "-p", "x", "-j", "{\"items\":{\"pattern\":\"a\\\\b\"}}");
        refused(ExitCode.USAGE, "option -jf: ", "generate", "-p", "x", "-jf",
                Files.writeString(folder.resolve("wrong.json"), "{\"type\":\"nothing\"}").toString());
        refused(ExitCode.USAGE, "option --lax-schema: ", "generate", "-p", "x", "--lax-schema");
        refused(ExitCode.USAGE, "option --chat-template: ", "generate", "-p", "x", "--chat-template", "{% if %}");
        refused(ExitCode.USAGE, "the chat template takes more than 256 MiB of memory", "generate", "-p", "x", "--chat", "--chat-template",
                "{{ 'x'|indent(999999999) }}");
        refused(ExitCode.USAGE, "option --grammar: ", "generate", "-p", "x", "--grammar", "root ::= \"a\"{5,2}");
        refused(ExitCode.USAGE, "the context holds", "generate", "-p", "x ".repeat(600));
        refused(ExitCode.INPUT_FILE, "none.txt: ", "generate", "-f", "none.txt");
        refused(ExitCode.INPUT_FILE, "none.gguf: ", "generate", "-p", "x", "--lora", "none.gguf");
        refused(ExitCode.INPUT_FILE, model + ": ", "generate", "-p", "x", "--lora", model.toString());
        refused(ExitCode.NATIVE, "localhost:1", "generate", "-p", "x", "--rpc", "localhost:1");
        refused(ExitCode.INPUT_FILE, "no line with text", "generate", "--prompts",
                Files.writeString(folder.resolve("blank.txt"), "\n \n").toString());
    }
}
