package ai.luciferai.llama;

/**
 * How text becomes tokens.
 *
 * @param addSpecial   whether the model's start and end tokens are added, as the file asks
 * @param parseSpecial whether texts such as {@code <|im_start|>} become control tokens
 */
public record TokenizeOptions(boolean addSpecial, boolean parseSpecial) {

    /** What a prompt needs: start token added, control tokens recognised. */
    public static TokenizeOptions defaults() {
        return new TokenizeOptions(true, true);
    }

    /** Text as it is: nothing added, nothing recognised. */
    public static TokenizeOptions plain() {
        return new TokenizeOptions(false, false);
    }

    public TokenizeOptions withAddSpecial(boolean v) {
        return new TokenizeOptions(v, parseSpecial);
    }

    public TokenizeOptions withParseSpecial(boolean v) {
        return new TokenizeOptions(addSpecial, v);
    }
}
