package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How strongly the columns of a model's weights are used: for each weight, the sums of squares of its inputs, and their number.
 * Several of them add up to one.
 *
 * <p><i>Threads</i>: one at a time.
 *
 * <p><i>Source</i>: IMatrixCollector::load_imatrix and save_imatrix of llama.cpp v0.5.0, tools/imatrix/imatrix.cpp; a file written here
 * is equal to theirs byte for byte.
 */
public final class ImportanceMatrix {

    static final String SUMS = ".in_sum2";
    static final String COUNTS = ".counts";
    private static final String DATASETS = "imatrix.datasets";
    private static final String CHUNK_COUNT = "imatrix.chunk_count";
    private static final String CHUNK_SIZE = "imatrix.chunk_size";
    static final String HOW = "lucifer-llama imatrix MODEL -f TEXT makes one";

    /**
     * One weight. The arrays are not copied.
     *
     * @param sums   of squares, a column each; one matrix after the other
     * @param counts of inputs: one number, or one for each expert
     */
    public record Entry(float[] sums, long[] counts) {

        /** Experts that no input has reached: their importance is not known. */
        public int unused() {
            int unused = 0;
            for (long count : counts) {
                unused += count == 0 ? 1 : 0;
            }
            return unused;
        }
    }

    private final int chunkSize;
    private final SortedMap<String, Entry> entries = new TreeMap<>();
    private final List<String> datasets = new ArrayList<>();

    /**
     * An empty one.
     *
     * @param chunkSize tokens of a chunk of text: the unit in which files tell how much went into them
     */
    public ImportanceMatrix(int chunkSize) {
        this.chunkSize = chunkSize;
    }

    /**
     * Reads a file of either of llama.cpp's formats.
     *
     * @param chunkSize for the older one, which counts in chunks
     * @throws InvalidFileException when it is none
     */
    public static ImportanceMatrix read(Path path, int chunkSize) throws IOException {
        var matrix = new ImportanceMatrix(chunkSize);
        matrix.add(path);
        return matrix;
    }

    /**
     * Adds what a file holds.
     *
     * @throws InvalidFileException when it is no importance matrix, or one of another model
     */
    public void add(Path path) throws IOException {
        requireOne(path);
        if (LegacyImatrix.isLegacy(path)) {
            LegacyImatrix.read(path, this);
        } else {
            try (GgufFile file = GgufReader.read(path)) {
                add(file);
            }
        }
    }

    /**
     * Looks at the header only: whether all of it is sound is seen when it is read.
     *
     * @throws InvalidFileException when a file is something else; says what
     */
    public static void requireOne(Path path) throws IOException {
        if (LegacyImatrix.isLegacy(path)) {
            LegacyImatrix.requireOne(path);
            return;
        }
        try (GgufFile file = GgufReader.read(path)) {
            if (file.tensors().stream().noneMatch(tensor -> tensor.name().endsWith(SUMS))) {
                Metadata metadata = file.metadata();
                String type = metadata.has("general.type") ? metadata.string("general.type") : metadata.has(Metadata.ARCHITECTURE) ? "model" : "";
                throw new InvalidFileException(path, "file", "an importance matrix", type.isEmpty() ? "a GGUF file without sums of activations"
                        : "a GGUF file of type " + type, HOW);
            }
        }
    }

    private void add(GgufFile file) {
        for (TensorInfo sums : file.tensors()) {
            String name = sums.name();
            if (name.endsWith(SUMS)) {
                String weight = name.substring(0, name.length() - SUMS.length());
                TensorInfo counts = file.tensor(weight + COUNTS).orElseThrow(() -> new InvalidFileException(file.path(),
                        "tensor '" + name + "'", "a tensor '" + weight + COUNTS + "' beside it", "none"));
                addRaw(file.path(), weight, floats(file, sums), whole(floats(file, counts)));
            } else if (!name.endsWith(COUNTS) || file.tensor(name.replace(COUNTS, SUMS)).isEmpty()) {
                throw new InvalidFileException(file.path(), "tensor '" + name + "'", "sums or counts of an importance matrix",
                        "another tensor");
            }
        }
        if (file.metadata().has(DATASETS)) {
            datasets.addAll(file.metadata().strings(DATASETS).strings());
        }
    }

    private static float[] floats(GgufFile file, TensorInfo tensor) {
        if (tensor.type() != GgmlType.F32 || tensor.bytes() > Integer.MAX_VALUE) {
            throw new InvalidFileException(file.path(), "tensor '" + tensor.name() + "'", "at most 2 GiB of type f32",
                    tensor.bytes() + " bytes of type " + tensor.type().label());
        }
        float[] values = new float[(int) tensor.elements()];
        file.data(tensor).asByteBuffer().order(file.byteOrder()).asFloatBuffer().get(values);
        return values;
    }

