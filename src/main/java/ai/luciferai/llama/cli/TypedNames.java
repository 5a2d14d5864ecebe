package ai.luciferai.llama.cli;

import static java.util.Map.entry;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a user typed for what the library's records call by their own names: {@code topK} is {@code --top-k}, and {@code output} what the
 * verb calls its output.
 */
final class TypedNames {

    /** Names that are no option's, or that several options set. Where several were given, the one whose value is blamed, else the first here. */
    private static final Map<String, List<String>> OPTIONS = Map.ofEntries(
            entry("grammar", List.of("--grammar", "--grammar-file", "-j", "-jf")),
            entry("json-schema", List.of("-j", "-jf")),
            entry("chat-template", List.of("--chat-template", "--chat-template-file")),
            entry("tensor-type", List.of("--tensor-type-file", "--tensor-type")),
            entry("output", List.of("--outfile", "--model-out", "--lora-out", "-o", "--html", "--save-logits", "--out-dir")),
            entry("model", List.of("-sm", "-mg", "-ts", "-dev", "-ngl")),
            entry("context", List.of("-ctk", "-ctv", "-fa", "-c", "-np", "-b", "-ub", "--swa-full", "--rope-scaling")),
            entry("type", List.of("--types")),
            entry("max-tokens", List.of("--max-tokens", "-n")),
            entry("context-size", List.of("-c")),
            entry("ctx-size", List.of("-c")),
            entry("prompt", List.of("-p", "-f")),
            entry("kv-override", List.of("--override-kv")),
            entry("dry-breakers", List.of("--dry-sequence-breaker")),
            entry("inputs", List.of("--in-file")));

    /** What the help calls the words without a dash, where a verb has such. */
    private static final Map<String, List<String>> OPERANDS = Map.of("input", List.of("INPUT", "IN"), "output", List.of("OUT"),
            "type", List.of("TYPE"), "model", List.of("MODEL"));

    /** Whose value is a text that may stand in a file. */
    private static final Set<String> TEXTS = Set.of("grammar", "json-schema", "tensor-type", "chat-template");

    private final Syntax syntax;
    private final Arguments arguments;

    TypedNames(Arguments arguments) {
        this.syntax = arguments.syntax();
        this.arguments = arguments;
    }

    /**
     * The words to blame.
     *
     * @param name what the library calls it; behind a blank, which part of it
     * @param got  the value that is refused
     */
    String of(String name, String got) {
        if (name.startsWith("-")) {
            return syntax.declares(name) ? arguments.typed(name) : name;
        }
        int blank = name.indexOf(' ');
        String component = kebab(blank < 0 ? name : name.substring(0, blank));
        List<String> options = OPTIONS.getOrDefault(component, List.of("--" + component)).stream().filter(syntax::declares).toList();
        List<String> given = options.stream().filter(arguments::has).toList();
        Stream<String> blamed = given.stream().filter(option -> arguments.texts(option).stream().anyMatch(value -> isPart(value, got)));
        String typed = Stream.of(blamed, given.stream(), operand(component), options.stream()).flatMap(s -> s).findFirst().orElse(null);
        return typed == null ? name : (typed.startsWith("-") ? arguments.typed(typed) : typed) + (blank < 0 ? "" : name.substring(blank));
    }

    /** What is refused; with its file before it where the text came out of one, of which the library does not know. */
    String got(String name, String got) {
        String typed = of(name, got);
        boolean read = TEXTS.contains(kebab(name)) && arguments.has(typed) && syntax.named(typed).parameter().equals("FILE");
        return read && !got.contains(arguments.text(typed)) ? arguments.text(typed) + ": " + got : got;
    }

    /** An operand that the verb shows by one of these names. */
    private Stream<String> operand(String component) {
        return OPERANDS.getOrDefault(component, List.of()).stream().filter(syntax::hasOperand);
    }

    private static boolean isPart(String value, String got) {
        return !value.isEmpty() && (got.contains(value) || value.contains(got));
    }

    /** "jsonSchema" as an option has it: "json-schema". */
    private static String kebab(String name) {
        var kebab = new StringBuilder();
        for (char c : name.toCharArray()) {
            kebab.append(Character.isUpperCase(c) ? "-" : "").append(Character.toLowerCase(c));
        }
        return kebab.toString();
    }
}
