package ai.luciferai.llama.core;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Text files as people have them: UTF-8, with or without a mark of byte order, which some editors write and which is no part of the text. */
public final class Utf8 {

    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private Utf8() {}

    /**
     * The text of a file's bytes.
     *
     * @throws InvalidFileException for bytes that are no UTF-8
     */
    public static String decode(Path file, byte[] bytes) {
        try {
            return withoutMark(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException e) {
            boolean binary = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(0) >= 0 && !isUtf16(bytes);
            throw new InvalidFileException(file, "text", "UTF-8", binary ? "a binary file" : "bytes that are not",
                    binary ? null : "iconv -t utf-8 converts it", e);
        }
    }

    private static boolean isUtf16(byte[] bytes) {
        return bytes.length > 1 && ((bytes[0] & 0xff) == 0xff && (bytes[1] & 0xff) == 0xfe || (bytes[0] & 0xff) == 0xfe && (bytes[1] & 0xff) == 0xff);
    }

    /** The text behind a mark of byte order, if there is one. */
    public static String withoutMark(String text) {
        return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
    }
}
