package ai.luciferai.llama.cli;

import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Similar;
import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Stack;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * What a verb accepts, declared in the order in which its help shows it; picocli reads the words and writes the help.
 *
 * <p>Declared in code, not by annotations, which would be read by reflection at each start. Parsing follows llama.cpp: an option takes
 * the next word whatever it looks like ({@code -p -n} has the prompt "-n"), words have one or two dashes as declared and are never
 * bundled, a repeated option counts with its last value ({@link Arguments} says so). On top, {@code --name=value} works, and {@code --} ends the options.
 */
final class Syntax {

    private static final int WIDTH = 110;

    private static final List<String> ON_OFF_AUTO = List.of("on", "off", "auto", "1", "0", "enabled", "disabled", "true", "false", "-1");

    /** Makes the lists that words are put into, all that is asked for; picocli's own looks for Groovy in every jar, 6 ms of a start. */
    private static final CommandLine.IFactory LISTS = new CommandLine.IFactory() {
        @Override
        public <K> K create(Class<K> type) {
            if (type != List.class) {
                throw new IllegalArgumentException("no way to make " + type.getName());
            }
            return type.cast(new ArrayList<>());
        }
    };

    /** How an option gets its value. */
    enum Kind {
        /** None: it is there or not. */
        FLAG,
        /** None: {@link Option#opposites} switch it off again. */
        SWITCH,
        /** The next word. */
        VALUE,
        /** The next word, unless that is another option or may be an operand. */
        OPTIONAL
    }

    /** One option. */
    record Option(Kind kind, List<String> names, List<String> opposites, String parameter, List<String> choices) {

        private boolean isNamed(String word) {
            return names.contains(word) || opposites.contains(word);
        }
    }

    /** An option as it was given; {@code value} is "" for one that takes none. */
    record Given(Option option, String name, String value) {}

    private final String verb;
    private final String operands;
    private final int maxOperands;
    private final String summary;
    private final Map<String, Option> byName = new HashMap<>();
    private final List<ArgGroupSpec.Builder> groups = new ArrayList<>();
    private final StringBuilder notes = new StringBuilder();

