package ai.luciferai.llama;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;

/**
 * Follows one generation: turns chosen tokens into {@link Token}s with certain text, and knows when it is over. Knows nothing of
 * contexts and sampling.
 */
final class TextTrack {

    private final GenerateOptions options;
    private final Vocabulary vocabulary;
    private final IntPredicate preserved;
    private final Utf8Stream utf8 = new Utf8Stream();
    private final StopMatcher stops;
    private final StringBuilder text = new StringBuilder();
    private final List<Token> tokens = new ArrayList<>();
    private StopReason reason;

    /** @param preserved control tokens that are shown although {@link GenerateOptions#renderSpecial()} is off */
    TextTrack(GenerateOptions options, Vocabulary vocabulary, List<String> stops, IntPredicate preserved) {
        this.options = options;
        this.vocabulary = vocabulary;
        this.preserved = preserved;
        this.stops = new StopMatcher(stops);
        if (options.maxTokens() == 0) {
            reason = StopReason.MAX_TOKENS;
        }
    }

    /**
     * Takes the token that was chosen.
     *
     * @param hasRoom whether the context can take this token, so that another may follow
     */
    Token accept(int id, float logprob, List<Token.Alternative> top, boolean hasRoom) {
        boolean last = vocabulary.isEndOfGeneration(id);
        Piece piece = vocabulary.piece(id, options.renderSpecial() || !last && preserved.test(id));
        String certain = stops.feed(utf8.feed(piece));
        reason = reasonAfter(last, hasRoom);
        if (reason != null && reason != StopReason.STOP_STRING) {
            certain += rest();
        }
        text.append(certain);
        Token token = new Token(id, certain, logprob, top);
        tokens.add(token);
        return token;
    }

    private StopReason reasonAfter(boolean endOfGeneration, boolean hasRoom) {
        if (stops.matched() != null) {
            return StopReason.STOP_STRING;
        }
        if (endOfGeneration) {
            return StopReason.END_OF_GENERATION;
        }
        if (tokens.size() + 1 == options.maxTokens()) {
            return StopReason.MAX_TOKENS;
        }
        return hasRoom ? null : StopReason.CONTEXT_FULL;
    }

    /** What was held back, now that nothing follows; a stop string may still be completed by a broken character's mark. */
    private String rest() {
        String tail = stops.feed(utf8.end());
        if (stops.matched() != null) {
            reason = StopReason.STOP_STRING;
        }
        return tail + stops.end();
    }

    /** Ends it from outside; text that was held back is dropped, so that the tokens' texts remain the whole text. */
    void cancel() {
        if (reason == null) {
            reason = StopReason.CANCELLED;
        }
    }

    boolean ended() {
        return reason != null;
    }

    int generated() {
        return tokens.size();
    }

    /** @param mayEnd whether the grammar may end behind the tokens; asked where nothing else tells */
    Completion completion(int promptTokens, Timings timings, long seed, BooleanSupplier mayEnd) {
        return new Completion(text.toString(), tokens, reason, Optional.ofNullable(stops.matched()), promptTokens, timings, seed,
                grammarComplete(mayEnd));
    }

    private Optional<Boolean> grammarComplete(BooleanSupplier mayEnd) {
        return options.grammar().kind() == Grammar.Kind.NONE ? Optional.empty() : Optional.of(switch (reason) {
            case END_OF_GENERATION -> true;
            case CANCELLED -> false; // also after a failure, when nothing can be asked any more
            case STOP_STRING, MAX_TOKENS, CONTEXT_FULL -> mayEnd.getAsBoolean();
        });
    }
}
