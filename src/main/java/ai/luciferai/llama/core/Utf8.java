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
            throw new InvalidFileException(file, "text", "UTF-8", "bytes that are not", "iconv -t utf-8 converts it", e);
        }
    }

    /** The text behind a mark of byte order, if there is one. */
    public static String withoutMark(String text) {
        return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
    }
}
