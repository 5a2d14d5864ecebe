package ai.luciferai.llama.convert;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Damages the header of a safetensors file: its JSON as values and as text, its length, and what the offsets say of each other. */
final class HeaderMutant {

    private static final Pattern NUMBER = Pattern.compile("-?\\d+");
    private static final String[] NUMBERS = {"0", "1", "-1", "-0", "1.0", "1e3", "1E400", "007", "0x10", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "4611686018427387904", "4294967296", "2147483648", "NaN", "Infinity", "null", "\"8\"", "[1]", "1" + "0".repeat(900), "1" + "0".repeat(5000)};

    private HeaderMutant() {}

    static byte[] of(byte[] good, Random random) throws IOException {
        int length = (int) ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong();
        byte[] header = Arrays.copyOfRange(good, 8, 8 + length);
        byte[] changed = random.nextInt(3) == 0 ? JsonMutant.of(header, random) : text(new String(header, StandardCharsets.UTF_8), random).getBytes(StandardCharsets.UTF_8);
        var file = new NumberedBytes();
        file.number(changed.length, 8).raw(changed).raw(Arrays.copyOfRange(good, 8 + length, good.length));
        return random.nextInt(10) == 0 ? file.mutant(random) : file.bytes();
    }

    private static String text(String header, Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> "[".repeat(5000) + header;
            case 1 -> header.substring(0, header.length() - 1) + ",\"deep\":" + "{\"a\":".repeat(150) + "1" + "}".repeat(150) + "}";
            case 2 -> header.replaceFirst("\\{(.*?\\})", Matcher.quoteReplacement(first(header)) + ",$1"); // the first tensor twice
            default -> number(header, random);
        };
    }

    private static String first(String header) {
        return header.substring(0, header.indexOf('}') + 1);
    }

    private static String number(String header, Random random) {
        String result = header;
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            Matcher number = NUMBER.matcher(result);
            int wanted = random.nextInt(60);
            for (int n = 0; number.find(); n++) {
                if (n == wanted) {
                    result = result.substring(0, number.start()) + TokenizerMutant.pick(NUMBERS, random) + result.substring(number.end());
                    break;
                }
            }
        }
        return result;
    }
}
