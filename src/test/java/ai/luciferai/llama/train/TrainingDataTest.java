package ai.luciferai.llama.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Samples, packs, plans and targets. */
class TrainingDataTest {

    @TempDir
    Path folder;

    private SampleFile read(String text, boolean skip) throws IOException {
        Path file = folder.resolve("data.jsonl");
        Files.writeString(file, text);
        return SampleFile.read(file, skip);
    }

    private static Sample sample(int... tokens) {
        boolean[] marks = new boolean[tokens.length];
        java.util.Arrays.fill(marks, true);
        return new Sample(tokens, marks);
    }

    @Test
    void theSizeForVeryManyEpochsIsFoundWithoutTryingThem() {
        var samples = new ArrayList<Sample>();
        var random = new Random(1);
        for (int i = 0; i < 20; i++) {
            samples.add(sample(new int[2 + random.nextInt(20)]));
        }
        for (boolean packing : new boolean[] {true, false}) {
            TrainingPlan.Shape some = new TrainingPlan(samples, 200, 4, 64, packing, 1, 1).shape(Cancel.NONE);
            TrainingPlan.Shape all = new TrainingPlan(samples, 400_000_000, 4, 64, packing, 1, 1).shape(Cancel.NONE);
            assertEquals(all, some.max(all), "not the largest");
            assertTrue(packing || all.equals(some), "each sample by itself");
        }
    }

    @Test
    void everyFormIsRead() throws IOException {
        SampleFile file = read("""
                {"text": "a\\nb"}

                {"prompt": "", "completion": "c"}
                {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
                """, false);
        assertEquals(List.of(new RawSample.Located(1, new RawSample.Text("a\nb")),
                new RawSample.Located(3, new RawSample.Completion("", "c")),
                new RawSample.Located(4, new RawSample.Conversation(List.of(new RawSample.Turn("user", "q"), new RawSample.Turn("assistant", "a"))))),
                file.samples());
    }

    @Test
    void badLinesAreCountedWhenPassedOver() throws IOException {
        SampleFile file = read("{\"text\": \"a\"}\nnonsense\n[1]\n{\"text\": 5}\n{\"prompt\": \"p\"}\n", true);
        assertEquals(1, file.samples().size());
        assertEquals(4, file.badLines().size());
        assertTrue(file.badLines().getFirst().startsWith("line 2: malformed JSON"), file.badLines().getFirst());
    }

    @Test
    void aMarkOfByteOrderIsNoPartOfTheFirstLine() throws IOException {
        assertEquals(List.of(new RawSample.Located(1, new RawSample.Text("a"))), read("\uFEFF{\"text\": \"a\"}\n", false).samples());
        Path text = folder.resolve("data.txt");
        Files.writeString(text, "\uFEFFa text");
        assertEquals(new RawSample.Text("a text"), SampleFile.read(text, false).samples().getFirst().sample());
    }

    @Test
    void weightZeroIsReadAndNotLearnt() throws IOException {
        SampleFile file = read("{\"messages\": [{\"role\": \"assistant\", \"content\": \"no\", \"weight\": 0}, "
                + "{\"role\": \"user\", \"content\": \"q\"}, {\"role\": \"assistant\", \"content\": \"yes\", \"weight\": 1}]}", false);
        assertEquals(new RawSample.Conversation(List.of(new RawSample.Turn("assistant", "no", false), new RawSample.Turn("user", "q"),
                new RawSample.Turn("assistant", "yes"))), file.samples().getFirst().sample());
    }

    @Test
    void thoughtsAreRead() throws IOException {
        SampleFile file = read("{\"messages\": [{\"role\": \"assistant\", \"reasoning_content\": \"t\", \"content\": \"a\"}]}", false);
        assertEquals(new RawSample.Conversation(List.of(new RawSample.Turn("assistant", "a", "t", true))), file.samples().getFirst().sample());
    }

    @Test
    void messagesThatCannotBeLearntAsTheySayAreBadLines() throws IOException {
        for (String answer : List.of("\"content\": \"a\", \"weight\": 0.5",
                "\"content\": \"a\", \"weight\": \"1\"", "\"content\": \"a\", \"thinking\": \"t\"", "\"content\": \"a\", \"reasoning_content\": 1", "\"content\": \"\", \"tool_calls\": [{\"id\": \"1\"}]")) {
            String line = "{\"messages\": [{\"role\": \"assistant\", " + answer + "}]}";
            var refused = assertThrows(InvalidFileException.class, () -> read(line, false), line);
            assertEquals("line 1", refused.where());
        }
    }

