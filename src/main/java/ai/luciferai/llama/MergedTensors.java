package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.ffi.TensorData;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.TensorInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;

/**
 * Compares the tensors of a merged file, as they stand in it, with what they should be: those that no adapter changes with the base, byte
 * by byte, the others element by element with {@code W + scale * alpha / rank * B A}, computed anew in doubles.
 *
 * <p>How near is near enough follows from the type. The file is written with floats x' that differ from the exact x by at most d, and
 * ggml rounds x' to the nearest number of the type; so |stored - x| <= |rounded(x) - x| + 2 d, where rounded(x) is what ggml makes of the
 * exact value. Types in blocks round to a grid that the whole block decides, and that d may tip: there twice the block's largest
 * |rounded(x) - x| is allowed. That is wide: a factor that is off by a hundredth stays within it. But d is so small that few grids tip, and
 * all other blocks must be those that ggml makes of the exact values, byte by byte.
 *
 * <p>Memory: the pairs of one matrix, and one block of rows for each thread.
 */
final class MergedTensors {

    /** Elements in a block of rows. */
    private static final long BLOCK = 1L << 18;

    /** Bytes compared at once. */
    private static final long CHUNK = 1L << 26;

    /** Half a unit in the last place of a float, relative. */
    private static final double ROUNDING = 0x1p-24;

    /** Roundings of a float on the way beside those of the sum over the rank: the factor's three, its product, the last sum, and x itself. */
    private static final int ROUNDINGS = 6;

    /** How many times its largest rounding a block may be off, whose grid d may have tipped. */
    private static final int TIPPED = 2;

    /** Of the blocks of a tensor so many may have tipped: measured are at most 6 % (Q5_K), and 96 % where a factor is off by a hundredth. */
    private static final double TIPPED_SHARE = 0.25;
    private static final int TIPPED_LEAST = 2;

    private final ExportLoraOptions options;
    private final GgufFile base;
    private final List<GgufFile> adapters;
    private final GgufFile merged;
    private final Progress progress;
    private final Cancel cancel;
    private long done;

    MergedTensors(ExportLoraOptions options, GgufFile base, List<GgufFile> adapters, GgufFile merged, Progress progress, Cancel cancel) {
        this.options = options;
        this.base = base;
        this.adapters = adapters;
        this.merged = merged;
        this.progress = Progress.guarded(progress);
        this.cancel = cancel;
    }

    /**
     * Compares all tensors; how many were.
     *
     * @throws InvalidFileException when one is not what it should be
     */
    int check() {
        for (TensorInfo from : base.tensors()) {
            TensorInfo to = merged.tensor(from.name()).orElseThrow(() -> wrong(from.name(), "a tensor", "none"));
            List<Pair> pairs = pairs(from.name());
            if (pairs.isEmpty()) {
                requireCopied(from, to);
            } else {
                requireMerged(from, to, pairs);
            }
        }
        return base.tensors().size();
    }

    // --- what is copied ------------------------------------------------------------------------------------------------

    private void requireCopied(TensorInfo from, TensorInfo to) {
        MemorySegment expected = base.data(from);
        MemorySegment got = merged.data(to);
        for (long at = 0; at < expected.byteSize(); at += CHUNK) {
            long size = Math.min(CHUNK, expected.byteSize() - at);
            long mismatch = got.byteSize() < at + size ? 0 : expected.asSlice(at, size).mismatch(got.asSlice(at, size));
            if (mismatch >= 0) {
                throw wrong(from.name(), "the base's bytes", "others, from byte " + (at + mismatch));
            }
            advance(size);
        }
    }

    private void advance(long bytes) {
        cancel.check("verifying " + options.output());
        synchronized (this) {
            done += bytes;
            progress.update(new Progress.Event("verify", Math.min(done, merged.bytes()), merged.bytes(), "bytes"));
        }
    }

    // --- what is merged ------------------------------------------------------------------------------------------------

    /** A pair of one adapter: A [n_in, rank] and B [rank, n_out], or the other way round where rows are looked up. */
    private record Pair(GgufFile file, TensorInfo a, TensorInfo b, boolean lookup, double factor) {}

