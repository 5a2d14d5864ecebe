package ai.luciferai.llama.convert;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Damages a protocol-buffer message field by field: kinds, numbers, lengths, repeated and missing fields, messages inside themselves. */
final class WireMutant {

    private WireMutant() {}

    static byte[] of(byte[] good, Random random) {
        List<byte[]> fields = new ArrayList<>();
        for (int at = 0; at < good.length; ) {
            int end = at + 1;
            if ((good[at] & 7) == 2) {
                long length = 0;
                int shift = 0;
                do {
                    length |= (long) (good[end] & 127) << shift;
                    shift += 7;
                } while (good[end++] < 0);
                end += (int) length;
            } else {
                throw new IllegalArgumentException("a message of other kinds than the fixtures have");
            }
            fields.add(java.util.Arrays.copyOfRange(good, at, end));
            at = end;
        }
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            change(fields, random);
        }
        var out = new ByteArrayOutputStream();
        fields.forEach(out::writeBytes);
        return out.toByteArray();
    }

    private static void change(List<byte[]> fields, Random random) {
        int at = random.nextInt(fields.size());
        byte[] field = fields.get(at).clone();
        switch (random.nextInt(7)) {
            case 0 -> field[0] = (byte) random.nextInt(128);
            case 1 -> field[1] = (byte) random.nextInt(256);
            case 2 -> field[random.nextInt(field.length)] = (byte) random.nextInt(256);
            case 3 -> field = new byte[] {(byte) (random.nextInt(4) << 3 | random.nextInt(6)), -1, -1, -1, -1, -1, -1, -1, -1, (byte) random.nextInt(256), 1};
            case 4 -> fields.add(at, fields.get(random.nextInt(fields.size())));
            case 5 -> {
                var nested = new ByteArrayOutputStream();
                nested.write(10);
                nested.write(Math.min(field.length, 127));
                nested.writeBytes(field);
                field = nested.toByteArray();
            }
            default -> field = java.util.Arrays.copyOf(field, random.nextInt(field.length));
        }
        fields.set(at, field);
    }
}
