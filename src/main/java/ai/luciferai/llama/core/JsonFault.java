package ai.luciferai.llama.core;

import java.util.regex.Pattern;

/** What a JSON parser says of a text that is no JSON, without what only concerns the parser. */
public final class JsonFault {

    /** Jackson names the source of a text that it was told not to show, even inside its sentences. */
    private static final Pattern SOURCE = Pattern.compile("\\[Source: [^\\]]*?(line: \\d+), column: (\\d+|-\\d+)\\]|\\[Source: [^\\]]*\\]");
    private static final Pattern FEATURE = Pattern.compile(": enable `?JsonReadFeature[^:]*? to allow| \\(not recognized as one since Feature [^)]*\\)|\\(`?StreamReadFeature[^)]*\\)");

    private JsonFault() {}

    /** A parser's message, cleaned. */
    public static String text(String message) {
        String plain = SOURCE.matcher(message).replaceAll(found -> found.group(1) == null ? "" : found.group(1).replace(":", ""));
        return FEATURE.matcher(plain).replaceAll("").strip();
    }
}
