package ai.luciferai.llama.convert;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A little-endian file in the making that remembers where its numbers stand, so that a mutant can change them and nothing else. */
final class NumberedBytes {

    private static final long[] EDGES = {0, 1, 2, -1, -2, 0x7F, 0xFF, 0x7FFF, 0xFFFE, 0xFFFF, 1 << 20, 0x7FFFFFFF, 0x80000000L, 0xFFFFFFFEL, 0xFFFFFFFFL,
        1L << 40, Long.MAX_VALUE, Long.MIN_VALUE, Long.MAX_VALUE - 45};

    private record Field(int at, int bytes) {}

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final List<Field> fields = new ArrayList<>();

    NumberedBytes number(long value, int bytes) {
        fields.add(new Field(out.size(), bytes));
        return fixed(value, bytes);
    }

    /** A number that stays as it is. */
    NumberedBytes fixed(long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (value >>> 8 * i));
        }
        return this;
    }

    NumberedBytes raw(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    int size() {
        return out.size();
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    /** The bytes with some numbers set to an edge, moved a little, or swapped for another field's. */
    byte[] mutant(Random random) {
        byte[] bytes = bytes();
        for (int i = 0; i < 1 + random.nextInt(2) && !fields.isEmpty(); i++) {
            Field field = fields.get(random.nextInt(fields.size()));
            long old = get(bytes, field);
            set(bytes, field, switch (random.nextInt(5)) {
                case 0 -> old + random.nextInt(9) - 4;
                case 1 -> bytes.length + random.nextInt(5) - 2;
                case 2 -> get(bytes, fields.get(random.nextInt(fields.size())));
                default -> EDGES[random.nextInt(EDGES.length)];
            });
        }
        return bytes;
    }

    private static long get(byte[] bytes, Field field) {
        long value = 0;
        for (int i = 0; i < field.bytes; i++) {
            value |= (bytes[field.at + i] & 0xFFL) << 8 * i;
        }
        return value;
    }

    private static void set(byte[] bytes, Field field, long value) {
        for (int i = 0; i < field.bytes; i++) {
            bytes[field.at + i] = (byte) (value >>> 8 * i);
        }
    }
}