    /** What is being parsed: the words, the first that is not accounted for, and the options so far. */
    private String[] words = {};
    private int cursor;
    private final List<Given> given = new ArrayList<>();

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
        groups.add(ArgGroupSpec.builder().validate(false).order(groups.size()).heading("%n" + literal(title) + ":%n"));
        return this;
    }

    /** An option without value. */
    Syntax flag(String names, String help) {
        return add(new Option(Kind.FLAG, words(names), List.of(), "", List.of()), help, null);
    }

    /** A flag that can also be denied; the last word said counts. */
    Syntax toggle(String names, String opposites, String help) {
        return add(new Option(Kind.SWITCH, words(names), words(opposites), "", List.of()), help, null);
    }

    /** An option with a value. */
    Syntax option(String names, String parameter, String help) {
        return option(names, parameter, help, null);
    }

    /** An option with a value and a default, which only the help reads. */
    Syntax option(String names, String parameter, String help, Object fallback) {
        return add(new Option(Kind.VALUE, words(names), List.of(), parameter, List.of()), help, fallback);
    }

    /** An option with one of some values; the default is for the help. */
    Syntax choice(String names, List<String> choices, String help, Object fallback) {
        return add(new Option(Kind.VALUE, words(names), List.of(), bars(choices), choices), help, fallback);
    }

    /** Like {@link #choice}, but the value may be left out; it is then the first one. */
    Syntax optional(String names, List<String> choices, String help, Object fallback) {
        return add(new Option(Kind.OPTIONAL, words(names), List.of(), bars(choices), choices), help, fallback);
    }

    /** Like {@link #optional} with llama.cpp's words for on, off and auto, of which the help shows one each. */
    Syntax onOffAuto(String names, String help, Object fallback) {
        return add(new Option(Kind.OPTIONAL, words(names), List.of(), "on|off|auto", ON_OFF_AUTO), help, fallback);
    }

    /**
     * An option of llama.cpp's that may only ask for what happens anyway; {@link LlamaOptions} says why nothing else is possible.
     *
     * @param values the help shows the first two
     */
    Syntax accepted(String names, List<String> values, String help) {
        return add(new Option(Kind.VALUE, words(names), List.of(), bars(values.subList(0, Math.min(2, values.size()))), values), help, null);
    }

    /** A paragraph below the options. */
    Syntax note(String text) {
        notes.append("%n").append(literal(text)).append("%n");
        return this;
    }

    private Syntax add(Option option, String help, Object fallback) {
        register(option, option.names());
        register(option, option.opposites());
        if (groups.isEmpty()) {
            group("Options");
        }
        var names = new ArrayList<>(option.names());
        names.addAll(option.opposites());
        OptionSpec.Builder spec = OptionSpec.builder(names.toArray(String[]::new))
                .description(literal(help + (fallback == null ? "" : " (default: " + fallback + ")")))
                .order(byName.size());
        switch (option.kind()) {
            case FLAG, SWITCH -> spec.arity("0").type(boolean.class).setter(recording(option));
            case VALUE -> spec.arity("1").type(String.class).paramLabel(option.parameter())
                    .parameterConsumer((rest, arg, command) -> recordValue(option, rest));
            case OPTIONAL -> spec.arity("0..1").type(String.class).paramLabel(option.parameter())
                    .parameterConsumer((rest, arg, command) -> recordOptional(option, rest));
        }
        groups.getLast().addArg(spec.build());
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

    /** picocli formats its texts. */
    private static String literal(String text) {
        return text.replace("%", "%%").replace("\n", "%n");
    }

    /** The first line by itself, the others as one paragraph that the help fills. */
    private static String reflowed(String text) {
        int first = text.indexOf('\n') + 1;
        return text.substring(0, first) + text.substring(first).replace('\n', ' ');
    }

    /** @param grouped for the help; reading words needs no groups, which would take half of its time */
    private CommandLine commandLine(boolean grouped) {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(null, LISTS).name("lucifer-llama " + verb);
        if (grouped) {
            groups.forEach(group -> spec.addArgGroup(group.build()));
        } else {
            groups.forEach(group -> group.args().forEach(option -> spec.addOption((OptionSpec) option)));
        }
        spec.addPositional(PositionalParamSpec.builder().arity("0..*").type(List.class).auxiliaryTypes(String.class).hidden(true).build());
        spec.usageMessage().customSynopsis("lucifer-llama " + verb + " [options]" + (operands.isEmpty() ? "" : " " + operands))
                .description("%n" + literal(reflowed(summary))).footer(notes.toString()).width(WIDTH).sortOptions(false);
        spec.parser().posixClusteredShortOptionsAllowed(false).overwrittenOptionsAllowed(true).toggleBooleanFlags(false);
        return new CommandLine(spec, LISTS).setExpandAtFiles(false).setInterpolateVariables(false);
    }

    /** The help of the verb. */
    String help() {
        return commandLine(true).getUsageMessage(Ansi.OFF);
    }

    /** Reads the words from {@code args[from]} on. */
    Arguments parse(String[] args, int from) {
        words = Arrays.copyOfRange(args, from, args.length);
        cursor = 0;
        given.clear();
        List<String> rest;
        try {
            rest = commandLine(false).parseArgs(words).matchedPositionalValue(0, List.of());
        } catch (UnmatchedArgumentException e) {
            throw unknown(e.getUnmatched().getFirst());
        } catch (ParameterException e) {
            throw refusal(e);
        }
        if (rest.size() > maxOperands) {
            String extra = rest.get(maxOperands);
            String stray = stray(extra);
            throw new InvalidOptionException(verb, maxOperands == 0 ? "options only" : "no more than " + operands,
                    Arguments.quote(extra), stray == null ? see() : stray);
        }
        return new Arguments(this, List.copyOf(given), List.copyOf(rest));
    }

    /** Why a word may stand where no operand was meant: behind an option that takes no value. Null: no such option is before it. */
    String stray(String operand) {
        for (int i = 1; i < words.length; i++) {
            Option before = byName.get(words[i - 1]);
            if (words[i].equals(operand) && before != null && (before.kind() == Kind.FLAG || before.kind() == Kind.SWITCH)) {
                return words[i - 1] + " takes no value";
            }
        }
        return null;
    }

    /** A setter that picocli calls for each occurrence, in order. */
    private CommandLine.Model.ISetter recording(Option option) {
        return new CommandLine.Model.ISetter() {
            @Override
            public <T> T set(T value) {
                if (value != null) { // null: picocli's reset before parsing
                    record(option, "", false);
                }
                return value;
            }
        };
    }

    /** The next word, also one that looks like an option, which picocli would refuse. */
    private void recordValue(Option option, Stack<String> rest) {
        if (rest.isEmpty()) {
            seek(option);
            throw new InvalidOptionException(words[cursor], "a value (" + option.parameter() + ")", "nothing", see());
        }
        record(option, rest.pop(), true);
    }

    /** The next word when it is one of the choices, stands behind "=", or can only be meant as the value. */
    private void recordOptional(Option option, Stack<String> rest) {
        seek(option);
        boolean inline = words[cursor].indexOf('=') > 0;
        boolean said = inline || !rest.isEmpty() && (option.choices().contains(rest.peek()) || !mayBeElse(rest.peek()));
        record(option, said ? rest.pop() : option.choices().getFirst(), said);
    }

    /** Whether a word may be an option, or a file among the operands. */
    private boolean mayBeElse(String word) {
        return word.startsWith("-") || maxOperands > 0 && (word.contains(".") || word.contains("/") || new File(word).exists());
    }

    /** Notes an option under the name that the user typed, which picocli does not tell. */
    private void record(Option option, String value, boolean takesValue) {
        seek(option);
        String name = nameIn(words[cursor]);
        boolean inline = words[cursor].length() > name.length();
        cursor += takesValue && !inline ? 2 : 1;
        given.add(new Given(option, name, value));
    }

    private void seek(Option option) {
        while (!option.isNamed(nameIn(words[cursor]))) {
            cursor++;
        }
    }

    private String nameIn(String word) {
        int equals = word.indexOf('=');
        return byName.containsKey(word) || equals < 0 ? word : word.substring(0, equals);
    }

    /** picocli refuses the values of flags, and wraps what a consumer throws. */
    private InvalidOptionException refusal(ParameterException e) {
        if (e.getCause() instanceof InvalidOptionException ours) {
            return ours;
        }
        for (String word : Arrays.copyOfRange(words, cursor, words.length)) {
            Option option = byName.get(nameIn(word));
            boolean takesNone = option != null && (option.kind() == Kind.FLAG || option.kind() == Kind.SWITCH);
            if (takesNone && !byName.containsKey(word)) {
                return new InvalidOptionException(word, "no value behind " + nameIn(word), Arguments.quote(word), see());
            }
        }
        return new InvalidOptionException(verb, "words that its --help lists", e.getMessage(), see());
    }

    /** Options that exist elsewhere are told as such: the nearest of this verb's would mean something else. */
    private InvalidOptionException unknown(String word) {
        String name = word.startsWith("-") && word.indexOf('=') > 0 ? word.substring(0, word.indexOf('=')) : word;
        String expected = "an option of " + verb;
        String told = LlamaOptions.read().told(verb, name);
        if (told != null) {
            return new InvalidOptionException(name, expected, "one of llama.cpp's that is not here", told);
        }
        List<String> others = Main.VERBS.stream().filter(other -> Main.command(other).syntax().declares(name)).toList();
        if (!others.isEmpty()) {
            return new InvalidOptionException(name, expected, "one of " + String.join(", ", others), "it does nothing here; " + see());
        }
        String near = Similar.nearest(word, byName.keySet());
        return new InvalidOptionException(word, expected, "an unknown one", near == null ? see() : "did you mean " + near + "? " + see());
    }

    /** Where to look further. */
    String see() {
        return "see lucifer-llama " + verb + " --help";
    }

    boolean declares(String name) {
        return byName.containsKey(name);
    }

    /** Whether the help shows an operand by this name: "[MODEL]", "OUT". */
    boolean hasOperand(String name) {
        return Arrays.asList(operands.split("\\W+")).contains(name);
    }

    /** All that are declared. */
    Collection<Option> options() {
        return new LinkedHashSet<>(byName.values());
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

    String summary() {
        return summary;
    }
}
