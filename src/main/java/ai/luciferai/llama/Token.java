package ai.luciferai.llama;

import java.util.List;

/**
 * One generated token.
 *
 * @param id      its number in the vocabulary
 * @param text    the text that became certain with it: empty while a character or a possible stop string is incomplete, and
 *                more than its own when it completes one; the texts of all tokens together are the completion's text
 * @param logprob natural log of its probability before sampling; NaN when not asked for
 * @param top     the most probable tokens at its place, best first; empty when not asked for
 */
public record Token(int id, String text, float logprob, List<Alternative> top) {

    /** A token that could have stood there. */
    public record Alternative(int id, String text, float logprob) {}

    public Token {
        top = List.copyOf(top);
    }
}
