package ai.luciferai.llama;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * The bytes of one token, with their text when they are whole characters.
 *
 * @param bytes never changed
 * @param text  null when the bytes begin or end within a character
 */
record Piece(byte[] bytes, String text) {

    static final Piece EMPTY = of(new byte[0]);

    static Piece of(byte[] bytes) {
        return new Piece(bytes, wholeText(bytes));
    }

    boolean isWhole() {
        return text != null;
    }

    private static String wholeText(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
