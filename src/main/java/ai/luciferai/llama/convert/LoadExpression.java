package ai.luciferai.llama.convert;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Evaluates an expression of llama.cpp's loader, C++ on whole numbers: {@code n_embd + 2*n_embd_gqa}, {@code i != 0 ? 2 : 0}. A name or
 * function that nothing is known of has no value, and neither has what depends on it.
 */
final class LoadExpression {

    /** What the names of an expression stand for. */
    interface Scope {
        /** Value of a variable, or null. */
        Long variable(String name);

        /** Value of a function, or null. */
        Long call(String name, List<Long> arguments);

        /** Value of a quoted name of a tensor or key: 1 where the model has it. */
        Long quoted(String text);
    }

    private static final Pattern TOKEN = Pattern.compile("\\s*(\"[^\"]*\"|[\\w.]+|&&|\\|\\||[=!<>]=|[-+*/%!<>?:()|&,])");
    /** From the weakest on. */
    private static final String[][] LEVELS = {{"||"}, {"&&"}, {"|"}, {"&"}, {"==", "!="}, {"<", ">", "<=", ">="}, {"+", "-"}, {"*", "/", "%"}};

    private final List<String> tokens = new ArrayList<>();
    private final Scope scope;
    private int at;

    private LoadExpression(String text, Scope scope) {
        this.scope = scope;
        Matcher token = TOKEN.matcher(text);
        int end = 0;
        while (token.lookingAt()) {
            tokens.add(token.group(1));
            end = token.end();
            token.region(end, text.length());
        }
        if (end != text.stripTrailing().length()) {
            tokens.clear(); // not of this little language: no value
        }
    }

    /** The value, or null where it cannot be known. */
    static Long evaluate(String text, Scope scope) {
        var expression = new LoadExpression(text, scope);
        if (expression.tokens.isEmpty()) {
            return null;
        }
        Long value = expression.choice();
        return expression.at == expression.tokens.size() ? value : null;
    }

    private boolean take(String token) {
        boolean found = at < tokens.size() && tokens.get(at).equals(token);
        at += found ? 1 : 0;
        return found;
    }

    private Long choice() {
        Long condition = binary(0);
        if (!take("?")) {
            return condition;
        }
        Long yes = choice();
        take(":");
        Long no = choice();
        return condition == null ? (yes != null && yes.equals(no) ? yes : null) : condition != 0 ? yes : no;
    }

    private Long binary(int level) {
        if (level == LEVELS.length) {
            return unary();
        }
        Long left = binary(level + 1);
        while (true) {
            String operator = null;
            for (String candidate : LEVELS[level]) {
                if (operator == null && take(candidate)) {
                    operator = candidate;
                }
            }
            if (operator == null) {
                return left;
            }
            left = apply(operator, left, binary(level + 1));
        }
    }

    private static Long apply(String operator, Long a, Long b) {
        if (operator.equals("&&") && (isFalse(a) || isFalse(b))) {
            return 0L;
        }
        if (operator.equals("||") && (isTrue(a) || isTrue(b))) {
            return 1L;
        }
        if (a == null || b == null || b == 0 && (operator.equals("/") || operator.equals("%"))) {
            return null;
        }
        return switch (operator) {
            case "&&", "||" -> truth(operator.equals("&&")); // neither decided above: both true, or both false
            case "|" -> a | b;
            case "&" -> a & b;
            case "==" -> truth(a.equals(b));
            case "!=" -> truth(!a.equals(b));
            case "<" -> truth(a < b);
            case ">" -> truth(a > b);
            case "<=" -> truth(a <= b);
            case ">=" -> truth(a >= b);
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            default -> a % b;
        };
    }

    private static boolean isFalse(Long value) {
        return value != null && value == 0;
    }

    private static boolean isTrue(Long value) {
        return value != null && value != 0;
    }

    private static Long truth(boolean value) {
        return value ? 1L : 0L;
    }

    private Long unary() {
        if (take("!")) {
            Long value = unary();
            return value == null ? null : truth(value == 0);
        }
        if (take("-")) {
            Long value = unary();
            return value == null ? null : -value;
        }
        if (take("(")) {
            Long value = choice();
            take(")");
            return value;
        }
        return at < tokens.size() ? primary(tokens.get(at++)) : null;
    }

    private Long primary(String token) {
        if (token.charAt(0) == '"') {
            return scope.quoted(token.substring(1, token.length() - 1));
        }
        if (Character.isDigit(token.charAt(0))) {
            return token.chars().allMatch(Character::isDigit) ? Long.valueOf(token) : null;
        }
        if (!take("(")) {
            return scope.variable(token);
        }
        if (token.equals("key")) { // key("name"): whether the model has it
            Long found = choice();
            take(")");
            return found;
        }
        var arguments = new ArrayList<Long>();
        while (at < tokens.size() && !take(")")) {
            arguments.add(choice());
            take(",");
        }
        return scope.call(token, arguments);
    }
}