    private List<Pair> pairs(String name) {
        var pairs = new ArrayList<Pair>();
        for (int i = 0; i < adapters.size(); i++) {
            GgufFile file = adapters.get(i);
            double scale = options.adapters().get(i).scale();
            double alpha = file.metadata().number("adapter.lora.alpha", 0);
            file.tensor(name + LoraMerge.A).ifPresent(a -> {
                TensorInfo b = file.tensor(name + LoraMerge.B).orElseThrow();
                pairs.add(new Pair(file, a, b, name.endsWith("token_embd.weight"), alpha == 0 ? scale : scale * alpha / b.ne(0)));
            });
        }
        return pairs;
    }

    private void requireMerged(TensorInfo from, TensorInfo to, List<Pair> pairs) {
        var tipped = new AtomicLong();
        long rows = from.ne(1);
        long perBlock = Math.clamp(BLOCK / from.ne(0), 1, rows);
        for (long slice = 0; slice < from.ne(2) * from.ne(3); slice++) {
            long first = slice * rows;
            List<Product> products = products(pairs, slice);
            LongStream.range(0, (rows + perBlock - 1) / perBlock).parallel().forEach(block -> {
                long row = block * perBlock;
                tipped.addAndGet(requireRows(from, to, products, first, (int) row, (int) Math.min(perBlock, rows - row)));
            });
        }
        long blocks = to.elements() / to.type().blockElements();
        if (tipped.get() > TIPPED_LEAST + TIPPED_SHARE * blocks) {
            throw wrong(to.name(), "the bytes of the exact values in all but a few of " + blocks + " blocks", "other bytes in " + tipped.get());
        }
    }

    private static List<Product> products(List<Pair> pairs, long slice) {
        return pairs.stream().map(pair -> {
            int rank = Math.toIntExact(pair.b().ne(0));
            float[] a = LoraMerge.floats(pair.file(), pair.a(), slice);
            float[] b = LoraMerge.floats(pair.file(), pair.b(), slice);
            // the columns of a table that is looked up are B's rows
            return pair.lookup() ? new Product(columns(b, rank), a, rank, pair.factor()) : new Product(rows(a, rank), b, rank, pair.factor());
        }).toList();
    }

    private static float[][] rows(float[] a, int rank) {
        int width = a.length / rank;
        float[][] result = new float[rank][];
        for (int k = 0; k < rank; k++) {
            result[k] = Arrays.copyOfRange(a, k * width, (k + 1) * width);
        }
        return result;
    }

    private static float[][] columns(float[] b, int rank) {
        float[][] result = new float[rank][b.length / rank];
        for (int i = 0; i < b.length; i++) {
            result[i % rank][i / rank] = b[i];
        }
        return result;
    }

    /** {@code factor * out right}: {@code right} has a row of n_in elements for each k, {@code out} has rank elements for each row. */
    private record Product(float[][] right, float[] out, int rank, double factor) {

        void add(int row, double[] sum) {
            for (int k = 0; k < rank; k++) {
                double weight = factor * out[row * rank + k];
                float[] values = right[k];
                for (int i = 0; i < sum.length; i++) {
                    sum[i] += weight * values[i];
                }
            }
        }

        /** Most that the floats of a merge can be off in this row: each of its sums has rank + 6 roundings of numbers up to this size. */
        double slack(int row, double[] largest) {
            double size = 0;
            for (int k = 0; k < rank; k++) {
                size += Math.abs(factor * out[row * rank + k]) * largest[k];
            }
            return (rank + ROUNDINGS) * ROUNDING * size;
        }

        double[] largest() {
            double[] result = new double[rank];
            for (int k = 0; k < rank; k++) {
                for (float value : right[k]) {
                    result[k] = Math.max(result[k], Math.abs(value));
                }
            }
            return result;
        }
    }

