package ai.luciferai.llama.convert;

import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.hf.DType;
import ai.luciferai.llama.hf.StoredTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Supplier;

/**
 * A tensor on its way into the output: a recipe, not data. Reshaping, reordering, slicing, stacking and element-wise arithmetic only
 * change the recipe; elements are read when the file is written, block by block.
 *
 * <p><i>Shape</i>: PyTorch's order, outermost first. The elements are those of the pieces, one piece after the other, each in row-major
 * order of its dimensions.
 *
 * <p>Arithmetic happens in the element type that the reference converter uses: half precision for a tensor stored as F16, float for all
 * others. <i>Threads</i>: immutable.
 */
final class Tensor {

    /** Elements that exist only after some computing (dequantized weights): made when first needed, one tensor at a time. */
    interface Computed extends Supplier<MemorySegment> {}

    /**
     * A strided walk over a storage.
     *
     * @param type    element type in the storage
     * @param storage the elements; null when {@code source} makes them
     * @param source  makes the elements, or null
     * @param offset  first element
     */
    record Piece(DType type, MemorySegment storage, Computed source, long offset, long[] dims, long[] strides) {

        long count() {
            return product(dims);
        }

        MemorySegment data() {
            return storage != null ? storage : source.get();
        }
    }

    private final long[] shape;
    private final List<Piece> pieces;
    private final boolean half;
    /** The GGUF type whose blocks the storage holds already, byte for byte; null for elements. */
    private final GgmlType packed;
    /** Element-wise function in double precision, rounded to the element type behind each step; null for none. */
    private final DoubleUnaryOperator function;

    private Tensor(long[] shape, List<Piece> pieces, boolean half, DoubleUnaryOperator function) {
        this(shape, pieces, half, function, null);
    }

    private Tensor(long[] shape, List<Piece> pieces, boolean half, DoubleUnaryOperator function, GgmlType packed) {
        this.shape = shape;
        this.pieces = pieces;
        this.half = half;
        this.packed = packed;
        this.function = function;
    }

    /** A tensor of the checkpoint. */
    static Tensor of(StoredTensor stored) {
        var piece = new Piece(stored.type(), stored.storage(), null, stored.offset(), stored.shape(), stored.strides());
        return new Tensor(stored.shape(), List.of(piece), stored.type() == DType.F16, null);
    }

    /** A small tensor of numbers made here. */
    static Tensor of(float[] values, long... shape) {
        return computed(DType.F32, () -> MemorySegment.ofArray(values), shape);
    }

    /** A tensor whose elements are made when they are needed, one behind the other. */
    static Tensor computed(DType type, Computed source, long... shape) {
        var piece = new Piece(type, null, source, 0, shape, StoredTensor.denseStrides(shape));
        return new Tensor(shape, List.of(piece), type == DType.F16, null);
    }

    /**
     * A tensor whose blocks are packed already.
     *
     * @param source makes the bytes of the blocks
     * @param shape  shape in elements
     */
    static Tensor packed(GgmlType type, Computed source, long... shape) {
        long[] bytes = {type.bytes(product(shape))};
        return new Tensor(shape, List.of(new Piece(DType.U8, null, source, 0, bytes, new long[] {1})), false, null, type);
    }

    /** A tensor whose blocks lie in a file as the output needs them. */
    static Tensor packed(GgmlType type, MemorySegment blocks, long... shape) {
        long[] bytes = {blocks.byteSize()};
        return new Tensor(shape, List.of(new Piece(DType.U8, blocks, null, 0, bytes, new long[] {1})), false, null, type);
    }

    /** The GGUF type of blocks that are packed already, or null. */
    GgmlType packed() {
        return packed;
    }

    /** Sizes, outermost first. */
    long[] shape() {
        return shape.clone();
    }

    long dim(int d) {
        return shape[d < 0 ? shape.length + d : d];
    }

    int rank() {
        return shape.length;
    }

    long count() {
        return product(shape);
    }

    /** Whether arithmetic is done in half precision. */
    boolean half() {
        return half;
    }

    List<Piece> pieces() {
        return pieces;
    }

    /** Element-wise function, or null. */
    DoubleUnaryOperator function() {
        return function;
    }

    static long product(long[] dims) {
        long product = 1;
        for (long n : dims) {
            product = Math.multiplyExact(product, n);
        }
        return product;
    }

