package ai.luciferai.llama.schema;

import ai.luciferai.llama.schema.Regex.Anchor;
import ai.luciferai.llama.schema.Regex.Look;
import ai.luciferai.llama.schema.Regex.Node;
import ai.luciferai.llama.schema.Regex.One;
import ai.luciferai.llama.schema.Regex.Or;
import ai.luciferai.llama.schema.Regex.Then;
import ai.luciferai.llama.schema.Regex.Times;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Reads ECMA-262 patterns as far as they are regular; of look-arounds only looks ahead right after a '^' that begins it. */
final class RegexParser {

    private static final int DEEPEST = 50;
    private static final int MOST_TIMES = 2000;

    private final int[] text;
    private final List<Look> looks = new ArrayList<>();
    private final CodePoints strange = new CodePoints();
    private int at;
    private int depth;

    private RegexParser(String pattern) {
        text = pattern.codePoints().toArray();
    }

    /** What has no grammar, in words. */
    static final class Unsupported extends Exception {

        private static final long serialVersionUID = 1L;

        Unsupported(String what) {
            super(what, null, false, false);
        }
    }

    static Regex parse(String pattern) throws Unsupported {
        RegexParser p = new RegexParser(pattern);
        Node body = p.whole();
        if (p.at < p.text.length) {
            throw new Unsupported("a ')' without its '('");
        }
        return new Regex(pattern, body, p.looks, p.strange);
    }

    private Node whole() throws Unsupported {
        if (!next('^')) {
            return alternatives();
        }
        at++;
        while (next('(') && peek(1) == '?' && (peek(2) == '=' || peek(2) == '!')) {
            boolean negated = peek(2) == '!';
            at += 3;
            looks.add(new Look(closed(), negated));
        }
        List<Node> rest = new ArrayList<>();
        rest.add(new Anchor(false));
        Node first = branch();
        if (!looks.isEmpty() && next('|')) {
            throw new Unsupported("look-ahead before a '|'");
        }
        rest.add(first);
        Node begun = new Then(rest);
        return take('|') ? new Or(List.of(begun, alternatives())) : begun;
    }

    private int peek(int ahead) {
        return at + ahead < text.length ? text[at + ahead] : -1;
    }

    private boolean next(int c) {
        return peek(0) == c;
    }

    private boolean take(int c) {
        boolean is = next(c);
        at += is ? 1 : 0;
        return is;
    }

    private Node alternatives() throws Unsupported {
        List<Node> branches = new ArrayList<>();
        do {
            branches.add(branch());
        } while (take('|'));
        return branches.size() == 1 ? branches.getFirst() : new Or(branches);
    }

    private Node branch() throws Unsupported {
        List<Node> parts = new ArrayList<>();
        while (at < text.length && !next('|') && !next(')')) {
            parts.add(repeated(atom()));
        }
        return new Then(parts);
    }

    private Node atom() throws Unsupported {
        int c = text[at++];
        return switch (c) {
            case '(' -> group();
            case '[' -> new One(characters());
            case '.' -> {
                strange.add(0x85, 0x85); // ends a line for Java
                yield new One(Regex.LINE_ENDS.complement());
            }
            case '\\' -> new One(escapedSet());
            case '^', '$' -> new Anchor(c == '$');
            case '*', '+', '?' -> throw new Unsupported("'" + Character.toString(c) + "' with nothing to repeat");
            case '{', '}', ']' -> throw new Unsupported("'" + Character.toString(c) + "' without a backslash");
            default -> new One(one(c));
        };
    }