    /** Compares some rows; how many of their blocks are not those of the exact values. */
    private long requireRows(TensorInfo from, TensorInfo to, List<Product> products, long first, int row, int count) {
        int width = Math.toIntExact(from.ne(0));
        try (Arena arena = Arena.ofConfined()) {
            float[] floats = read(arena, base, from, first + row, count);
            float[] stored = read(arena, merged, to, first + row, count);
            double[] exact = new double[count * width];
            double[] slack = new double[count];
            exact(floats, products, row, exact, slack);
            MemorySegment expected = asType(arena, to.type(), exact, width);
            float[] rounded = floats(arena, to.type(), expected, exact.length);
            for (int i = 0; i < count; i++) {
                requireNear(to, first + row + i, Arrays.copyOfRange(exact, i * width, (i + 1) * width), stored, rounded,
                        i * width, slack[i]);
            }
            advance(expected.byteSize());
            long start = to.type().bytes((first + row) * width);
            return to.type().blockElements() == 1 ? 0
                    : otherBlocks(expected, merged.data(to).asSlice(start, expected.byteSize()), to.type().bytes(to.type().blockElements()));
        }
    }

    private static long otherBlocks(MemorySegment expected, MemorySegment got, long block) {
        long others = 0;
        for (long at = 0; at < expected.byteSize(); at += block) {
            others += MemorySegment.mismatch(expected, at, at + block, got, at, at + block) >= 0 ? 1 : 0;
        }
        return others;
    }

    private static float[] read(Arena arena, GgufFile file, TensorInfo tensor, long row, int count) {
        long bytes = tensor.type().bytes(tensor.ne(0));
        MemorySegment floats = arena.allocate(ValueLayout.JAVA_FLOAT, count * tensor.ne(0));
        TensorData.toFloats(tensor.type().id(), file.data(tensor).asSlice(row * bytes, count * bytes), floats);
        return floats.toArray(ValueLayout.JAVA_FLOAT);
    }

    private static void exact(float[] base, List<Product> products, int row, double[] exact, double[] slack) {
        int width = exact.length / slack.length;
        List<double[]> largest = products.stream().map(Product::largest).toList();
        double[] sum = new double[width];
        for (int i = 0; i < slack.length; i++) {
            double size = 0;
            for (int j = 0; j < width; j++) {
                sum[j] = base[i * width + j];
                size = Math.max(size, Math.abs(sum[j]));
            }
            for (int p = 0; p < products.size(); p++) {
                products.get(p).add(row + i, sum);
                slack[i] += products.get(p).slack(row + i, largest.get(p));
            }
            // the base's own element is rounded once more for each adapter that is added
            slack[i] += (products.size() + 1) * ROUNDING * size;
            System.arraycopy(sum, 0, exact, i * width, width);
        }
    }

    /** What ggml makes of the exact values. */
    private static MemorySegment asType(Arena arena, GgmlType type, double[] exact, int width) {
        MemorySegment floats = arena.allocate(ValueLayout.JAVA_FLOAT, exact.length);
        for (int i = 0; i < exact.length; i++) {
            floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) exact[i]);
        }
        MemorySegment data = arena.allocate(type.bytes(exact.length), Float.BYTES);
        TensorData.fromFloats(type.id(), floats, width, data);
        return data;
    }

    private static float[] floats(Arena arena, GgmlType type, MemorySegment data, int count) {
        MemorySegment floats = arena.allocate(ValueLayout.JAVA_FLOAT, count);
        TensorData.toFloats(type.id(), data, floats);
        return floats.toArray(ValueLayout.JAVA_FLOAT);
    }

    /** Compares a row, which starts at {@code at} of what is stored and rounded. */
    private void requireNear(TensorInfo to, long row, double[] exact, float[] stored, float[] rounded, int at, double slack) {
        int block = to.type().blockElements();
        for (int start = 0; start < exact.length; start += block) {
            double largest = 0;
            for (int i = start; i < start + block; i++) {
                largest = Math.max(largest, Math.abs(rounded[at + i] - exact[i]));
            }
            double allowed = (block > 1 ? TIPPED : 1) * largest + 2 * slack;
            for (int i = start; i < start + block; i++) {
                // what is no number is not within any bounds
                if (!(Math.abs(stored[at + i] - exact[i]) <= allowed)) {
                    throw wrong(to.name(), "%s +- %.2g at element %d of row %d".formatted(exact[i], allowed, i, row),
                            Float.toString(stored[at + i]));
                }
            }
        }
    }

    private InvalidFileException wrong(String tensor, String expected, String got) {
        return new InvalidFileException(options.output(), "merged tensor '" + tensor + "', read again", expected, got,
                "what was written is not what was computed: is the disk sound? --no-verify leaves the file all the same");
    }
}
