package ai.luciferai.llama.cli;

import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Similar;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The command {@code lucifer-llama}: finds the verb, runs it, turns what it throws into a message and an exit code. */
public final class Main {

    /** Verbs in the order of the help. */
    static final List<String> VERBS =
            List.of("generate", "convert", "quantize", "imatrix", "evaluate", "finetune", "export-lora", "info", "devices", "tokenize", "detokenize", "embed",
                    "bench", "doctor");

    private Main() {}

    public static void main(String[] args) {
        // Numbers are written alike everywhere: programs read them.
        Locale.setDefault(Locale.ROOT);
        Remarks.inThisProcess();
        Environment environment = Environment.ofProcess();
        Interrupt interrupt = Interrupt.watch(environment);
        int code = run(args, environment);
        interrupt.ended();
        System.exit(code);
    }

    /** Does what the words say; returns the exit code. */
    static int run(String[] args, Environment environment) {
        Arguments arguments = null;
        try {
            String first = args.length == 0 ? "--help" : args[0];
            switch (first) {
                case "-h", "--help", "help" -> {
                    return help(args, environment);
                }
                case "--version", "version" -> {
                    environment.print(VersionText.text());
                    environment.flush();
                    return ExitCode.OK;
                }
                default -> {
                    // Without a verb, options are generate's: what drives a llamafile needs only another name for it.
                    boolean bare = first.startsWith("-");
                    Command command = command(!bare ? first : Arrays.asList(args).contains("--test") ? "bench" : "generate");
                    prepare(command, args);
                    Syntax syntax = syntax(command);
                    arguments = bare && command instanceof BenchCommand ? parseTest(syntax, args) : syntax.parse(args, bare ? 0 : 1);
                    return arguments.has(Isolation.OPTION) && !arguments.has("--help")
                            ? Isolation.run(args, environment)
                            : run(command, syntax, arguments, environment);
                }
            }
        } catch (Throwable fault) {
            return report(fault, arguments, environment);
        }
    }

    /** Options of generate beside --test, which users of llamafile have in their scripts: what does not concern the benchmark is told. */
    private static Arguments parseTest(Syntax bench, String[] args) {
        try {
            return bench.parse(args, 0);
        } catch (InvalidOptionException e) {
            if (bench.declares(e.option()) || !new GenerateCommand().syntax().declares(e.option())) {
                throw e;
            }
            throw new InvalidOptionException(e.option(), "an option of bench, which --test stands for", "one of generate",
                    "leave it out, it changes no speed that bench measures; see lucifer-llama bench --help");
        }
    }

    private static int run(Command command, Syntax syntax, Arguments arguments, Environment environment) throws IOException {
        environment.verbosity(LogMixin.verbosity(arguments));
        int code = ExitCode.OK;
        if (arguments.has("--help")) {
            environment.print(syntax.help());
        } else {
            LogMixin.route(environment);
            code = command.run(arguments, environment);
        }
        environment.flush();
        return code;
    }

    private static void prepare(Command command, String[] args) {
        List<String> words = Arrays.asList(args);
        if (!words.contains(Isolation.OPTION) && !words.contains("--help")) {
            command.prepare();
        }
    }

    private static Syntax syntax(Command command) {
        Syntax syntax = command.syntax();
        LogMixin.declare(syntax);
        return syntax;
    }

    /** The verb's class; by name, so that only this one is loaded. */
    static Command command(String verb) {
        return switch (verb) {
            case "generate" -> new GenerateCommand();
            case "quantize" -> new QuantizeCommand();
            case "imatrix" -> new ImatrixCommand();
            case "evaluate" -> new EvaluateCommand();
            case "info" -> new InfoCommand();
            case "convert" -> new ConvertCommand();
            case "devices" -> new DevicesCommand();
            case "finetune" -> new FinetuneCommand();
            case "export-lora" -> new ExportLoraCommand();
            case "tokenize" -> new TokenizeCommand();
            case "detokenize" -> new DetokenizeCommand();
            case "embed" -> new EmbedCommand();
            case "bench" -> new BenchCommand();
            case "doctor" -> new DoctorCommand();
            default -> {
                String near = Similar.nearest(verb, VERBS);
                throw new InvalidOptionException("verb", "one of " + String.join(", ", VERBS), Arguments.quote(verb),
                        near == null ? "see lucifer-llama --help" : "did you mean " + near + "?");
            }
        };
    }

    private static int help(String[] args, Environment environment) {
        if (args.length > 1) {
            environment.print(syntax(command(args[1])).help());
        } else {
            environment.print(overview());
        }
        environment.flush();
        return args.length == 0 ? ExitCode.USAGE : ExitCode.OK;
    }

    private static String overview() {
        var verbs = new StringBuilder();
        for (String verb : VERBS) {
            verbs.append("  %-16s%s%n".formatted(verb, command(verb).syntax().summary().lines().findFirst().orElseThrow()));
        }
        return """
                Usage: lucifer-llama VERB [options]
                       lucifer-llama [options of generate]

                llama.cpp in one JVM process.

                Verbs:
                %s  help VERB       Shows a verb's options, as VERB --help does.
                  --version       Shows the versions of lucifer-llama, llama.cpp, ggml and the JDK.

                Results go to stdout, everything else to stderr. -q, -v and -vv say how much of it.

                %s
                """.formatted(verbs, ExitCode.HELP);
    }

    private static int report(Throwable fault, Arguments arguments, Environment environment) {
        int code = ExitCode.of(fault);
        if (code != ExitCode.READER_GONE) {
            try {
                environment.flush();
            } catch (RuntimeException e) {
                // what failed first is reported
            }
            environment.err().println("error: " + Faults.message(fault, arguments));
        }
        boolean debug = environment.verbosity() == Verbosity.DEBUG;
        if (debug) {
            fault.printStackTrace(environment.err());
        } else if (code == ExitCode.INTERNAL && !(fault instanceof IOException || fault instanceof UncheckedIOException)) {
            environment.err().println("HINT: -vv shows where it happened");
        }
        return code;
    }
}
