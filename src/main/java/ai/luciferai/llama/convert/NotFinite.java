package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Enumeration;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.TensorInfo;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Counts the numbers of an output that are NaN or infinite. They are written as they are, as the reference does: a model may mean them. Most
 * come of a training that diverged or of a type that is too small, and the model then answers with nothing: that is said.
 *
 * <p><i>Threads</i>: any.
 */
final class NotFinite {

    private static final System.Logger LOG = System.getLogger(NotFinite.class.getName());
    private static final int NAMED = 3;

    private final Map<String, long[]> ofInput = new TreeMap<>();
    private final Map<String, long[]> madeHere = new TreeMap<>();

    /** Room to look at one block. */
    static final class Room {
        private final long[] longs = new long[TypeConverter.BLOCK / 2];
    }

    /**
     * Looks at a piece that was converted.
     *
     * @param start first element in the tensor
     * @param out   what was made of the elements
     */
    void look(TensorInfo info, Tensor tensor, long start, long count, MemorySegment out, Room room) {
        boolean odd = switch (info.type()) {
            case F32 -> any(out, 0x7F8000007F800000L, 0x0080000000800000L, 0x8000000080000000L, room);
            case F16 -> any(out, 0x7C007C007C007C00L, 0x0400040004000400L, 0x8000800080008000L, room);
            case BF16 -> any(out, 0x7F807F807F807F80L, 0x0080008000800080L, 0x8000800080008000L, room);
            case Q8_0 -> anyScale(out);
            default -> false;
        };
        if (odd && tensor.packed() == null) {
            count(info, tensor, start, count);
        }
    }

    /** Whether a number has all bits of its exponent: then, and only then, one more there carries into the place of the sign. */
    private static boolean any(MemorySegment out, long exponents, long one, long signs, Room room) {
        long n = out.byteSize() / 8;
        long sums = 0;
        for (long done = 0; done < n; done += room.longs.length) {
            int block = (int) Math.min(room.longs.length, n - done);
            MemorySegment.copy(out, TensorReader.I64, done * 8, room.longs, 0, block);
            sums |= sums(room.longs, block, exponents, one);
        }
        long rest = 0; // the numbers behind the last whole long
        for (long at = n * 8; at < out.byteSize(); at++) {
            rest |= Byte.toUnsignedLong(out.get(ValueLayout.JAVA_BYTE, at)) << 8 * at; // by the lowest six bits
        }
        return ((sums | (rest & exponents) + one) & signs) != 0;
    }

    private static long sums(long[] longs, int n, long exponents, long one) {
        long sums = 0;
        for (int i = 0; i < n; i++) {
            sums |= (longs[i] & exponents) + one;
        }
        return sums;
    }

    private static boolean anyScale(MemorySegment out) {
        boolean any = false;
        for (long at = 0; at < out.byteSize(); at += GgmlType.Q8_0.bytes(32)) {
            any |= (out.get(TensorReader.I16, at) & 0x7C00) == 0x7C00;
        }
        return any;
    }

    private void count(TensorInfo info, Tensor tensor, long start, long count) {
        var reader = new TensorReader(tensor);
        float[] floats = new float[TypeConverter.BLOCK];
        long n = 0;
        for (long done = 0; done < count; done += floats.length) {
            int block = (int) Math.min(floats.length, count - done);
            reader.read(start + done, floats, block);
            for (int i = 0; i < block; i++) {
                n += Float.isFinite(floats[i]) ? 0 : 1;
            }
        }
        synchronized (this) {
            (n > 0 ? ofInput : madeHere).computeIfAbsent(info.name(), name -> new long[1])[0] += n;
        }
    }

    /** Says what was found. */
    synchronized void tell(Object input) {
        if (!ofInput.isEmpty()) {
            var tensors = new ArrayList<String>();
            ofInput.forEach((name, n) -> tensors.add(name + " (" + n[0] + ")"));
            LOG.log(System.Logger.Level.WARNING, "{0}: numbers that are NaN or infinite in {1}: they are written as they are, and the model will hardly "
                    + "answer; its training diverged, or the file is damaged", input, some(tensors));
        }
        if (!madeHere.isEmpty()) {
            LOG.log(System.Logger.Level.WARNING, "{0}: numbers too large for the type of the output in {1}: they became infinite; --outtype bf16 or f32 "
                    + "keeps them", input, some(List.copyOf(madeHere.keySet())));
        }
    }

    private static String some(List<String> names) {
        return Enumeration.of(names, NAMED) + (names.size() > NAMED ? " tensors" : "");
    }
}
