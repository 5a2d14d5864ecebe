package ai.luciferai.llama.cli;

import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Similar;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The words of a command line by option, and their conversion to numbers and lists.
 *
 * <p><i>Errors</i>: {@link InvalidOptionException} with the option as the user typed it. Asking for an option that the verb does not
 * declare is an {@link IllegalStateException}: a mistake of ours.
 */
final class Arguments {

    private final Syntax syntax;
    private final List<Syntax.Given> given;
    private final List<String> operands;
    private final Set<Syntax.Option> told = new HashSet<>();

    Arguments(Syntax syntax, List<Syntax.Given> given, List<String> operands) {
        this.syntax = syntax;
        this.given = given;
        this.operands = operands;
        given.forEach(this::requireChoice);
    }

    private void requireChoice(Syntax.Given one) {
        List<String> choices = one.option().choices();
        if (!choices.isEmpty() && !choices.contains(one.value())) {
            String near = Similar.nearest(one.value(), choices);
            throw new InvalidOptionException(one.name(), (choices.size() == 1 ? "" : "one of ") + String.join(", ", choices), quote(one.value()),
                    near == null ? LlamaOptions.read().told(syntax.verb(), one.name()) : "did you mean " + near + "?");
        }
    }

    /** What they were read by. */
    Syntax syntax() {
        return syntax;
    }

    /** The words that belong to no option, in order. */
    List<String> operands() {
        return operands;
    }

    /** See {@link Syntax#stray}. */
    String stray(String operand) {
        return syntax.stray(operand);
    }

    /** Whether the option was given at all. */
    boolean has(String name) {
        return last(name) != null;
    }

    /** Refuses options that contradict each other. */
    void requireOne(String... names) {
        List<String> both = Arrays.stream(names).filter(this::has).toList();
        if (both.size() > 1) {
            throw new InvalidOptionException(typed(both.getLast()), "no " + typed(both.getFirst()) + " beside it", "both");
        }
    }

    /** Whether a switch is on: as last said, or the default. */
    boolean on(String name, boolean fallback) {
        Syntax.Given last = last(name);
        return last == null ? fallback : last.option().names().contains(last.name());
    }

    /** The last value of an option with llama.cpp's words for on, off and auto; empty: auto, or not given. */
    Optional<Boolean> onOffAuto(String name) {
        return switch (text(name, "auto")) {
            case "on", "enabled", "true", "1" -> Optional.of(true);
            case "off", "disabled", "false", "0" -> Optional.of(false);
            default -> Optional.empty();
        };
    }

    /** The option's last value, or null. */
    String text(String name) {
        return text(name, null);
    }

    /** The option's last value, or the default. */
    String text(String name, String fallback) {
        Syntax.Given last = only(name);
        return last == null ? fallback : last.value();
    }

    /** Every value of an option that may be repeated, in order. */
    List<String> texts(String name) {
        Syntax.Option option = syntax.named(name);
        var values = new ArrayList<String>();
        for (Syntax.Given one : given) {
            if (one.option() == option) {
                values.add(one.value());
            }
        }
        return values;
    }

    /** Every value of an option whose values are lists, split at the separator. */
    List<String> list(String name, char separator) {
        var parts = new ArrayList<String>();
        for (String value : texts(name)) {
            int start = 0;
            for (int end; start <= value.length(); start = end + 1) {
                end = value.indexOf(separator, start);
                end = end < 0 ? value.length() : end;
                if (end == start) {
                    throw new InvalidOptionException(typed(name), "values with '" + separator + "' between them", quote(value));
                }
                parts.add(value.substring(start, end));
            }
        }
        return parts;
    }

    /** A whole number; the record that takes it checks the range. */
    int integer(String name, int fallback) {
        Syntax.Given last = only(name);
        return last == null ? fallback : integerOf(last.name(), last.value());
    }

    /** A whole number out of an option's value. */
    static int integerOf(String name, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new InvalidOptionException(name, value.matches("[+-]?\\d+") ? "a whole number of at most " + Integer.MAX_VALUE : "a whole number",
                    quote(value), value.matches("-?\\d+(,-?\\d+)+") ? "one number, no list" : null);
        }
    }

    /** A whole number of at least {@code least}. */
    int integer(String name, int fallback, int least) {
        int value = integer(name, fallback);
        if (value < least && has(name)) {
            throw new InvalidOptionException(typed(name), "a whole number of at least " + least, value);
        }
        return value;
    }

    /** A finite decimal number. */
    float decimal(String name, float fallback) {
        Syntax.Given last = only(name);
        return last == null ? fallback : decimalOf(last.name(), last.value());
    }

    /** A finite decimal number out of an option's value. */
    static float decimalOf(String name, String value) {
        try {
            float number = Float.parseFloat(value);
            // parseFloat also takes "1f", "0x1p3" and surrounding blanks, which nobody means.
            if (Float.isFinite(number) && "0123456789.".indexOf(value.charAt(value.length() - 1)) >= 0 && value.indexOf('x') < 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // answered below
        }
        throw new InvalidOptionException(name, "a number", quote(value));
    }

    /** The option as the user typed it last, for messages. */
    String typed(String name) {
        Syntax.Given last = last(name);
        return last == null ? name : last.name();
    }

    /** The last of an option that takes one value. That others were given before it is said once: scripts add options behind their own. */
    private Syntax.Given only(String name) {
        Syntax.Given last = last(name);
        List<String> values = last == null ? List.of() : texts(name);
        if (new HashSet<>(values).size() > 1 && told.add(last.option())) {
            System.getLogger(Arguments.class.getName()).log(Level.WARNING, "%s is given %d times, only the last counts: %s"
                    .formatted(last.name(), values.size(), quote(last.value())));
        }
        return last;
    }

    private Syntax.Given last(String name) {
        Syntax.Option option = syntax.named(name);
        for (int i = given.size() - 1; i >= 0; i--) {
            if (given.get(i).option() == option) {
                return given.get(i);
            }
        }
        return null;
    }

    /** Text as messages show it: in quotes, and cut when it is long. */
    static String quote(String text) {
        String shown = text.length() > 80 ? text.substring(0, 77) + "…" : text;
        return "'" + shown.replace("\n", "\\n") + "'";
    }
}
