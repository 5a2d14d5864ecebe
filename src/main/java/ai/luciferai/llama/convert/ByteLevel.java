package ai.luciferai.llama.convert;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * GPT-2's way to write bytes as printable characters.
 *
 * <p><i>Source</i>: openai/gpt-2 encoder.py {@code bytes_to_unicode} (MIT): printable Latin-1 characters stand for themselves, the 68 other
 * bytes for U+0100 and up.
 */
final class ByteLevel {

    private static final char[] CHARS = new char[256];
    private static final Map<Character, Byte> BYTES = new HashMap<>();

    static {
        char next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            CHARS[b] = printable ? (char) b : next++;
            BYTES.put(CHARS[b], (byte) b);
        }
    }

    private ByteLevel() {}

    /** A text as byte-level characters. */
    static String encode(String text) {
        return encode(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Bytes as byte-level characters. */
    static String encode(byte[] bytes) {
        var encoded = new StringBuilder(bytes.length);
        for (byte b : bytes) {
            encoded.append(CHARS[b & 0xFF]);
        }
        return encoded.toString();
    }

    /** The bytes of byte-level characters, or null when a character is none. */
    static byte[] toBytes(String text) {
        byte[] bytes = new byte[text.length()];
        for (int i = 0; i < bytes.length; i++) {
            Byte value = BYTES.get(text.charAt(i));
            if (value == null) {
                return null;
            }
            bytes[i] = value;
        }
        return bytes;
    }
}
