package ai.luciferai.llama.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BusyException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ClosedException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.NativeCallException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** What happens to handles that are closed twice, too early, too late, by another thread or never. */
class LifetimeIT {

    @Test
    void closingTwiceDoesNothing() {
        ModelHandle model = TinyModel.load();
        ContextHandle context = TinyModel.context(model);
        context.close();
        context.close();
        model.close();
        model.close();
        assertTrue(model.isClosed());
    }

    @Test
    void useAfterCloseIsRefused() {
        ModelHandle model = TinyModel.load();
        ContextHandle context = TinyModel.context(model);
        SamplerHandle sampler = TinyModel.greedy(model);
        TinyModel.fill(context, 4);
        context.decode(Cancel.NONE);
        context.close();
        var fault = assertThrows(ClosedException.class, () -> context.decode(Cancel.NONE));
        assertEquals("context #1 of lucifer-tiny-f16.gguf", fault.what());
        assertThrows(ClosedException.class, () -> context.batch().clear().add(1, 0, 0, true));
        assertThrows(ClosedException.class, () -> sampler.sample(context, -1));
        sampler.close();
        assertThrows(ClosedException.class, () -> sampler.accept(1));
        model.close();
        assertThrows(ClosedException.class, () -> model.tokenize("ls", true, true, Cancel.NONE));
        assertThrows(ClosedException.class, () -> TinyModel.context(model));
        assertThrows(ClosedException.class, () -> AdapterHandle.load(model, TinyModel.ADAPTER));
    }

    @Test
    void closingModelClosesItsChildren() {
        ModelHandle model = TinyModel.load();
        ContextHandle context = TinyModel.context(model);
        SamplerHandle sampler = TinyModel.greedy(model);
        AdapterHandle adapter = AdapterHandle.load(model, TinyModel.ADAPTER);
        context.setAdapters(List.of(adapter), new float[] {1});
        model.close();
        assertTrue(context.isClosed() && sampler.isClosed() && adapter.isClosed());
    }

    @Test
    void adapterInUseCannotBeClosed() {
        try (ModelHandle model = TinyModel.load(); ContextHandle context = TinyModel.context(model)) {
            AdapterHandle adapter = AdapterHandle.load(model, TinyModel.ADAPTER);
            context.setAdapters(List.of(adapter), new float[] {1});
            var fault = assertThrows(BusyException.class, adapter::close);
            assertTrue(fault.getMessage().contains("context #1"), fault.getMessage());
            TinyModel.fill(context, 4);
            context.decode(Cancel.NONE);
            context.setAdapters(List.of(), new float[0]);
            adapter.close();
            assertTrue(adapter.isClosed());
        }
    }

    @Test
    void failedFactoryLeavesNothingBehind() {
        try (ModelHandle model = TinyModel.load()) {
            ContextParams params = ContextParams.defaults();
            params.nSeqMax = -1;
            assertThrows(InvalidOptionException.class, () -> ContextHandle.init(model, params));
            SamplerParams sampling = SamplerParams.defaults(model);
            sampling.grammar = "root ::= (";
            assertThrows(InvalidOptionException.class, () -> SamplerHandle.init(model, sampling, Cancel.NONE));
        }
    }

    @Test
    void closeAndUseByAnotherThreadAreRefusedDuringCall() throws Exception {
        try (ModelHandle model = TinyModel.load(); ContextHandle context = TinyModel.context(model);
                var other = Executors.newSingleThreadExecutor()) {
            other.submit(() -> context.claim("decode")).get();
            var fault = assertThrows(BusyException.class, context::close);
            assertTrue(fault.getMessage().contains("in use by decode on thread pool-"), fault.getMessage());
            assertThrows(BusyException.class, model::close);
            assertThrows(BusyException.class, () -> context.posMax(0));
            assertFalse(model.isClosed() || context.isClosed());
            other.submit(context::release).get();
            assertEquals(-1, context.posMax(0));
        }
    }

    /** A call that begins while the arena is closing must lose, not crash: the arena itself is the last line of defence. */
    @Test
    void readerOfModelRefusesOrSurvivesClose() throws Exception {
        for (int round = 0; round < 20; round++) {
            ModelHandle model = TinyModel.load();
            try (var other = Executors.newSingleThreadExecutor()) {
                Future<?> reader = other.submit(() -> {
                    for (int i = 0; i < 2_000; i++) {
                        model.tokenize("find every file that is larger than a megabyte", true, true, Cancel.NONE);
                    }
                });
                closeWhenPossible(model);
                try {
                    reader.get();
                } catch (ExecutionException e) {
                    assertInstanceOf(ClosedException.class, e.getCause());
                }
            }
        }
    }

