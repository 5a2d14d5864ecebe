package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * One tensor of a checkpoint, not yet read: a strided view of mapped bytes.
 *
 * @param name    name in the checkpoint
 * @param type    element type
 * @param shape   sizes in PyTorch's order, outermost first; empty for a scalar
 * @param strides elements from one index to the next, for each dimension
 * @param offset  index of the first element in the storage
 * @param storage the storage that this tensor views, perhaps with others; lives as long as its {@link Checkpoint}
 * @param file    where it lies
 */
public record StoredTensor(String name, DType type, long[] shape, long[] strides, long offset, MemorySegment storage, Path file) {

    /** Far above any name that training frameworks make, and short enough for all patterns that names are compared with. */
    private static final int LONGEST_NAME = 1000;

    /** Checks the length of the name, and that every element lies inside the storage. */
    public StoredTensor {
        if (name.length() > LONGEST_NAME) {
            throw new InvalidFileException(file, "tensor '" + name.substring(0, 60) + "…'", "a name of at most " + LONGEST_NAME + " characters",
                    String.valueOf(name.length()));
        }
        long last = offset;
        boolean empty = false;
        try {
            for (int d = 0; d < shape.length; d++) {
                empty |= shape[d] == 0;
                last = Math.addExact(last, Math.multiplyExact(Math.max(shape[d] - 1, 0), strides[d]));
            }
        } catch (ArithmeticException overflow) {
            last = Long.MAX_VALUE;
        }
        if (offset < 0 || !empty && last >= storage.byteSize() / type.bytes()) {
            throw new InvalidFileException(file, "tensor '" + name + "'",
                    "elements inside its storage of " + storage.byteSize() + " bytes",
                    "shape " + Arrays.toString(shape) + ", strides " + Arrays.toString(strides) + ", offset " + offset);
        }
    }

    /** A tensor whose elements lie one behind the other from the start of the storage. */
    public static StoredTensor dense(String name, DType type, long[] shape, MemorySegment storage, Path file) {
        return new StoredTensor(name, type, shape, denseStrides(shape), 0, storage, file);
    }

    /** Strides of elements that lie one behind the other. */
    public static long[] denseStrides(long[] shape) {
        long[] strides = new long[shape.length];
        long step = 1;
        for (int d = shape.length - 1; d >= 0; d--) {
            strides[d] = step;
            step *= shape[d];
        }
        return strides;
    }

    /** Number of elements. */
    public long count() {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return count;
    }
}
