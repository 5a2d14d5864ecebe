package ai.luciferai.llama;

/** What a generation needs to know of tokens. Called once a token: answers come from memory after the first time. */
interface Vocabulary {

    /** Bytes of a token; of a control token none unless {@code special}. */
    Piece piece(int token, boolean special);

    boolean isEndOfGeneration(int token);
}
