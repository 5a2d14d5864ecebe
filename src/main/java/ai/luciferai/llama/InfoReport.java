package ai.luciferai.llama;

import ai.luciferai.llama.gguf.GgufFile;
import java.nio.ByteOrder;
import java.util.List;

/**
 * What a GGUF file holds. Texts that the file does not have are empty.
 *
 * @param options      what was asked
 * @param format       version, byte order, alignment, parts
 * @param architecture the model's family: "llama"
 * @param name         the model's name
 * @param parameters   number of weights
 * @param fileType     what most tensors are stored as, as llama.cpp prints it: "Q4_K - Medium"; "(guessed) …" when the file does not say
 * @param bytes        size of all parts
 * @param tensorBytes  size of all tensors without padding
 * @param tensors      the tensor table in the file's order
 * @param metadata     all pairs in the file's order
 * @param chatTemplate Jinja source
 * @param problem      why it cannot be loaded as a model, or empty; an adapter is no model
 */
public record InfoReport(InfoOptions options, Format format, String architecture, String name, long parameters, String fileType,
        long bytes, long tensorBytes, List<Tensor> tensors, List<Pair> metadata, String chatTemplate, String problem) {

    /** Texts inside arrays are cut at this length. */
    static final int MAX_TEXT_BYTES = 256;

    /** Takes own copies of the lists. */
    public InfoReport {
        tensors = List.copyOf(tensors);
        metadata = List.copyOf(metadata);
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
