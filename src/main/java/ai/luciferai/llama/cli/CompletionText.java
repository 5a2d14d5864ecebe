package ai.luciferai.llama.cli;

import ai.luciferai.llama.Completion;
import ai.luciferai.llama.Grammar;
import ai.luciferai.llama.StopReason;
import ai.luciferai.llama.Timings;
import ai.luciferai.llama.Token;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** How completions are told: as JSON, as a table of probabilities, in a line. */
final class CompletionText {

    private CompletionText() {}

    static Map<String, Object> json(Completion c) {
        var tokens = new ArrayList<Map<String, Object>>();
        for (Token token : c.tokens()) {
            tokens.add(json(token));
        }
        return Json.object("text", c.text(), "stop_reason", name(c.stopReason()), "stop_string", c.stopString().orElse(null),
                "prompt_tokens", c.promptTokens(), "seed", c.seed(), "grammar_complete", c.grammarComplete().orElse(null), "timings", json(c.timings()), "tokens", tokens);
    }

    private static Map<String, Object> json(Token token) {
        if (Float.isNaN(token.logprob())) {
            return Json.object("id", token.id(), "text", token.text());
        }
        var top = new ArrayList<Map<String, Object>>();
        for (Token.Alternative other : token.top()) {
            top.add(Json.object("id", other.id(), "text", other.text(), "logprob", other.logprob()));
        }
        return Json.object("id", token.id(), "text", token.text(), "logprob", token.logprob(), "top", top);
    }

    private static Map<String, Object> json(Timings t) {
        return Json.object("prompt_tokens", t.promptTokens(), "reused_tokens", t.reusedTokens(), "prompt_ms", t.promptMillis(),
                "prompt_per_second", t.promptTokensPerSecond(), "generated_tokens", t.generatedTokens(),
                "generation_ms", t.generationMillis(), "generation_per_second", t.generationTokensPerSecond(),
                "first_token_ms", t.firstTokenMillis());
    }

    /** A stop reason as JSON and files have it: "max_tokens". */
    static String name(StopReason reason) {
        return reason.name().toLowerCase(Locale.ROOT);
    }

    /** That an answer is the beginning of what its grammar asks for, and what ended it there. Whoever cancels it knows. */
    static Optional<String> cutOff(Completion c, Grammar grammar) {
        if (!c.cutOff() || c.stopReason() == StopReason.CANCELLED) {
            return Optional.empty();
        }
        String by = switch (c.stopReason()) {
            case MAX_TOKENS -> "-n";
            case STOP_STRING -> "a stop string";
            case CONTEXT_FULL, END_OF_GENERATION, CANCELLED -> "the end of the context";
        };
        return Optional.of("the answer is cut off by " + by + ": its " + form(grammar) + " asks for more");
    }

    /** What a grammar is called where it was given. */
    static String form(Grammar grammar) {
        return grammar.kind() == Grammar.Kind.GBNF ? "grammar" : "JSON schema";
    }

    /** A line for each token: its log-probability, its text, its alternatives. */
    static String logprobs(Completion c) {
        var out = new StringBuilder();
        for (Token token : c.tokens()) {
            out.append(String.format(Locale.ROOT, "%9.4f  %-16s", token.logprob(), Arguments.quote(token.text())));
            for (Token.Alternative other : token.top()) {
                out.append(String.format(Locale.ROOT, "  %s %.4f", Arguments.quote(other.text()), other.logprob()));
            }
            out.append('\n');
        }
        return out.toString();
    }

    /** What it took, in a line. */
    static String summary(Completion c) {
        Timings t = c.timings();
        return String.format(Locale.ROOT, "prompt %d tokens (%d reused), %.1f tokens/s; answer %d tokens, %.1f tokens/s; first token after "
                + "%.0f ms; ended by %s", c.promptTokens(), t.reusedTokens(), t.promptTokensPerSecond(), t.generatedTokens(),
                t.generationTokensPerSecond(), t.firstTokenMillis(), name(c.stopReason()));
    }
}