    /**
     * The same elements under another shape; one size may be -1.
     */
    Tensor reshape(long... to) {
        long[] wanted = to.clone();
        for (int d = 0; d < to.length; d++) {
            if (to[d] == -1) {
                wanted[d] = 1;
                wanted[d] = count() / Math.max(1, product(wanted));
            }
        }
        if (product(wanted) != count()) {
            throw new ShapeException("shape " + Arrays.toString(shape) + " cannot become " + Arrays.toString(to));
        }
        if (pieces.size() != 1) {
            return new Tensor(wanted, pieces, half, function);
        }
        Piece piece = pieces.getFirst();
        long[] strides = viewStrides(piece, wanted);
        return strides == null ? new Tensor(wanted, pieces, half, function)
                : with(wanted, new Piece(piece.type, piece.storage, piece.source, piece.offset, wanted, strides));
    }

    /**
     * Strides that give the piece another shape, or null when its walk is too irregular for one.
     *
     * <p><i>Source</i>: ATen/TensorUtils.cpp {@code computeStride} (BSD-3).
     */
    private static long[] viewStrides(Piece piece, long[] wanted) {
        long[] dims = piece.dims;
        if (dims.length == 0 || product(dims) == 0) {
            return StoredTensor.denseStrides(wanted);
        }
        long[] strides = new long[wanted.length];
        int w = wanted.length - 1;
        long base = piece.strides[dims.length - 1];
        long have = 1;
        long given = 1;
        for (int d = dims.length - 1; d >= 0; d--) {
            have *= dims[d];
            if (d == 0 || dims[d - 1] != 1 && piece.strides[d - 1] != have * base) {
                while (w >= 0 && (given < have || wanted[w] == 1)) {
                    strides[w] = given * base;
                    given *= wanted[w--];
                }
                if (given != have) {
                    return null;
                }
                if (d > 0) {
                    base = piece.strides[d - 1];
                    have = 1;
                    given = 1;
                }
            }
        }
        return w < 0 ? strides : null;
    }

    /** Reorders dimensions: dimension {@code i} of the result is dimension {@code order[i]} of this. */
    Tensor permute(int... order) {
        Piece piece = regular("permute");
        long[] dims = new long[order.length];
        long[] strides = new long[order.length];
        for (int i = 0; i < order.length; i++) {
            dims[i] = piece.dims[order[i]];
            strides[i] = piece.strides[order[i]];
        }
        return with(dims, new Piece(piece.type, piece.storage, piece.source, piece.offset, dims, strides));
    }

    /** A matrix with rows and columns exchanged; of more dimensions, the last two. */
    Tensor transpose() {
        int[] order = new int[rank()];
        for (int d = 0; d < order.length; d++) {
            order[d] = d;
        }
        order[order.length - 1] = order.length - 2;
        order[order.length - 2] = order.length - 1;
        return permute(order);
    }

    /** The indices {@code from} to {@code to} (exclusive) of one dimension. */
    Tensor slice(int dim, long from, long to) {
        if (from < 0 || to < from || to > shape[dim]) {
            throw new ShapeException("indices " + from + " to " + to + " of dimension " + dim + " of " + Arrays.toString(shape));
        }
        Piece piece = regular("slice");
        long[] dims = piece.dims.clone();
        dims[dim] = to - from;
        return with(dims, new Piece(piece.type, piece.storage, piece.source, piece.offset + from * piece.strides[dim], dims, piece.strides));
    }

    /** Every {@code step}-th index of one dimension, from {@code first}. */
    Tensor every(int dim, long first, long step) {
        Piece piece = regular("every");
        long[] dims = piece.dims.clone();
        long[] strides = piece.strides.clone();
        dims[dim] = (dims[dim] - first + step - 1) / step;
        strides[dim] *= step;
        return with(dims, new Piece(piece.type, piece.storage, piece.source, piece.offset + first * piece.strides[dim], dims, strides));
    }

    /** One index of the first dimension, which goes. */
    Tensor index(long i) {
        return slice(0, i, i + 1).reshape(Arrays.copyOfRange(shape, 1, shape.length));
    }

    /** Without the dimensions of size one. */
    Tensor squeeze() {
        return reshape(Arrays.stream(shape).filter(n -> n != 1).toArray());
    }

    /** Cut into pieces of these sizes along one dimension. */
    List<Tensor> split(int dim, long... sizes) {
        var parts = new ArrayList<Tensor>();
        long at = 0;
        for (long size : sizes) {
            parts.add(slice(dim, at, at + size));
            at += size;
        }
        if (at != shape[dim]) {
            throw new ShapeException("parts " + Arrays.toString(sizes) + " of dimension " + dim + " of " + Arrays.toString(shape));
        }
        return parts;
    }

    /** Tensors of equal shape, stacked along a new first dimension. */
    static Tensor stack(List<Tensor> parts) {
        Tensor first = parts.getFirst();
        long[] shape = new long[first.shape.length + 1];
        shape[0] = parts.size();
        System.arraycopy(first.shape, 0, shape, 1, first.shape.length);
        for (Tensor part : parts) {
            if (!Arrays.equals(part.shape, first.shape)) {
                throw new ShapeException("tensors of shapes " + Arrays.toString(first.shape) + " and " + Arrays.toString(part.shape) + " to stack");
            }
        }
        return joined(shape, parts);
    }

