package ai.luciferai.llama;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/** Random damage to a file or a text, of the kinds that readers of JSON, numbers and tables have to bear. */
public final class DamagedBytes {

    private static final int MOST_CHANGES = 4;
    private static final int MOST_REPEATED = 1 << 16;

    /** Bytes that mean something in JSON, grammars, templates or in numbers, beside random ones. */
    private static final byte[] SPECIAL = "{}[]()\",:\\\n0-9u%*+|=.".getBytes(StandardCharsets.UTF_8);
    private static final String[] NUMBERS = {"-1", "0", "65536", "2147483647", "9007199254740993", "99999999999999999999", "1e999"};

    private DamagedBytes() {}

    /** A few bytes changed, moved or cut off. */
    public static byte[] of(byte[] sound, Random random) {
        byte[] bytes = sound.clone();
        for (int i = random.nextInt(MOST_CHANGES); i >= 0 && bytes.length > 2; i--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] = SPECIAL[random.nextInt(SPECIAL.length)];
                case 2 -> bytes = Arrays.copyOf(bytes, at + 1);
                default -> {
                    int from = random.nextInt(bytes.length);
                    int n = Math.min(random.nextInt(16), bytes.length - Math.max(at, from));
                    System.arraycopy(bytes, from, bytes, at, n);
                }
            }
        }
        return bytes;
    }

    /** Bytes as above, or a text that says something very often, or with a very large number. */
    public static byte[] ofText(byte[] sound, Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> repeated(sound, random);
            case 1 -> numbered(sound, random);
            default -> of(sound, random);
        };
    }

    private static byte[] repeated(byte[] sound, Random random) {
        int at = random.nextInt(sound.length);
        int end = Math.min(sound.length, at + 1 + random.nextInt(32));
        String text = new String(sound, StandardCharsets.ISO_8859_1);
        String part = text.substring(at, end);
        return (text.substring(0, end) + part.repeat(random.nextInt(MOST_REPEATED) / part.length()) + text.substring(end))
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] numbered(byte[] sound, Random random) {
        String text = new String(sound, StandardCharsets.ISO_8859_1);
        int from = random.nextInt(text.length());
        String number = NUMBERS[random.nextInt(NUMBERS.length)];
        return (text.substring(0, from) + text.substring(from).replaceFirst("-?[0-9]+", number)).getBytes(StandardCharsets.ISO_8859_1);
    }
}
