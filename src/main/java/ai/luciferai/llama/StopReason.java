package ai.luciferai.llama;

/** Why a generation ended. */
public enum StopReason {
    /** The model chose an end-of-generation token. */
    END_OF_GENERATION,
    /** One of {@link GenerateOptions#stops()} appeared; it is not part of the text. */
    STOP_STRING,
    /** {@link GenerateOptions#maxTokens()} were generated. */
    MAX_TOKENS,
    /** No room for another token in the context. */
    CONTEXT_FULL,
    /** {@link ai.luciferai.llama.core.Cancel#request()} was called, or the generation was closed early. */
    CANCELLED
}
