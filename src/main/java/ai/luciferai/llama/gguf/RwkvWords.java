package ai.luciferai.llama.gguf;

import java.io.ByteArrayOutputStream;

/**
 * Words of a World vocabulary, which may be any bytes: in a GGUF file they are escaped.
 *
 * <p><i>Source</i>: llama_unescape_rwkv_token of llama.cpp's src/llama-vocab.cpp, with what it makes of bad escapes.
 */
final class RwkvWords {

    private RwkvWords() {}

    static byte[] unescape(byte[] escaped) {
        var out = new ByteArrayOutputStream();
        for (int i = 0; i < escaped.length; i++) {
            if (escaped[i] != '\\') {
                out.write(escaped[i]);
            } else if (++i < escaped.length) {
                switch (escaped[i]) {
                    case 't' -> out.write('\t');
                    case 'n' -> out.write('\n');
                    case 'r' -> out.write('\r');
                    case 'x' -> {
                        if (i + 2 < escaped.length) {
                            out.write((digit(escaped[i + 1]) << 4) + digit(escaped[i + 2]));
                        }
                        i += 2;
                    }
                    default -> out.write(escaped[i]);
                }
            }
        }
        return out.toByteArray();
    }

    private static int digit(byte c) {
        return c >= 'a' ? c - 'a' + 10 : c - '0';
    }
}
