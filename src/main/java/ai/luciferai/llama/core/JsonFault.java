package ai.luciferai.llama.core;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a JSON parser says of a text that is no JSON, without what only concerns the parser. */
public final class JsonFault {

    /** Jackson names the source of a text that it was told not to show, even inside its sentences. */
    private static final Pattern SOURCE = Pattern.compile("\\[Source: [^\\]]*?(line: \\d+), column: (\\d+|-\\d+)\\]|\\[Source: [^\\]]*\\]");
    private static final Pattern FEATURE = Pattern.compile(": enable `?JsonReadFeature[^:]*? to allow| \\(not recognized as one since Feature [^)]*\\)|\\(`?StreamReadFeature[^)]*\\)");

    /** What the parser says by the names of its own limits and switches, and how it is said to those who wrote the text. */
    private static final Map<Pattern, String> WORDS = words();

    private JsonFault() {}

    private static Map<Pattern, String> words() {
        var words = new LinkedHashMap<Pattern, String>();
        words.put(limit("Document nesting depth"), "values nested deeper than $2");
        words.put(limit("Number value length"), "a number of $1 characters, at most $2 are read");
        words.put(limit("String value length"), "a string of $1 characters, at most $2 are read");
        words.put(limit("Name length"), "a key of $1 characters, at most $2 are read");
        words.put(Pattern.compile("(?s)Duplicate (?:field|Object property) [\"'](.*?)[\"'].*"), "the key '$1' twice in one object");
        words.put(Pattern.compile("(?s)Trailing token .* found after value.*"), "more text behind the JSON value");
        return words;
    }

    private static Pattern limit(String what) {
        return Pattern.compile("(?s)" + what + " \\((\\d+)\\) exceeds the maximum allowed \\((\\d+).*");
    }

    /** A parser's message, in the words of the text's author. */
    public static String text(String message) {
        for (var word : WORDS.entrySet()) {
            Matcher found = word.getKey().matcher(message);
            if (found.matches()) {
                return found.replaceFirst(word.getValue());
            }
        }
        String plain = SOURCE.matcher(message).replaceAll(found -> found.group(1) == null ? "" : found.group(1).replace(":", ""));
        return FEATURE.matcher(plain).replaceAll("").strip();
    }

    /** The same, with the line where that is not the first of a text of one line. */
    public static String text(String message, int line) {
        return text(message) + (line > 1 ? ", in line " + line : "");
    }
}
