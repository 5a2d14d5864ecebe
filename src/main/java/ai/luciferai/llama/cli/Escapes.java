package ai.luciferai.llama.cli;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Backslash escapes in prompts, as llama.cpp reads them: {@code \n \r \t \' \" \\} and {@code \x41}; every other backslash stays.
 *
 * <p>{@code \xNN} is one byte, so {@code \xc3\xa9} is "é": the work is done on UTF-8 bytes.
 *
 * <p><i>Source</i>: string_process_escapes of llama.cpp's common.cpp (v0.5.0).
 */
final class Escapes {

    private Escapes() {}

    static String process(String text) {
        if (text.indexOf('\\') < 0) {
            return text;
        }
        byte[] in = text.getBytes(StandardCharsets.UTF_8);
        var out = new ByteArrayOutputStream(in.length);
        int i = 0;
        while (i < in.length) {
            if (in[i] != '\\' || i + 1 == in.length) {
                out.write(in[i++]);
                continue;
            }
            int code = in[i + 1] == 'x' && i + 3 < in.length ? hex(in[i + 2], in[i + 3]) : simple(in[i + 1]);
            if (code < 0) {
                out.write('\\');
                out.write(in[i + 1]);
            } else {
                out.write(code);
            }
            i += in[i + 1] == 'x' && code >= 0 ? 4 : 2;
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    private static int simple(byte letter) {
        return switch (letter) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case '\'', '"', '\\' -> letter;
            default -> -1;
        };
    }

    private static int hex(byte high, byte low) {
        int h = Character.digit(high, 16);
        int l = Character.digit(low, 16);
        return h < 0 || l < 0 ? -1 : h << 4 | l;
    }
}
