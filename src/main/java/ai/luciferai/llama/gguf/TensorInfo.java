package ai.luciferai.llama.gguf;

import java.util.List;
import java.util.stream.Collectors;

/**
 * One row of the tensor table. <i>Shape</i> in GGUF order: {@code ne[0]} is innermost, a row.
 *
 * @param name   name, at most 63 bytes of UTF-8
 * @param type   type of the elements
 * @param shape  1 to 4 sizes, innermost first (a scalar has none)
 * @param offset bytes from the start of the data section of its part; a multiple of the alignment
 * @param part   which part of a split file holds it, from 0
 */
public record TensorInfo(String name, GgmlType type, List<Long> shape, long offset, int part) {

    /** Most bytes of a name: GGML_MAX_NAME without the terminator. */
    public static final int MAX_NAME_BYTES = 63;

    /** Most dimensions: GGML_MAX_DIMS. */
    public static final int MAX_DIMENSIONS = 4;

    /** Takes an own copy of the shape. */
    public TensorInfo {
        shape = List.copyOf(shape);
    }

    /** A tensor whose place is not known yet, as a writer takes it. */
    public static TensorInfo of(String name, GgmlType type, long... shape) {
        return new TensorInfo(name, type, java.util.Arrays.stream(shape).boxed().toList(), 0, 0);
    }

    /** Size of dimension {@code i}; 1 for those that are not given, as in ggml. */
    public long ne(int i) {
        return i < shape.size() ? shape.get(i) : 1;
    }

    /** Elements in all (a scalar has one). */
    public long elements() {
        long product = 1;
        for (long size : shape) {
            product = Math.multiplyExact(product, size);
        }
        return product;
    }

    /** Bytes of the data, without padding. */
    public long bytes() {
        return type.bytes(elements());
    }

    /** The shape for people: "[288, 1024]", innermost first. */
    public String shapeText() {
        return shape.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
    }
}
