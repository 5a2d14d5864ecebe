package ai.luciferai.llama.core;

import java.util.ArrayDeque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Regular expressions out of files. One can nest too deep, repeat without reading a character, or backtrack for ever: compiled here and
 * matched against {@link #counted} text, it ends.
 */
public final class BoundedRegex {

    private static final int LONGEST = 32 * 1024;
    private static final int MOST_REPEATS = 1_000_000;
    private static final Pattern REPEAT = Pattern.compile("\\{(\\d{0,9}),?(\\d{0,9})\\}");

    private BoundedRegex() {}

    /**
     * Compiles it, unless it is too deep or repeats too often what it repeats.
     *
     * @throws PatternSyntaxException for those too
     */
    public static Pattern compile(String regex, int flags) {
        try {
            if (regex.length() <= LONGEST && repeats(regex) <= MOST_REPEATS) {
                return Pattern.compile(regex, flags);
            }
        } catch (StackOverflowError deep) {
            // refused with the others
        }
        throw new PatternSyntaxException("too long, too deep or with too many repeats", regex, -1);
    }

    /**
     * A text to match against.
     *
     * @param step called for each character that is read; what it throws ends the match
     */
    public static CharSequence counted(String text, Runnable step) {
        return new Counted(text, step);
    }

    /** How often the innermost part of a regex is repeated by counts, those around it multiplied. */
    private static long repeats(String regex) {
        var outer = new ArrayDeque<Long>();
        long most = 1; // of the group so far
        long last = 1; // of the part before this place
        Matcher repeat = REPEAT.matcher(regex);
        for (int i = 0; i < regex.length(); i++) {
            switch (regex.charAt(i)) {
                case '\\' -> {
                    i++;
                    last = 1;
                }
                case '(' -> {
                    outer.push(most);
                    most = 1;
                    last = 1;
                }
                case ')' -> {
                    last = most;
                    most = Math.max(most, outer.isEmpty() ? 1 : outer.pop());
                }
                case '{' -> {
                    if (repeat.find(i) && repeat.start() == i) {
                        String count = repeat.group(2).isEmpty() ? repeat.group(1) : repeat.group(2);
                        last = Math.min(MOST_REPEATS + 1L, last * (count.isEmpty() ? 1 : Math.max(1, Long.parseLong(count))));
                        most = Math.max(most, last);
                    }
                }
                default -> last = 1;
            }
        }
        return outer.stream().reduce(most, Math::max);
    }

    private record Counted(String text, Runnable step) implements CharSequence {

        @Override
        public char charAt(int index) {
            step.run();
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.subSequence(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