    @Test
    void tablesAndBinaryFilesAreNotLearntAsText() throws IOException {
        for (String name : List.of("a.csv", "a.TSV", "a.parquet", "a.xlsx")) {
            Path file = Files.writeString(folder.resolve(name), "prompt,completion\na,b\n");
            assertThrows(InvalidFileException.class, () -> SampleFile.read(file, true), name);
        }
        Map<String, String> binary = Map.of("PAR1\u0015", "Parquet", "PK\u0003\u0004", "zip", "GGUF\u0003", "GGUF", "ARROW1\u0000\u0000", "Arrow",
                "%PDF-1.4\n%\u00e2", "PDF", "SQLite format 3\u0000", "SQLite", "\u0089PNG\r\n\u001a\n", "an image", "\u00ff\u00d8\u00ff\u00e0", "an image",
                "notes.txt\u0000\u0000\u0000", "byte 9 is zero", "\u00ff\u00fea\u0000", "UTF-16");
        for (Map.Entry<String, String> start : binary.entrySet()) {
            for (String name : List.of("renamed.txt", "renamed.jsonl")) {
                Path file = Files.write(folder.resolve(name), (start.getKey() + " more").getBytes(StandardCharsets.ISO_8859_1));
                var refused = assertThrows(InvalidFileException.class, () -> SampleFile.read(file, true), start.getKey());
                assertTrue(refused.getMessage().contains(start.getValue()), refused.getMessage());
            }
        }
    }

    /** What a file is decides what to do with it: unpack it, write rows as lines, or nothing of the kind. */
    @Test
    void theRemedyFitsTheFile() throws IOException {
        Path gzip = folder.resolve("data.jsonl.gz");
        try (var out = new GZIPOutputStream(Files.newOutputStream(gzip))) {
            out.write("{\"text\": \"a\"}\n".getBytes(StandardCharsets.UTF_8));
        }
        assertRemedy("packed with gzip", "gunzip", gzip);
        Path zip = folder.resolve("data.jsonl");
        try (var out = new ZipOutputStream(Files.newOutputStream(zip))) {
            out.putNextEntry(new ZipEntry("data.jsonl"));
            out.write("{\"text\": \"a\"}\n".getBytes(StandardCharsets.UTF_8));
        }
        assertRemedy("packed with zip", "unzip", zip);
        assertRemedy("a GGUF file", "as text, or as JSON lines", Files.write(folder.resolve("a.gguf"), new byte[] {'G', 'G', 'U', 'F', 3, 0}));
        assertRemedy("comma-separated", "for each row", Files.writeString(folder.resolve("a.csv"), "prompt,completion\n"));
        assertRemedy("text in UTF-16", "iconv", Files.write(folder.resolve("a.txt"), "\uFEFFtext".getBytes(StandardCharsets.UTF_16LE)));
        String samples = "[{\"text\": \"a\"},\n {\"text\": \"b\"}]\n";
        for (String text : List.of(samples, samples.replace("\n", ""), "\n\n[]", samples.replace(",", ",\n\n"))) {
            assertRemedy("one JSON array", "jq -c '.[]'", Files.writeString(folder.resolve("a.json"), text));
        }
        assertRemedy("one JSON object over several lines", "jq -c .", Files.writeString(folder.resolve("b.json"), "{\n  \"text\": \"a\"\n}\n"));
    }

    private static void assertRemedy(String what, String remedy, Path file) {
        for (boolean skipBad : new boolean[] {false, true}) {
            var refused = assertThrows(InvalidFileException.class, () -> SampleFile.read(file, skipBad), file.toString());
            assertTrue(refused.got().contains(what), refused.getMessage());
            assertTrue(refused.hint().contains(remedy), refused.getMessage());
        }
    }

    /** The later value would win, and nobody would know. */
    @Test
    void aKeyTwiceIsABadLine() throws IOException {
        var refused = assertThrows(InvalidFileException.class, () -> read("{\"text\": \"a\", \"text\": \"b\"}", false));
        assertTrue(refused.getMessage().contains("line 1: ") && refused.got().contains("the key 'text' twice in one object"), refused.getMessage());
    }

    @Test
    void aBadLineIsStillABadLine() throws IOException {
        assertEquals("line 1", assertThrows(InvalidFileException.class, () -> read("[1]\n{\"text\": \"a\"}", false)).where());
        assertEquals(1, read("[1]\n{\"text\": \"a\"}", true).samples().size());
    }

    @Test
    void textThatBeginsAsABinaryFileDoesIsText() throws IOException {
        for (String text : List.of("GGUF is a format.", "PAR1\n", "%PDF is how it starts", "RIFF raff\n", "GIF87 and GIF89", "ARROW1 flew", "PKZIP")) {
            Path file = Files.writeString(folder.resolve("plain.txt"), text);
            assertEquals(new RawSample.Text(text), SampleFile.read(file, false).samples().getFirst().sample());
        }
    }

    @Test
    void textThatIsNotUtf8IsRefused() throws IOException {
        Path file = folder.resolve("latin.jsonl");
        Files.write(file, "{\"text\": \"é\"}".getBytes(StandardCharsets.ISO_8859_1));
        assertThrows(InvalidFileException.class, () -> SampleFile.read(file, true));
    }

