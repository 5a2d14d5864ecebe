package ai.luciferai.llama;

import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.ffi.LlamaConstants;
import java.util.Set;
import java.util.stream.IntStream;

/** How many tokens a text has at the least: enough to refuse one that is far too long before time is spent on it. */
final class LeastTokens {

    /** A text with so many characters a token is tokenized sooner than the longest token is found. */
    private static final int USUAL_LONGEST = 64;

    /** Those without a token that stands for a word of any length which they do not know. */
    private static final Set<Integer> COUNT_EVERY_BYTE = Set.of(LlamaConstants.LLAMA_VOCAB_TYPE_SPM, LlamaConstants.LLAMA_VOCAB_TYPE_BPE,
            LlamaConstants.LLAMA_VOCAB_TYPE_RWKV, LlamaConstants.LLAMA_VOCAB_TYPE_PLAMO2);

    private LeastTokens() {}

    /** @throws ContextFullException when the text cannot have so few tokens as there is room for */
    static void requireFits(String what, String text, int room, Model model) {
        int least = of(text, room, model);
        if (least > room) {
            throw ContextFullException.atLeast(what, least, room);
        }
    }

    /** A number that the text has at the least; 0 where it is not worth while to find one, or there is none. */
    private static int of(String text, int room, Model model) {
        boolean known = COUNT_EVERY_BYTE.contains(model.handle().description().vocabType());
        return known && text.length() / USUAL_LONGEST > room ? (int) (visible(text) / longest(model.vocabulary())) : 0;
    }

    /** White space does not count: some tokens take what is around them. */
    private static long visible(String text) {
        return text.chars().filter(c -> !Character.isWhitespace(c) && !Character.isSpaceChar(c)).count();
    }

    private static int longest(Vocabulary vocabulary) {
        return IntStream.range(0, vocabulary.size()).map(token -> vocabulary.piece(token, true).bytes().length).max().orElse(1);
    }
}
