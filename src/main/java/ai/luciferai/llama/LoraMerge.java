package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.ffi.TensorData;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufWriter;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Writes the tensors of a merged model: one after the other, in blocks of rows, several blocks at once. Memory: the pairs of one
 * matrix, and one block for each thread.
 */
final class LoraMerge {

    static final String A = ".lora_a";
    static final String B = ".lora_b";

    /** Elements in a block of rows. */
    private static final long BLOCK = 1L << 20;

    /** Bytes copied at once. */
    private static final long CHUNK = 1L << 26;

    /** From here on rounding gives infinity: the largest half and half a unit more. */
    private static final float F16_LIMIT = 65520f;

    private final ExportLoraOptions options;
    private final GgufFile base;
    private final List<GgufFile> adapters;
    private final GgufWriter writer;
    private final Progress progress;
    private final Cancel cancel;
    private final long total;
    private long done;

    LoraMerge(ExportLoraOptions options, GgufFile base, List<GgufFile> adapters, GgufWriter writer, Progress progress, Cancel cancel) {
        this.options = options;
        this.base = base;
        this.adapters = adapters;
        this.writer = writer;
        this.progress = Progress.guarded(progress);
        this.cancel = cancel;
        this.total = writer.tensors().stream().mapToLong(TensorInfo::bytes).sum();
    }

    /** Writes all tensors; returns how many were merged. */
    int run() throws IOException {
        int merged = 0;
        try {
            for (TensorInfo to : writer.tensors()) {
                TensorInfo from = base.tensor(to.name()).orElseThrow();
                if (adapters.stream().anyMatch(adapter -> adapter.tensor(to.name() + A).isPresent())) {
                    merge(from, to);
                    merged++;
                } else {
                    copy(from);
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return merged;
    }

    private void copy(TensorInfo tensor) throws IOException {
        MemorySegment data = base.data(tensor);
        for (long at = 0; at < data.byteSize(); at += CHUNK) {
            write(tensor, at, data.asSlice(at, Math.min(CHUNK, data.byteSize() - at)));
        }
    }

    private void write(TensorInfo tensor, long at, MemorySegment data) throws IOException {
        cancel.check("merge into " + options.base());
        writer.write(tensor.name(), at, data);
        synchronized (this) {
            done += data.byteSize();
            progress.update(new Progress.Event("merge", done, total, "bytes"));
        }
    }

    private void merge(TensorInfo from, TensorInfo to) {
        long rows = from.ne(1);
        long perBlock = Math.clamp(BLOCK / from.ne(0), 1, rows);
        // Experts: a matrix for each.
        for (long slice = 0; slice < from.ne(2) * from.ne(3); slice++) {
            long first = slice * rows;
            List<LoraDelta> deltas = deltas(from, slice);
            LongStream.range(0, (rows + perBlock - 1) / perBlock).parallel().forEach(block -> {
                long row = block * perBlock;
                rows(from, to, deltas, first, (int) row, (int) Math.min(perBlock, rows - row));
            });
        }
    }

    private List<LoraDelta> deltas(TensorInfo weight, long slice) {
        var deltas = new ArrayList<LoraDelta>();
        for (int i = 0; i < adapters.size(); i++) {
            GgufFile adapter = adapters.get(i);
            if (adapter.tensor(weight.name() + A).isPresent()) {
                TensorInfo b = adapter.tensor(weight.name() + B).orElseThrow();
                int rank = Math.toIntExact(b.ne(0));
                float[] first = factor(adapter, adapter.tensor(weight.name() + A).orElseThrow(), slice);
                float[] second = factor(adapter, b, slice);
                // The rows of the token embedding are looked up: A is [rank, n_vocab] and B [rank, n_embd].
                boolean lookup = weight.name().endsWith("token_embd.weight");
                float factor = LoraDelta.factor(options.adapters().get(i).scale(),
                        (float) adapter.metadata().number("adapter.lora.alpha", 0), rank);
                deltas.add(lookup ? new LoraDelta(LoraDelta.transposed(second, rank), first, rank, factor)
                        : new LoraDelta(first, second, rank, factor));
            }
        }
        return deltas;
    }

    private static float[] factor(GgufFile adapter, TensorInfo tensor, long slice) {
        float[] values = floats(adapter, tensor, slice);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new InvalidFileException(adapter.path(), "tensor '" + tensor.name() + "'", "finite numbers", values[i] + " at " + i,
                        "the adapter is damaged, or its training went astray");
            }
        }
        return values;
    }

    /** One matrix of a tensor as floats. */
    static float[] floats(GgufFile file, TensorInfo tensor, long slice) {
        long elements = tensor.ne(0) * tensor.ne(1);
        if (elements > Integer.MAX_VALUE - 8) {
            throw new UnsupportedModelException(file.path(), "tensor '" + tensor.name() + "'", "fewer than 2^31 elements",
                    tensor.shapeText());
        }
        long bytes = tensor.type().bytes(elements);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocate(ValueLayout.JAVA_FLOAT, elements);
            TensorData.toFloats(tensor.type().id(), file.data(tensor).asSlice(slice * bytes, bytes), floats);
            return floats.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** Merges {@code count} rows from {@code row} of the matrix that starts at row {@code first} of the tensor. */
    private void rows(TensorInfo from, TensorInfo to, List<LoraDelta> deltas, long first, int row, int count) {
        int nIn = Math.toIntExact(from.ne(0));
        long fromRow = from.type().bytes(nIn);
        long toRow = to.type().bytes(nIn);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocate(ValueLayout.JAVA_FLOAT, (long) count * nIn);
            TensorData.toFloats(from.type().id(), base.data(from).asSlice((first + row) * fromRow, count * fromRow), floats);
            float[] values = new float[nIn];
            float[] scratch = new float[nIn];
            for (int r = 0; r < count; r++) {
                long at = (long) r * nIn * Float.BYTES;
                MemorySegment.copy(floats, ValueLayout.JAVA_FLOAT, at, values, 0, nIn);
                for (LoraDelta delta : deltas) {
                    delta.add(row + r, values, scratch);
                }
                requireNumbers(to, values);
                MemorySegment.copy(values, 0, floats, ValueLayout.JAVA_FLOAT, at, nIn);
            }
            MemorySegment result = arena.allocate(count * toRow, Float.BYTES);
            TensorData.fromFloats(to.type().id(), floats, nIn, result);
            write(to, (first + row) * toRow, result);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void requireNumbers(TensorInfo to, float[] values) {
        float limit = to.type() == GgmlType.F16 ? F16_LIMIT : Float.POSITIVE_INFINITY;
        for (float value : values) {
            if (!(Math.abs(value) < limit)) {
                throw new UnsupportedModelException(base.path(), "tensor '" + to.name() + "' with its adapters",
                        "finite numbers that " + to.type().label() + " can hold", Float.toString(value),
                        "the scale may be too large");
            }
        }
    }
}