    /** Whatever the bytes, a reader answers with samples or with its own exception. */
    @Test
    void damagedLinesAreTypedErrors() throws IOException {
        byte[] good = "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}, {\"role\": \"assistant\", \"content\": \"a\\u00e9\"}]}"
                .getBytes(StandardCharsets.UTF_8);
        var random = new Random(11);
        Path file = folder.resolve("fuzz.jsonl");
        for (int i = 0; i < 300; i++) {
            byte[] bytes = good.clone();
            for (int k = 0; k <= random.nextInt(3); k++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Files.write(file, bytes);
            try {
                SampleFile.read(file, random.nextBoolean());
            } catch (BridgeException expected) {
                // a typed refusal
            }
        }
    }

    @Test
    void packsAreFirstFitAndLastTokensTakeNoRow() {
        List<Pack> packs = Pack.firstFit(List.of(sample(1, 2, 3, 4), sample(5, 6, 7), sample(8, 9), sample(1, 2, 3)), 5, true);
        assertEquals(List.of(5, 3), packs.stream().map(Pack::rows).toList());
        Pack.Rows rows = packs.getFirst().toRows();
        assertArrayEquals(new int[] {1, 2, 3, 5, 6}, rows.tokens());
        assertArrayEquals(new int[] {0, 1, 2, 0, 1}, rows.positions());
        assertArrayEquals(new int[] {0, 0, 0, 1, 1}, rows.sequences());
        assertArrayEquals(new int[] {2, 3, 4, 6, 7}, rows.labels());
        assertEquals(4, Pack.firstFit(List.of(sample(1, 2), sample(1, 2), sample(1, 2), sample(1, 2)), 9, false).size());
    }

    @Test
    void unlearntTokensAreNoOutputs() {
        Sample given = new Sample(new int[] {1, 2, 3, 4}, new boolean[] {true, false, true, true});
        assertEquals(2, given.supervisedCount());
        Pack.Rows rows = new Pack(List.of(given)).toRows();
        assertArrayEquals(new int[] {1, 2}, rows.outputs());
        assertArrayEquals(new int[] {3, 4}, rows.labels());
    }

    @Test
    void longSamplesKeepTheirFirstTokenAndTheirEnd() {
        assertArrayEquals(new int[] {1, 4, 5}, sample(1, 2, 3, 4, 5).truncatedTo(3).tokens());
        assertEquals(2, sample(1, 2, 3, 4, 5).truncatedTo(3).supervisedCount());
    }

    @Test
    void devicesShareThePacksOfAStepAndPacksAreSmallerWhereThatIsFaster() {
        List<Pack> packs = IntStream.of(50, 10, 10, 30, 10).mapToObj(n -> new Pack(List.of(sample(new int[n + 1])))).toList();
        assertEquals(List.of(List.of(0, 4), List.of(1, 2, 3)), TrainingPlan.shares(packs, 2));
        assertEquals(List.of(List.of(0, 1, 2, 3, 4)), TrainingPlan.shares(packs, 1));
        List<Sample> samples = List.of(sample(new int[101]), sample(new int[101]));
        assertEquals(1, new TrainingPlan(samples, 1, 2, 800, true, 5, 1).packs(0).size());
        assertEquals(2, new TrainingPlan(samples, 1, 2, 800, true, 5, 2).packs(0).size());
    }

    @Test
    void plansAreAFunctionOfTheSeedAndUseEverySampleOnceAnEpoch() {
        var samples = new ArrayList<Sample>();
        for (int i = 0; i < 10; i++) {
            samples.add(sample(i, i + 1));
        }
        var plan = new TrainingPlan(samples, 2, 4, 8, true, 5, 1);
        assertEquals(6, plan.steps());
        for (int epoch = 0; epoch < 2; epoch++) {
            var seen = new ArrayList<Sample>();
            for (int step = 0; step < 3; step++) {
                plan.packs(epoch * 3 + step).forEach(pack -> seen.addAll(pack.samples()));
            }
            assertEquals(samples.size(), seen.size());
            assertTrue(seen.containsAll(samples));
        }
        assertEquals(plan.packs(4), new TrainingPlan(samples, 2, 4, 8, true, 5, 1).packs(4));
        assertNotEquals(plan.packs(0), plan.packs(3));
        assertEquals(new TrainingPlan.Shape(4, 4), plan.shape(Cancel.NONE));
    }

    @Test
    void targetsAreChosenByNameAndPattern() {
        List<TensorInfo> tensors = List.of(TensorInfo.of("token_embd.weight", GgmlType.F32, 8, 8), TensorInfo.of("blk.0.attn_q.weight", GgmlType.F32, 8, 8),
                TensorInfo.of("blk.0.attn_norm.weight", GgmlType.F32, 8), TensorInfo.of("blk.0.ffn_up.weight", GgmlType.F32, 8, 8),
                TensorInfo.of("blk.1.attn_q.weight", GgmlType.F32, 8, 8), TensorInfo.of("blk.1.ffn_up_exps.weight", GgmlType.F32, 8, 8, 2));
        assertEquals(3, Targets.choose(tensors, List.of()).size());
        assertEquals(2, Targets.choose(tensors, List.of("q_proj")).size());
        assertEquals(List.of("blk.0.attn_q.weight", "blk.0.ffn_up.weight"),
                Targets.choose(tensors, List.of("blk.0.*")).stream().map(TensorInfo::name).toList());
        String message = assertThrows(InvalidOptionException.class, () -> Targets.choose(tensors, List.of("attn_v"))).getMessage();
        assertTrue(message.contains("[attn_q, ffn_up]"), message);
    }
}