    /** Tensors one behind the other along the first dimension. */
    static Tensor concat(List<Tensor> parts) {
        long[] shape = parts.getFirst().shape.clone();
        shape[0] = parts.stream().mapToLong(part -> part.shape[0]).sum();
        return joined(shape, parts);
    }

    private static Tensor joined(long[] shape, List<Tensor> parts) {
        var pieces = new ArrayList<Piece>();
        boolean half = true;
        for (Tensor part : parts) {
            pieces.addAll(part.pieces);
            half &= part.half;
            if (part.function != parts.getFirst().function) {
                throw new ShapeException("tensors of unequal arithmetic are joined");
            }
        }
        return new Tensor(shape, pieces, half, parts.getFirst().function);
    }

    /** Element-wise function; its result is rounded to the element type. */
    Tensor map(DoubleUnaryOperator step) {
        DoubleUnaryOperator rounded = half
                ? x -> Float.float16ToFloat(Float.floatToFloat16((float) step.applyAsDouble(x)))
                : x -> (float) step.applyAsDouble(x);
        return new Tensor(shape, pieces, half, function == null ? rounded : function.andThen(rounded));
    }

    /** {@code x + 1}: norms that are stored without the one. */
    Tensor plusOne() {
        return map(x -> (float) x + 1f);
    }

    /** The same tensor with computed elements made and kept: for the time in which it is written. */
    Tensor materialized() {
        if (pieces.stream().noneMatch(piece -> piece.source != null)) {
            return this;
        }
        var made = new IdentityHashMap<Computed, MemorySegment>();
        return new Tensor(shape, pieces.stream().map(piece -> piece.source == null ? piece
                : new Piece(piece.type, made.computeIfAbsent(piece.source, Computed::get), null, piece.offset, piece.dims, piece.strides)).toList(),
                half, function, packed);
    }

    /**
     * The bytes of elements {@code start} … where they lie together in a storage, else null.
     */
    MemorySegment together(long start, long n) {
        long skip = start;
        for (Piece piece : pieces) {
            long size = piece.count();
            if (skip < size) {
                boolean dense = piece.storage != null && skip + n <= size && Arrays.equals(piece.strides, StoredTensor.denseStrides(piece.dims));
                int bytes = piece.type.bytes();
                return dense ? piece.storage.asSlice((piece.offset + skip) * bytes, n * bytes) : null;
            }
            skip -= size;
        }
        return null;
    }

    /** A range that lies {@link #together}, out of a copy of its bytes. */
    Tensor range(MemorySegment copy, long n) {
        long[] dims = {n};
        return new Tensor(dims, List.of(new Piece(pieces.getFirst().type, copy, null, 0, dims, new long[] {1})), half, function);
    }

    /** All elements as floats; for small tensors only. */
    float[] toFloats() {
        float[] values = new float[Math.toIntExact(count())];
        new TensorReader(this).read(0, values, values.length);
        return values;
    }

    /** All elements as bytes, of a tensor of bytes. */
    byte[] toBytes() {
        byte[] values = new byte[Math.toIntExact(count())];
        new TensorReader(this).runs(0, values.length, (type, data, from, step, at, n) -> {
            for (int i = 0; i < n; i++) {
                values[at + i] = data.get(ValueLayout.JAVA_BYTE, from + i * step);
            }
        });
        return values;
    }

    /** All elements as ints, of a tensor of whole numbers; for small tensors only. */
    int[] toInts() {
        int[] values = new int[Math.toIntExact(count())];
        new TensorReader(this).runs(0, values.length, (type, data, from, step, at, n) -> {
            for (int i = 0; i < n; i++) {
                values[at + i] = TensorReader.whole(type, data, from + i * step);
            }
        });
        return values;
    }

    private Tensor with(long[] newShape, Piece piece) {
        return new Tensor(newShape, List.of(piece), half, function);
    }

    /** The only piece, shaped as the tensor; needed where indices are computed. */
    private Piece regular(String what) {
        Piece piece = pieces.getFirst();
        if (pieces.size() != 1 || !Arrays.equals(piece.dims, shape)) {
            throw new ShapeException("a joined tensor of shape " + Arrays.toString(shape) + " cannot be used by " + what);
        }
        return piece;
    }

    /** A shape that an architecture does not expect; the converter adds the tensor's name. */
    static final class ShapeException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ShapeException(String message) {
            super(message);
        }
    }
}