    private static long[] whole(float[] counts) {
        var whole = new long[counts.length];
        for (int i = 0; i < counts.length; i++) {
            whole[i] = Math.round((double) counts[i]);
        }
        return whole;
    }

    /** Adds sums and counts as they are. */
    void addRaw(Path path, String weight, float[] sums, long[] counts) {
        requireSound(path, weight, sums, counts);
        Entry old = entries.get(weight);
        if (old == null) {
            entries.put(weight, new Entry(sums, counts));
            return;
        }
        // A dense tensor has one count, in older files one for each of its matrices.
        long[] known = old.counts.length == 1 && counts.length > 1 ? repeated(old.counts[0], counts.length) : old.counts;
        if (old.sums.length != sums.length || known.length != counts.length) {
            throw new InvalidFileException(path, "tensor '" + weight + "'", "%d sums and %d counts as in the file before"
                    .formatted(old.sums.length, old.counts.length), sums.length + " and " + counts.length);
        }
        for (int i = 0; i < sums.length; i++) {
            old.sums[i] += sums[i];
        }
        for (int i = 0; i < counts.length; i++) {
            known[i] += counts[i];
        }
        entries.put(weight, new Entry(old.sums, known));
    }

    /** Adds the means times a number of chunks, and this number. */
    void addChunks(Path path, String weight, float[] sums, int chunks) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] *= chunkSize;
        }
        Entry old = entries.get(weight);
        int counts = old == null ? 1 : old.counts.length;
        addRaw(path, weight, sums, repeated((long) chunks * chunkSize, counts));
    }

    void addDataset(String name) {
        datasets.add(name);
    }

    private static void requireSound(Path path, String weight, float[] sums, long[] counts) {
        if (sums.length == 0 || counts.length == 0 || sums.length % counts.length != 0) {
            throw new InvalidFileException(path, "tensor '" + weight + "'", "sums for each count",
                    sums.length + " sums and " + counts.length + " counts");
        }
        for (float sum : sums) {
            if (!Float.isFinite(sum) || sum < 0) {
                throw new InvalidFileException(path, "tensor '" + weight + "'", "sums that are finite and not negative",
                        Float.toString(sum));
            }
        }
        for (long count : counts) {
            if (count < 0) {
                throw new InvalidFileException(path, "tensor '" + weight + "'", "counts that are not negative", Long.toString(count));
            }
        }
    }

    private static long[] repeated(long value, int n) {
        var values = new long[n];
        java.util.Arrays.fill(values, value);
        return values;
    }

    /** Sets an entry. */
    public void put(String weight, Entry entry) {
        entries.put(weight, entry);
    }

    /** The entries by the weight's name. */
    public SortedMap<String, Entry> entries() {
        return Collections.unmodifiableSortedMap(entries);
    }

    /** Texts that went into it, as their file names were given. */
    public List<String> datasets() {
        return Collections.unmodifiableList(datasets);
    }

    /** Tokens of a chunk. */
    public int chunkSize() {
        return chunkSize;
    }

    /** Chunks of text that went into it. */
    public long chunks() {
        long most = 0;
        for (Entry entry : entries.values()) {
            for (long count : entry.counts) {
                most = Math.max(most, count);
            }
        }
        return most / chunkSize;
    }

    /**
     * Writes it as GGUF; the caller commits the file.
     *
     * @param text the text collected on, to be named as the last dataset; null: none
     */
    public void write(AtomicFile out, String text) throws IOException {
        var names = new ArrayList<>(datasets);
        if (text != null) {
            names.add(text);
        }
        Metadata metadata = Metadata.builder().string("general.type", "imatrix").array(DATASETS, GgufArray.ofStrings(names))
                .uint32(CHUNK_COUNT, chunks()).uint32(CHUNK_SIZE, chunkSize).build();
        var tensors = new ArrayList<TensorInfo>();
        entries.forEach((weight, entry) -> {
            int matrices = entry.counts.length;
            tensors.add(info(weight + SUMS, entry.sums.length / matrices, matrices));
            tensors.add(info(weight + COUNTS, 1, matrices));
        });
        var writer = new GgufWriter(out.channel(), metadata, tensors);
        for (var entry : entries.entrySet()) {
            writer.write(entry.getKey() + SUMS, 0, bytes(entry.getValue().sums));
            writer.write(entry.getKey() + COUNTS, 0, bytes(floats(entry.getValue().counts)));
        }
        writer.finish();
    }

    /** ggml does not count trailing dimensions of 1. */
    private static TensorInfo info(String name, long columns, long matrices) {
        return matrices == 1 ? TensorInfo.of(name, GgmlType.F32, columns) : TensorInfo.of(name, GgmlType.F32, columns, matrices);
    }

    private static float[] floats(long[] counts) {
        var floats = new float[counts.length];
        for (int i = 0; i < counts.length; i++) {
            floats[i] = counts[i];
        }
        return floats;
    }

    private static MemorySegment bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return MemorySegment.ofBuffer(bytes);
    }
}
