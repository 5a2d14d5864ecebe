package ai.luciferai.llama;

import ai.luciferai.llama.gguf.GgufFile;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a GGUF file holds. Texts that the file does not have are empty.
 *
 * @param options      what was asked
 * @param contents     what kind of file it is
 * @param format       version, byte order, alignment, parts
 * @param architecture the model's family: "llama"
 * @param name         the model's name
 * @param parameters   number of weights
 * @param fileType     what most tensors are stored as, as llama.cpp prints it: "Q4_K - Medium"; "(guessed) …" when a model does not say
 * @param bytes        size of all parts
 * @param tensorBytes  size of all tensors without padding
 * @param tensors      the tensor table in the file's order
 * @param metadata     all pairs in the file's order
 * @param chatTemplate Jinja source
 * @param problem      why a model cannot be loaded, or empty
 * @param adapter      of an adapter
 * @param activations  of an importance matrix
 */
public record InfoReport(InfoOptions options, Contents contents, Format format, String architecture, String name, long parameters, String fileType,
        long bytes, long tensorBytes, List<Tensor> tensors, List<Pair> metadata, String chatTemplate, String problem,
        Optional<Adapter> adapter, Optional<Activations> activations) {

    /** Texts inside arrays are cut at this length. */
    static final int MAX_TEXT_BYTES = 256;

    /** Takes own copies of the lists. */
    public InfoReport {
        tensors = List.copyOf(tensors);
        metadata = List.copyOf(metadata);
    }

    /** Kinds of GGUF files. */
    public enum Contents {
        MODEL,
        /** A model's tokenizer and metadata without weights. */
        VOCABULARY,
        ADAPTER,
        /** What {@code imatrix} makes. */
        IMPORTANCE_MATRIX,
        /** What turns images or sound into a model's embeddings. */
        PROJECTOR
    }

    /**
     * What an adapter changes.
     *
     * @param type    "lora"
     * @param ranks   of its pairs, the smallest first; most adapters have one
     * @param alpha   llama.cpp multiplies with alpha / rank; empty: with 1
     * @param weights names of the weights, in the file's order
     * @param base    name of the model it was trained on, or empty
     */
    public record Adapter(String type, List<Long> ranks, OptionalDouble alpha, List<String> weights, String base) {

        public Adapter {
            ranks = List.copyOf(ranks);
            weights = List.copyOf(weights);
        }
    }

    /**
     * What an importance matrix was computed from.
     *
     * @param datasets  texts
     * @param chunks    pieces of them that were read
     * @param chunkSize tokens in each
     * @param tensors   weights whose activations it has
     */
    public record Activations(List<String> datasets, long chunks, long chunkSize, int tensors) {

        public Activations {
            datasets = List.copyOf(datasets);
        }
    }

    /**
     * How the file is written.
     *
     * @param version   2 or 3
     * @param byteOrder of metadata and tensors
     * @param alignment of tensors in bytes
     * @param parts     the files that make up the model
     */
    public record Format(int version, ByteOrder byteOrder, long alignment, List<GgufFile.Part> parts) {}

    /**
     * One tensor.
     *
     * @param name   its name
     * @param type   type of its elements: "q4_K"
     * @param shape  sizes, innermost first
     * @param bytes  size of its data
     * @param part   the part that holds it, from 0
     * @param offset where its data starts in that part's file
     */
    public record Tensor(String name, String type, List<Long> shape, long bytes, int part, long offset) {}

    /**
     * One metadata pair.
     *
     * @param key   the key
     * @param type  "u32", "str", "f32[32000]" for an array
     * @param value a number, Boolean, String, or the List of an array's first elements
     */
    public record Pair(String key, String type, Object value) {}

    /** Bits that a weight takes on average, scales included; NaN without weights. */
    public double bitsPerWeight() {
        return parameters == 0 ? Double.NaN : 8.0 * tensorBytes / parameters;
    }
}
