package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.MappedFile;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufWriter;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Converts and writes the tensors of an output on all processors. The threads take pieces of a few megabytes in file order, so memory is
 * bounded by one such piece per thread, and by one tensor where its elements are computed rather than read.
 */
final class TensorWriter {

    /** Elements per piece: a multiple of every block size; half a megabyte of 16-bit numbers, which stays in the second cache. */
    private static final long PIECE = 1 << 18;
    private static final int MAX_THREADS = 16;
    /** Bytes of the largest element. */
    private static final int MAX_ELEMENT = 8;

    /**
     * A tensor and where it goes.
     *
     * @param writer the file
     * @param info   its row there
     */
    record Job(GgufWriter writer, TensorInfo info, Tensor tensor) {}

    private record Piece(Job job, Tensor tensor, long start, long count) {}

    private final Iterator<Job> jobs;
    private final List<MappedFile> inputs;
    private final Cancel cancel;
    private final AtomicLong done = new AtomicLong();
    private final AtomicReference<Throwable> fault = new AtomicReference<>();
    private final NotFinite notFinite = new NotFinite();
    private Job job;
    private Tensor tensor;
    private long at;

    private TensorWriter(List<Job> jobs, List<MappedFile> inputs, Cancel cancel) {
        this.inputs = inputs;
        this.jobs = jobs.iterator();
        this.cancel = cancel;
    }

    /** Writes all tensors; returns when they are written, with what of them is no number. */
    static NotFinite write(List<Job> jobs, List<MappedFile> inputs, Progress progress, Cancel cancel) throws IOException {
        long total = jobs.stream().mapToLong(job -> job.info().bytes()).sum();
        var writer = new TensorWriter(jobs, inputs, cancel);
        var threads = new ArrayList<Thread>();
        int count = Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors());
        for (int i = 0; i < count; i++) {
            threads.add(Thread.ofPlatform().daemon().name("convert-" + i).start(writer::work));
        }
        try {
            for (Thread thread : threads) {
                while (!thread.join(java.time.Duration.ofMillis(100))) {
                    progress.update(new Progress.Event("convert", writer.done.get(), total, "bytes"));
                }
            }
        } catch (InterruptedException stop) {
            writer.fault.compareAndSet(null, stop);
            Thread.currentThread().interrupt();
        } finally {
            join(threads);
        }
        cancel.check("convert");
        writer.rethrow();
        progress.update(new Progress.Event("convert", total, total, "bytes"));
        return writer.notFinite;
    }

    private static void join(List<Thread> threads) {
        boolean interrupted = Thread.interrupted();
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException again) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void rethrow() throws IOException {
        switch (fault.get()) {
            case null -> { }
            case IOException io -> throw io;
            case UncheckedIOException io -> throw io.getCause();
            case RuntimeException runtime -> throw runtime;
            case InterruptedException stop -> throw new ai.luciferai.llama.core.CancelledException("convert");
            case Error error -> throw error;
            case Throwable other -> throw new IllegalStateException(other);
        }
    }

    /** The next piece, or null when there is none or the work ends early. */
    private synchronized Piece next() {
        while (fault.get() == null && !cancel.requested()) {
            if (job != null && at < tensor.count()) {
                long count = Math.min(PIECE, tensor.count() - at);
                var piece = new Piece(job, tensor, at, count);
                at += count;
                return piece;
            }
            if (!jobs.hasNext()) {
                return null;
            }
            job = jobs.next();
            tensor = job.tensor().materialized();
            at = 0;
        }
        return null;
    }

    /** A piece whose elements lie together in a file, read from there into memory; else null. */
    private Tensor read(Piece piece, MemorySegment scratch) throws IOException {
        MemorySegment view = piece.tensor.packed() == null ? piece.tensor.together(piece.start, piece.count) : null;
        for (MappedFile input : inputs) {
            if (view != null && input.holds(view)) {
                input.read(view, scratch);
                return piece.tensor.range(scratch, piece.count);
            }
        }
        return null;
    }

    private void work() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(PIECE * 4, 64);
            var room = new TypeConverter.Room();
            var roomToLook = new NotFinite.Room();
            MemorySegment scratch = arena.allocate(PIECE * MAX_ELEMENT, 64);
            for (Piece piece = next(); piece != null; piece = next()) {
                var type = piece.job.info().type();
                MemorySegment bytes = buffer.asSlice(0, type.bytes(piece.count));
                Tensor copy = read(piece, scratch);
                Tensor from = copy != null ? copy : piece.tensor;
                long start = copy != null ? 0 : piece.start;
                new TypeConverter(from, type, room).convert(start, piece.count, bytes);
                notFinite.look(piece.job.info(), from, start, piece.count, bytes, roomToLook);
                piece.job.writer().write(piece.job.info().name(), type.bytes(piece.start), bytes);
                done.addAndGet(bytes.byteSize());
            }
        } catch (Throwable first) {
            fault.compareAndSet(null, first);
        }
    }
}