    private static void closeWhenPossible(ModelHandle model) {
        while (!model.isClosed()) {
            try {
                model.close();
            } catch (BusyException aReaderIsInside) {
                Thread.onSpinWait();
            }
        }
    }

    /** Threads do anything to the same handles; only typed refusals may come of it. */
    @Test
    void racingThreadsSeeTypedRefusalsOnly() throws Exception {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        System.out.println("LifetimeIT: -Dtests.seed=" + seed);
        for (int round = 0; round < 20; round++) {
            ModelHandle model = TinyModel.load();
            ContextHandle context = TinyModel.context(model);
            SamplerHandle sampler = TinyModel.greedy(model);
            var work = new ArrayList<Callable<Void>>();
            for (int thread = 0; thread < 4; thread++) {
                var random = new Random(seed + 31L * round + thread);
                work.add(() -> race(random, model, context, sampler));
            }
            try (var threads = Executors.newFixedThreadPool(work.size())) {
                for (Future<Void> done : threads.invokeAll(work)) {
                    done.get();
                }
            }
            model.close();
        }
    }

    private static Void race(Random random, ModelHandle model, ContextHandle context, SamplerHandle sampler) {
        for (int i = 0; i < 60; i++) {
            try {
                act(random, model, context, sampler);
            } catch (BusyException | ClosedException expected) {
                // of the handle
            } catch (NativeCallException refused) {
                // of a batch that two threads have filled
            }
        }
        return null;
    }

    private static void act(Random random, ModelHandle model, ContextHandle context, SamplerHandle sampler) {
        switch (random.nextInt(random.nextInt(8) == 0 ? 9 : 6)) {
            case 0 -> {
                TinyModel.fill(context, 16);
                context.decode(Cancel.NONE);
            }
            case 1 -> model.tokenize("list all files " + random.nextInt(), true, true, Cancel.NONE);
            case 2 -> context.posMax(0);
            case 3 -> context.clear();
            case 4 -> model.piece(random.nextInt(1000), true);
            case 5 -> TinyModel.greedy(model).close();
            case 6 -> sampler.close();
            case 7 -> context.close();
            default -> {
                if (random.nextInt(4) == 0) {
                    model.close();
                }
            }
        }
    }

    /** What a handle that is never closed costs is memory; what the report costs is a property. */
    @Test
    void forgottenHandleIsReported() throws Exception {
        var result = ForkedJvm.run(Forgetful.class, List.of("-Dai.luciferai.llama.leaks=true"));
        assertEquals(0, result.exit(), result.err());
        assertTrue(result.err().contains("lucifer-tiny-f16.gguf was never closed"), result.err());
        assertTrue(result.err().contains(Forgetful.class.getName() + ".forget"), "no opening site in: " + result.err());
    }

    /** Drops a model without closing it. */
    static final class Forgetful {

        public static void main(String[] args) throws InterruptedException {
            forget();
            for (int i = 0; i < 20; i++) {
                System.gc();
                Thread.sleep(50);
            }
        }

        private static void forget() {
            TinyModel.load();
        }
    }

    /** {@code exit()} under a computing thread used to be a crash in a destructor of ggml. */
    @Test
    void exitDuringDecodeKeepsItsExitCode() throws Exception {
        for (int i = 0; i < 3; i++) {
            var result = ForkedJvm.run(ExitWhileDecoding.class, List.of());
            assertEquals(7, result.exit(), result.out() + result.err());
        }
    }

    /** Leaves while another thread computes. */
    static final class ExitWhileDecoding {

        public static void main(String[] args) throws InterruptedException {
            ContextHandle context = TinyModel.context(TinyModel.load());
            Thread.ofPlatform().daemon().start(() -> {
                while (true) {
                    context.clear();
                    TinyModel.fill(context, 256);
                    context.decode(Cancel.NONE);
                }
            });
            Thread.sleep(200);
            System.exit(7);
        }
    }

    /** The cheap version of the README's thousand cycles. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void cyclesOfLoadAndCloseDoNotGrowMemory() throws IOException {
        for (int i = 0; i < 30; i++) {
            cycle();
        }
        long before = residentKilobytes();
        for (int i = 0; i < 100; i++) {
            cycle();
        }
        long growth = residentKilobytes() - before;
        // One leaked context of 512 tokens alone would be more than 100 MB here; the heap and malloc's arenas breathe by a few.
        assertTrue(growth < 16 * 1024, "100 cycles grew the process by " + growth + " kB");
    }

    private static void cycle() {
        try (ModelHandle model = TinyModel.load(); ContextHandle context = TinyModel.context(model);
                SamplerHandle sampler = TinyModel.greedy(model)) {
            TinyModel.fill(context, 8);
            context.decode(Cancel.NONE);
            sampler.sample(context, -1);
        }
    }

    private static long residentKilobytes() throws IOException {
        System.gc();
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElseThrow();
    }
}