    private static CodePoints one(int c) throws Unsupported {
        if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
            throw new Unsupported("half a character");
        }
        return CodePoints.of(c, c);
    }

    private Node group() throws Unsupported {
        if (take('?') && !take(':')) {
            if (!next('<') || peek(1) == '=' || peek(1) == '!') {
                throw new Unsupported("'(?" + (at < text.length ? Character.toString(text[at]) : "") + "' (look-around or flags) here");
            }
            while (at < text.length && !take('>')) { // the name of a group
                at++;
            }
        }
        return closed();
    }

    private Node closed() throws Unsupported {
        if (++depth > DEEPEST) {
            throw new Unsupported("groups nested deeper than " + DEEPEST);
        }
        Node inner = alternatives();
        if (!take(')')) {
            throw new Unsupported("a '(' without its ')'");
        }
        depth--;
        return inner;
    }

    private Node repeated(Node atom) throws Unsupported {
        int least;
        int most;
        if (take('*')) {
            least = 0;
            most = Gbnf.UNLIMITED;
        } else if (take('+')) {
            least = 1;
            most = Gbnf.UNLIMITED;
        } else if (take('?')) {
            least = 0;
            most = 1;
        } else if (take('{')) {
            least = count();
            most = take(',') ? next('}') ? Gbnf.UNLIMITED : count() : least;
            if (!take('}') || most < least || least > MOST_TIMES || most > MOST_TIMES && most != Gbnf.UNLIMITED) {
                throw new Unsupported("'{' without counts from 0 to " + MOST_TIMES);
            }
        } else {
            return atom;
        }
        take('?'); // lazy or not, the same texts match
        if (next('*') || next('+') || next('?') || next('{')) {
            throw new Unsupported("a repetition of a repetition");
        }
        return new Times(atom, least, most);
    }

    private int count() throws Unsupported {
        int start = at;
        long value = 0;
        while (at < text.length && text[at] >= '0' && text[at] <= '9') {
            value = Math.min(MOST_TIMES + 1L, value * 10 + text[at++] - '0');
        }
        if (at == start) {
            throw new Unsupported("'{' without a count");
        }
        return (int) value;
    }

    private CodePoints escapedSet() throws Unsupported {
        CodePoints named = named();
        return named == null ? one(escaped()) : named;
    }

    /** The class after a backslash, or null. */
    private CodePoints named() throws Unsupported {
        CodePoints set = switch (peek(0)) {
            case 'd' -> Regex.DIGIT;
            case 'D' -> Regex.DIGIT.complement();
            case 'w' -> Regex.WORD;
            case 'W' -> Regex.WORD.complement();
            case 's' -> spaces();
            case 'S' -> spaces().complement();
            case 'p', 'P' -> property(peek(0) == 'P');
            default -> null;
        };
        at += set == null ? 0 : 1;
        return set;
    }

    private CodePoints spaces() {
        strange.addAll(Regex.SPACE.minus(CodePoints.of('\t', '\r', ' ', ' '))); // spaces for ECMA-262 only
        return Regex.SPACE;
    }

    /** \p{Lu}: a general category, as Java knows it. Leaves the closing brace to be stepped over. */
    private CodePoints property(boolean negated) throws Unsupported {
        StringBuilder name = new StringBuilder();
        for (at += 2; at < text.length && !next('}') && name.length() < 40; at++) {
            name.appendCodePoint(text[at]);
        }
        String category = switch (name.toString()) {
            case "Letter" -> "L";
            case "Number" -> "N";
            case "Punctuation" -> "P";
            default -> name.toString();
        };
        if (!next('}') || !category.matches("[A-Z][a-z]?")) {
            throw new Unsupported("'\\p{" + name + "}'");
        }
        try {
            var member = Pattern.compile("\\p{" + category + "}").asMatchPredicate();
            CodePoints set = new CodePoints();
            for (int c = 0; c <= CodePoints.LAST; c++) {
                if ((c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) && member.test(Character.toString(c))) {
                    set.add(c, c);
                }
            }
            return negated ? set.complement() : set;
        } catch (PatternSyntaxException e) {
            throw new Unsupported("'\\p{" + name + "}'");
        }
    }

    private int escaped() throws Unsupported {
        if (at == text.length) {
            throw new Unsupported("a '\\' at the end");
        }
        int c = text[at++];
        return switch (c) {
            case 't' -> '\t';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 'f' -> '\f';
            case 'v' -> 0x0B;
            case '0' -> 0;
            case 'c' -> control();
            case 'x' -> hex(2);
            case 'u' -> unicode();
            default -> {
                if (Character.isLetterOrDigit(c)) {
                    throw new Unsupported("'\\" + Character.toString(c) + "'");
                }
                yield c;
            }
        };
    }

    private int control() throws Unsupported {
        int letter = peek(0);
        if (letter < 'A' || letter > 'z' || letter > 'Z' && letter < 'a') {
            throw new Unsupported("'\\c' without a letter");
        }
        at++;
        return letter % 32;
    }

    private int unicode() throws Unsupported {
        if (take('{')) {
            int value = 0;
            while (at < text.length && !take('}')) {
                value = Math.min(CodePoints.LAST, value * 16 + Math.max(0, Character.digit(text[at++], 16)));
            }
            return value;
        }
        int unit = hex(4);
        if (Character.isHighSurrogate((char) unit) && next('\\') && peek(1) == 'u') {
            at += 2;
            return Character.toCodePoint((char) unit, (char) hex(4));
        }
        return unit;
    }

    private int hex(int digits) throws Unsupported {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < text.length ? Character.digit(text[at], 16) : -1;
            if (digit < 0) {
                throw new Unsupported("an escape without its " + digits + " hexadecimal digits");
            }
            value = value * 16 + digit;
            at++;
        }
        return value;
    }

    private CodePoints characters() throws Unsupported {
        boolean negated = take('^');
        CodePoints set = new CodePoints();
        while (!take(']')) {
            if (at == text.length) {
                throw new Unsupported("a '[' without its ']'");
            }
            member(set);
        }
        CodePoints chosen = negated ? set.complement() : set;
        if (chosen.isEmpty()) {
            throw new Unsupported("a class without characters");
        }
        return chosen;
    }

    private void member(CodePoints set) throws Unsupported {
        if (take('\\')) {
            CodePoints named = named();
            if (named != null) {
                set.addAll(named);
                return;
            }
            at--;
        }
        int first = memberCharacter();
        int last = first;
        if (next('-') && at + 1 < text.length && text[at + 1] != ']') {
            at++;
            last = memberCharacter();
        }
        if (last < first) {
            throw new Unsupported("a class whose range runs backwards");
        }
        set.add(first, last);
    }

    private int memberCharacter() throws Unsupported {
        int c = text[at++];
        if (c == '[' || c == '&' && next('&')) {
            throw new Unsupported("'" + Character.toString(c) + "' in a class, which dialects read differently");
        }
        if (c == '\\' && take('b')) {
            return '\b';
        }
        return c == '\\' ? escaped() : c;
    }
}
