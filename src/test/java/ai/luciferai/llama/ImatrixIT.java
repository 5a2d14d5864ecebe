package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.ImatrixOptions.Checkpoints;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.ImportanceMatrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What imatrix promises beside its bytes, which are {@link ImatrixGoldenIT}'s. */
class ImatrixIT {

    @TempDir
    Path folder;

    private ImatrixOptions options() {
        return ImatrixOptions.of(EmbeddedModel.path(), QualityGoldens.TEXT, out()).withChunks(64, 0, 12).withModelOptions(Goldens.onCpu())
                .withContextOptions(ContextOptions.defaults().withThreads(1).withBatchSize(64));
    }

    private Path out() {
        return folder.resolve("imatrix.gguf");
    }

    private Set<String> files() throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).collect(java.util.stream.Collectors.toCollection(TreeSet::new));
        }
    }

    @Test
    void checkpointsAndCopiesAreWritten() throws IOException {
        Imatrix.run(options().withCheckpoints(new Checkpoints(4, 5)), Progress.NONE, Cancel.NONE);
        assertEquals(Set.of("imatrix.gguf", "imatrix.gguf.at_10", "imatrix.gguf.at_5"), files());
        assertEquals(5, ImportanceMatrix.read(folder.resolve("imatrix.gguf.at_5"), 64).chunks());
        assertEquals(12, ImportanceMatrix.read(out(), 64).chunks());
    }

    @Test
    void cancelKeepsTheLastCheckpointAndTheRestCanBeAdded() throws IOException {
        var cancel = new Cancel();
        Progress stop = event -> {
            if (event.phase().equals("imatrix") && event.done() >= 7 * 64) {
                cancel.request();
            }
        };
        var fault = assertThrows(CancelledException.class, () -> Imatrix.run(options().withCheckpoints(new Checkpoints(4, 0)), stop, cancel));
        assertTrue(fault.getMessage().contains("first 4 chunks"), fault.getMessage());
        Path rest = folder.resolve("rest.gguf");
        Imatrix.run(new ImatrixOptions(options().model(), options().text(), rest, List.of(out()), 64, 4, 8, false, false, false,
                Checkpoints.defaults(), false, options().modelOptions(), options().contextOptions()), Progress.NONE, Cancel.NONE);
        Files.delete(out());
        Imatrix.run(options(), Progress.NONE, Cancel.NONE);
        // In pieces or at once, the sums are added in the same order.
        assertArrayEquals(ImportanceMatrix.read(out(), 64).entries().get("blk.0.ffn_up.weight").sums(),
                ImportanceMatrix.read(rest, 64).entries().get("blk.0.ffn_up.weight").sums());
    }

    @Test
    void cancelBeforeACheckpointLeavesNothing() throws IOException {
        var cancel = new Cancel();
        assertThrows(CancelledException.class, () -> Imatrix.run(options(), event -> cancel.request(), cancel));
        assertEquals(Set.of(), files());
    }

    @Test
    void progressEndsWithAllTokens() throws IOException {
        var events = new ArrayList<Progress.Event>();
        ImatrixReport report = Imatrix.run(options(), events::add, Cancel.NONE);
        assertEquals(12 * 64, events.getLast().done());
        assertEquals(report.perplexity().orElseThrow().value(), events.getLast().metrics().get("ppl"), 1e-9);
        assertTrue(Imatrix.run(options().withPerplexity(false).withForce(true), Progress.NONE, Cancel.NONE).perplexity().isEmpty());
    }

    @Test
    void badInputIsRefusedBeforeTheModelReads() throws IOException {
        Path shortText = Files.writeString(folder.resolve("short.txt"), "list files");
        refused(InvalidFileException.class, ImatrixOptions.of(EmbeddedModel.path(), shortText, out()), "two chunks");
        refused(InvalidFileException.class, options().withChunks(64, 30, -1), "left out");
        refused(InvalidFileException.class, ImatrixOptions.of(EmbeddedModel.path(), folder.resolve("none.txt"), out()), "none.txt");
        Path bytes = Files.write(folder.resolve("bytes.txt"), new byte[] {(byte) 0xff, (byte) 0xfe});
        refused(InvalidFileException.class, ImatrixOptions.of(EmbeddedModel.path(), bytes, out()), "UTF-8");
        refused(InvalidFileException.class, options().withInputs(List.of(shortText)), "short.txt");
        Files.createFile(out());
        refused(InvalidOptionException.class, options(), "--force");
        refused(InvalidOptionException.class, ImatrixOptions.of(EmbeddedModel.path(), shortText, shortText).withForce(true), "another file");
    }

    private static void refused(Class<? extends Exception> type, ImatrixOptions options, String part) {
        Exception fault = assertThrows(type, () -> Imatrix.run(options, Progress.NONE, Cancel.NONE));
        assertTrue(fault.getMessage().contains(part), fault.getMessage());
    }

    @Test
    void matrixOfAnotherModelIsNotAddedTo() throws IOException {
        Path moe = QualityGoldens.FOLDER.resolve("mixtral-bin.gguf");
        var fault = assertThrows(InvalidFileException.class,
                () -> Imatrix.run(options().withInputs(List.of(moe)), Progress.NONE, Cancel.NONE));
        assertTrue(fault.getMessage().contains("importance matrix to add to"), fault.getMessage());
        assertFalse(Files.exists(out()));
    }

    @Test
    void activationsThatAreNoNumbersAreRefusedByTheWeightsName() throws IOException {
        byte[] bytes = Files.readAllBytes(EmbeddedModel.path());
        try (GgufFile file = GgufReader.read(EmbeddedModel.path())) {
            int at = (int) (file.parts().getFirst().dataOffset() + file.tensor("blk.1.attn_norm.weight").orElseThrow().offset());
            bytes[at + 2] = (byte) 0xc0; // an F32 NaN
            bytes[at + 3] = 0x7f;
        }
        Path model = Files.write(folder.resolve("nan.gguf"), bytes);
        var options = ImatrixOptions.of(model, QualityGoldens.TEXT, out()).withChunks(64, 0, 2).withModelOptions(Goldens.onCpu());
        var fault = assertThrows(InvalidFileException.class, () -> Imatrix.run(options, Progress.NONE, Cancel.NONE));
        assertTrue(fault.getMessage().contains("blk.1.") && fault.getMessage().contains("not finite"), fault.getMessage());
        assertFalse(Files.exists(out()));
    }
}
