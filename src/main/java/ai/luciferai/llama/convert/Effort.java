package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.BoundedRegex;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * What recognising a tokenizer may cost. Its regexes and normalizers come from the model's files: a regex can backtrack for ever, and a
 * few steps that each double a text are enough to fill any memory. All work with them is counted here, and refused from some point on.
 */
final class Effort {

    /** A second or two; the largest tokenizers need a hundredth of it. */
    private static final long STEPS = 100_000_000;
    /** Characters that the texts for recognising a tokenizer, of some 2000, may swell to. */
    static final int LONGEST = 32 * 1024;

    private long left = STEPS;

    /** Counts work. */
    void spend(long steps) throws TextEncoder.UnsupportedException {
        left -= steps;
        if (left < 0) {
            throw new TextEncoder.UnsupportedException("work: encoding one short text takes too many steps");
        }
    }

    private void step() {
        try {
            spend(1);
        } catch (TextEncoder.UnsupportedException reason) {
            throw new SpentException(reason);
        }
    }

    /** A text that is made from another, unless it has become too long. */
    String checked(String text) throws TextEncoder.UnsupportedException {
        spend(text.length());
        if (text.length() > LONGEST) {
            throw new TextEncoder.UnsupportedException("normalizer or pre-tokenizer, which makes a text longer than " + LONGEST + " characters");
        }
        return text;
    }

    /** {@link String#replace} with a result that is not too long. */
    String replace(String text, String from, String to) throws TextEncoder.UnsupportedException {
        return checked(replaceWithin(text, from, to, LONGEST));
    }

    /** {@link String#replace} that stops where the result has more than so many characters. */
    static String replaceWithin(String text, String from, String to, int most) {
        if (to.length() <= from.length() || !text.contains(from)) {
            return text.replace(from, to);
        }
        var result = new StringBuilder();
        int done = 0;
        for (int at = text.indexOf(from); at >= 0 && result.length() <= most; at = at < text.length() ? text.indexOf(from, Math.max(done, at + 1)) : -1) {
            result.append(text, done, at).append(to);
            done = at + from.length();
        }
        return result.append(text, done, text.length()).toString();
    }

    /** Starts and ends of the matches of a regex. */
    List<int[]> matches(Pattern pattern, String text) throws TextEncoder.UnsupportedException {
        var spans = new ArrayList<int[]>();
        try {
            Matcher matcher = pattern.matcher(BoundedRegex.counted(text, this::step));
            while (matcher.find()) {
                spans.add(new int[] {matcher.start(), matcher.end()});
            }
        } catch (SpentException spent) {
            throw spent.reason;
        } catch (StackOverflowError deep) {
            throw new TextEncoder.UnsupportedException("regex " + pattern);
        }
        return spans;
    }

    /** A regex, unless it is too deep or repeats too often what it repeats. */
    static Pattern compile(String regex, int flags) throws TextEncoder.UnsupportedException {
        try {
            return BoundedRegex.compile(regex, flags);
        } catch (PatternSyntaxException odd) {
            throw new TextEncoder.UnsupportedException("regex " + regex);
        }
    }

    /** Ends a match from inside: a character sequence cannot throw the checked exception. */
    private static final class SpentException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient TextEncoder.UnsupportedException reason;

        SpentException(TextEncoder.UnsupportedException reason) {
            super(null, null, false, false);
            this.reason = reason;
        }
    }
}
