package ai.luciferai.llama;

import java.nio.charset.StandardCharsets;

/** What a generation needs to know of tokens. Called once a token: answers come from memory after the first time. */
interface Vocabulary {

    /** Bytes of a token; of a control token none unless {@code special}. */
    Piece piece(int token, boolean special);

    boolean isEndOfGeneration(int token);

    /** Number of tokens. */
    int size();

    /** Text of one token by itself, control tokens too; half a character becomes U+FFFD. */
    default String text(int token) {
        Piece piece = piece(token, true);
        return piece.isWhole() ? piece.text() : new String(piece.bytes(), StandardCharsets.UTF_8);
    }
}
