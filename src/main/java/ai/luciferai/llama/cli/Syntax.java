package ai.luciferai.llama.cli;

import ai.luciferai.llama.core.InvalidOptionException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a verb accepts, declared in the order in which its help shows it.
 *
 * <p>Parsing follows llama.cpp: an option takes the next word whatever it looks like ({@code -p -n} has the prompt "-n"), words
 * have one or two dashes as declared and are never bundled, a repeated option counts with its last value. On top,
 * {@code --name=value} works, and {@code --} ends the options.
 */
final class Syntax {

    /** How an option gets its value. */
    enum Kind {
        /** None: it is there or not. */
        FLAG,
        /** None: {@link Option#opposites} switch it off again. */
        SWITCH,
        /** The next word. */
        VALUE,
        /** The next word when it is one of {@link Option#choices}. */
        OPTIONAL
    }

    /** One option; {@code fallback} is what its help shows as the default (null: nothing). */
    record Option(Kind kind, List<String> names, List<String> opposites, String parameter, List<String> choices, String help,
                  Object fallback, String group) {}

    private final String verb;
    private final String operands;
    private final int maxOperands;
    private final String summary;
    private final List<Option> options = new ArrayList<>();
    private final Map<String, Option> byName = new HashMap<>();
    private final List<String> notes = new ArrayList<>();
    private String group = "Options";

    /**
     * @param verb        its name
     * @param operands    how the help shows words without a dash: "MODEL", "" for none
     * @param maxOperands how many of them are accepted
     * @param summary     what the verb does, one sentence, and more after a line break
     */
    Syntax(String verb, String operands, int maxOperands, String summary) {
        this.verb = verb;
        this.operands = operands;
        this.maxOperands = maxOperands;
        this.summary = summary;
    }

    /** Starts a group of the help; the options that follow belong to it. */
    Syntax group(String title) {
        group = title;
        return this;
    }

    /** An option without value. */
    Syntax flag(String names, String help) {
        return add(new Option(Kind.FLAG, words(names), List.of(), "", List.of(), help, null, group));
    }

    /** A flag that can also be denied; the last word said counts. */
    Syntax toggle(String names, String opposites, String help) {
        return add(new Option(Kind.SWITCH, words(names), words(opposites), "", List.of(), help, null, group));
    }

    /** An option with a value. */
    Syntax option(String names, String parameter, String help) {
        return option(names, parameter, help, null);
    }

    /** An option with a value and a default, which only the help reads. */
    Syntax option(String names, String parameter, String help, Object fallback) {
        return add(new Option(Kind.VALUE, words(names), List.of(), parameter, List.of(), help, fallback, group));
    }

    /** An option with one of some values; the default is for the help. */
    Syntax choice(String names, List<String> choices, String help, Object fallback) {
        return add(new Option(Kind.VALUE, words(names), List.of(), bars(choices), choices, help, fallback, group));
    }

    /** Like {@link #choice}, but the value may be left out; it is then the first one. */
    Syntax optional(String names, List<String> choices, String help, Object fallback) {
        return add(new Option(Kind.OPTIONAL, words(names), List.of(), bars(choices), choices, help, fallback, group));
    }

    /** A paragraph below the options. */
    Syntax note(String text) {
        notes.add(text);
        return this;
    }

    private Syntax add(Option option) {
        options.add(option);
        register(option, option.names());
        register(option, option.opposites());
        return this;
    }

    private void register(Option option, List<String> names) {
        for (String name : names) {
            if (byName.put(name, option) != null) {
                throw new IllegalStateException(verb + " declares " + name + " twice");
            }
        }
    }

    private static List<String> words(String names) {
        return Arrays.asList(names.split(" "));
    }

    private static String bars(List<String> choices) {
        return String.join("|", choices);
    }

    /** Reads the words from {@code args[from]} on. */
    Arguments parse(String[] args, int from) {
        var parsed = new Arguments(this);
        int i = from;
        while (i < args.length) {
            String word = args[i++];
            if (word.equals("--")) {
                while (i < args.length) {
                    operand(parsed, args[i++]);
                }
            } else if (word.length() > 1 && word.startsWith("-")) {
                i = option(parsed, word, args, i);
            } else {
                operand(parsed, word);
            }
        }
        return parsed;
    }

    /** Takes one option, and its value from {@code args[next]} or after "="; returns the index behind what it took. */
    private int option(Arguments parsed, String word, String[] args, int next) {
        Option option = byName.get(word);
        if (option == null) {
            int equals = word.indexOf('=');
            option = equals > 0 ? byName.get(word.substring(0, equals)) : null;
            if (option == null || option.kind() == Kind.FLAG || option.kind() == Kind.SWITCH) {
                throw unknown(word);
            }
            parsed.add(option, word.substring(0, equals), word.substring(equals + 1));
            return next;
        }
        switch (option.kind()) {
            case FLAG, SWITCH -> parsed.add(option, word, "");
            case VALUE -> {
                if (next == args.length) {
                    throw new InvalidOptionException(word, "a value (" + option.parameter() + ")", "nothing", see());
                }
                parsed.add(option, word, args[next++]);
            }
            case OPTIONAL -> {
                boolean given = next < args.length && option.choices().contains(args[next]);
                parsed.add(option, word, given ? args[next++] : option.choices().getFirst());
            }
        }
        return next;
    }

    private void operand(Arguments parsed, String word) {
        if (parsed.operands().size() == maxOperands) {
            throw new InvalidOptionException(verb, maxOperands == 0 ? "options only" : "no more than " + operands,
                    Arguments.quote(word), see());
        }
        parsed.operands().add(word);
    }

    private InvalidOptionException unknown(String word) {
        String near = Similar.nearest(word, byName.keySet());
        return new InvalidOptionException(word, "an option of " + verb, "an unknown one",
                near == null ? see() : "did you mean " + near + "? " + see());
    }

    /** Where to look further. */
    String see() {
        return "see lucifer-llama " + verb + " --help";
    }

    boolean declares(String name) {
        return byName.containsKey(name);
    }

    /** The option of that name. */
    Option named(String name) {
        Option option = byName.get(name);
        if (option == null) {
            throw new IllegalStateException(verb + " does not declare " + name);
        }
        return option;
    }

    String verb() {
        return verb;
    }

    String operands() {
        return operands;
    }

    String summary() {
        return summary;
    }

    List<Option> options() {
        return options;
    }

    List<String> notes() {
        return notes;
    }
}
