package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The verbs generate, bench, doctor and devices, and loading of split models. */
class VerbsIT {

    @TempDir
    Path folder;

    @Test
    void generateLoadsCompletesAndCloses() {
        List<String> heard = new ArrayList<>();
        Generate.Report report = Generate.run(Generate.Request.of(Prompt.text(Tiny.QUESTION)).withOptions(Tiny.greedy(9))
                .withModelOptions(Tiny.options()).withContextOptions(Tiny.CONTEXT), token -> heard.add(token.text()), Progress.NONE,
                Cancel.NONE);
        assertEquals("ls", report.completion().text());
        assertEquals("ls", String.join("", heard));
        assertTrue(report.loadMillis() > 0);
        assertEquals(2_623_744, report.model().parameters());
    }

    @Test
    void benchMeasuresWhatWasAskedFor() {
        List<Progress.Event> events = new ArrayList<>();
        Bench.Report report = Bench.run(Bench.Request.defaults().withContextOptions(Tiny.CONTEXT).withRepetitions(3)
                .withTests(List.of(new Bench.Test(64, 0), new Bench.Test(0, 8), new Bench.Test(16, 4))), events::add, Cancel.NONE);
        assertEquals(List.of("pp64", "tg8", "pp16+tg4"), report.results().stream().map(r -> r.test().name()).toList());
        for (Bench.Result result : report.results()) {
            assertEquals(3, result.samples().size());
            assertTrue(result.mean() > 0 && result.deviation() >= 0);
        }
        assertEquals(1, report.threads());
        assertEquals(List.of("CPU"), report.devices());
        assertTrue(report.firstTokenMillis() > 0 && report.loadMillis() > 0);
        assertEquals(9, events.stream().filter(e -> e.phase().equals("bench")).count());
    }

    @Test
    void benchCanBeCancelled() {
        Cancel cancel = new Cancel();
        assertThrows(CancelledException.class, () -> Bench.run(Bench.Request.defaults().withContextOptions(Tiny.CONTEXT),
                event -> {
                    if (event.phase().equals("bench")) {
                        cancel.request();
                    }
                }, cancel));
    }

    @Test
    void doctorFindsThisMachineWell() {
        Doctor.Report report = Doctor.run(Progress.NONE, Cancel.NONE);
        assertTrue(report.ok(), report.toString());
        assertEquals("generate", report.findings().getLast().name());
    }

    @Test
    void devicesHaveAtLeastTheCpu() {
        assertTrue(Devices.list().stream().anyMatch(d -> d.type() == Device.Type.CPU && d.totalBytes() > 0));
        assertFalse(Devices.skipped() == null);
    }

    @Test
    void aSplitModelIsLoadedByItsFirstPart() throws IOException {
        Path first = TestFiles.split(EmbeddedModel.path(), folder.resolve("tiny"));
        try (Model model = Model.load(first, Tiny.options()); Session session = model.session(Tiny.CONTEXT)) {
            assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
        Files.delete(folder.resolve("tiny-00003-of-00003.gguf"));
        InvalidFileException e = assertThrows(InvalidFileException.class, () -> Model.load(first, Tiny.options()));
        assertTrue(e.getMessage().contains("tiny-00003-of-00003.gguf"), e.getMessage());
    }

    @Test
    void everyLoadModeGivesTheSame() {
        for (LoadMode mode : List.of(LoadMode.AUTO, LoadMode.READ, LoadMode.MMAP)) {
            try (Model model = Model.load(EmbeddedModel.path(), Tiny.options().withLoadMode(mode).withCheckTensors(true));
                    Session session = model.session(Tiny.CONTEXT)) {
                assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text(), mode.name());
            }
        }
    }

    @Test
    void cacheTypesAndFlashAttentionGiveAnAnswer() {
        try (Model model = Tiny.load()) {
            for (CacheType type : List.of(CacheType.F32, CacheType.F16, CacheType.BF16, CacheType.Q8_0)) {
                ContextOptions options = Tiny.CONTEXT.withCache(KvCache.defaults().withTypes(type, type))
                        .withFlashAttention(FlashAttention.ON);
                try (Session session = model.session(options)) {
                    assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text(), type.name());
                }
            }
        }
    }
}
