package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The pre-tokenizers of tokenizer.json: they cut a text into the words that a model sees.
 *
 * <p><i>Source</i>: tokenizers 0.22, pre_tokenizers/*.rs. Its regexes are Oniguruma's; {@link #regex} puts them into Java's dialect.
 */
final class PreTokenizer {

    private static final String GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final String PUNCTUATION = "[\\p{P}!-/:-@\\[-`{-~]";

    private PreTokenizer() {}

    /** The words of a text. */
    static List<String> split(JsonObject preTokenizer, String text, Effort effort) throws TextEncoder.UnsupportedException {
        return split(preTokenizer, List.of(text), effort);
    }

    private static List<String> split(JsonObject preTokenizer, List<String> words, Effort effort) throws TextEncoder.UnsupportedException {
        Object type = preTokenizer.get("type");
        if (type == null) {
            return words;
        }
        effort.checked(String.join("", words));
        effort.spend(words.size());
        List<String> result = words;
        switch (String.valueOf(type)) {
            case "Sequence" -> {
                for (JsonObject step : SpecialTokens.parts(preTokenizer, "pretokenizers")) {
                    result = split(step, result, effort);
                }
                return result;
            }
            case "Split" -> {
                JsonObject pattern = preTokenizer.objectOrEmpty("pattern");
                Pattern regex = pattern.get("String") instanceof String literal ? Effort.compile(Pattern.quote(literal), 0)
                        : regex(String.valueOf(pattern.get("Regex")));
                return cut(result, regex, String.valueOf(preTokenizer.get("behavior")), Boolean.TRUE.equals(preTokenizer.get("invert")), effort);
            }
            case "ByteLevel" -> {
                var spaced = new ArrayList<String>();
                for (String word : result) {
                    spaced.add(Boolean.TRUE.equals(preTokenizer.get("add_prefix_space")) && !word.startsWith(" ") ? " " + word : word);
                }
                List<String> pieces = Boolean.FALSE.equals(preTokenizer.get("use_regex")) ? spaced : cut(spaced, regex(GPT2), "Isolated", false, effort);
                return pieces.stream().map(ByteLevel::encode).toList();
            }
            case "Digits" -> {
                boolean single = Boolean.TRUE.equals(preTokenizer.get("individual_digits"));
                return cut(result, regex("\\p{N}"), single ? "Isolated" : "Contiguous", false, effort);
            }
            case "Punctuation" -> {
                Object behavior = preTokenizer.get("behavior");
                return cut(result, regex(PUNCTUATION), behavior == null ? "Isolated" : String.valueOf(behavior), false, effort);
            }
            case "Whitespace" -> {
                return cut(result, regex("\\w+|[^\\w\\s]+"), "Removed", true, effort);
            }
            case "WhitespaceSplit" -> {
                return cut(result, regex("\\s"), "Removed", false, effort);
            }
            case "BertPreTokenizer" -> {
                return cut(cut(result, regex("\\s"), "Removed", false, effort), regex(PUNCTUATION), "Isolated", false, effort);
            }
            case "Metaspace" -> {
                return metaspace(preTokenizer, result, effort);
            }
            default -> throw new TextEncoder.UnsupportedException("pre-tokenizer " + type);
        }
    }

    private static List<String> metaspace(JsonObject preTokenizer, List<String> words, Effort effort) throws TextEncoder.UnsupportedException {
        String mark = preTokenizer.get("replacement") instanceof String text ? text : "\u2581";
        boolean prepend = !"never".equals(preTokenizer.get("prepend_scheme")) && !Boolean.FALSE.equals(preTokenizer.get("add_prefix_space"));
        var marked = new ArrayList<String>();
        for (String word : words) {
            String text = effort.replace(word, " ", mark);
            marked.add(effort.checked(prepend && !text.startsWith(mark) ? mark + text : text));
        }
        return Boolean.FALSE.equals(preTokenizer.get("split")) ? marked : cut(marked, Effort.compile(Pattern.quote(mark), 0), "MergedWithNext", false, effort);
    }

    /** A regex of a tokenizer in Java's dialect: Unicode classes, and no nesting or intersection inside brackets. */
    static Pattern regex(String oniguruma) throws TextEncoder.UnsupportedException {
        var java = new StringBuilder();
        boolean inside = false;
        for (int i = 0; i < oniguruma.length(); i++) {
            char c = oniguruma.charAt(i);
            if (c == '\\' && i + 1 < oniguruma.length()) {
                java.append(c).append(oniguruma.charAt(++i));
            } else if (!inside && c == '[') {
                inside = true;
                java.append(c);
                if (i + 1 < oniguruma.length() && oniguruma.charAt(i + 1) == '^') {
                    java.append(oniguruma.charAt(++i));
                }
            } else if (inside && c == ']') {
                inside = false;
                java.append(c);
            } else if (inside && (c == '[' || c == '&')) {
                java.append('\\').append(c);
            } else {
                java.append(c);
            }
        }
        String pattern = java.toString().replace("\\p{Han}", "\\p{IsHan}").replace("\\p{Hiragana}", "\\p{IsHiragana}")
                .replace("\\p{Katakana}", "\\p{IsKatakana}").replace("\\p{Hangul}", "\\p{IsHangul}").replace("\\p{P}", "\\p{IsPunctuation}");
        return Effort.compile(pattern, Pattern.UNICODE_CHARACTER_CLASS);
    }

    /** Cuts words at matches, with what the library calls a behavior for the matches. */
    private static List<String> cut(List<String> words, Pattern pattern, String behavior, boolean invert, Effort effort)
            throws TextEncoder.UnsupportedException {
        var result = new ArrayList<String>();
        for (String word : words) {
            cut(word, effort.matches(pattern, word), behavior, invert, result);
        }
        return result;
    }

    private record Span(String text, boolean match) {}

    private static void cut(String word, List<int[]> matches, String behavior, boolean invert, List<String> into)
            throws TextEncoder.UnsupportedException {
        var spans = new ArrayList<Span>();
        int done = 0;
        for (int[] match : matches) {
            if (match[0] > done) {
                spans.add(new Span(word.substring(done, match[0]), invert));
            }
            if (match[1] > match[0]) {
                spans.add(new Span(word.substring(match[0], match[1]), !invert));
            }
            done = match[1];
        }
        if (done < word.length()) {
            spans.add(new Span(word.substring(done), invert));
        }
        var out = new ArrayList<String>();
        boolean before = false;
        for (Span span : spans) {
            switch (behavior) {
                case "Removed" -> {
                    if (!span.match) {
                        out.add(span.text);
                    }
                }
                case "Isolated" -> out.add(span.text);
                case "Contiguous" -> append(out, span.text, !out.isEmpty() && span.match == before);
                case "MergedWithPrevious" -> append(out, span.text, span.match && !before && !out.isEmpty());
                case "MergedWithNext" -> append(out, span.text, before && !span.match && !out.isEmpty());
                default -> throw new TextEncoder.UnsupportedException("split behavior " + behavior);
            }
            before = span.match;
        }
        into.addAll(out);
    }

    private static void append(List<String> out, String text, boolean toLast) {
        if (toLast) {
            out.add(out.removeLast() + text);
        } else {
            out.add(text);
        }
    }
}
