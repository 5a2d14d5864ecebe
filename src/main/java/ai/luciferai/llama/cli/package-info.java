/**
 * The command {@code lucifer-llama}: one class per verb, which turns words into the façade's option records and results into text.
 *
 * <p><b>Uses</b> the façade and {@code core}; JLine in conversations on a terminal only, jackson's generator for JSON output only; picocli
 * behind {@link ai.luciferai.llama.cli.Syntax}, declared in code, because reading its annotations costs more at each start than all our
 * own code. Its class files are of a version that neither class data sharing nor the AOT cache takes, 100 ms at each start: the
 * distribution raises it.
 *
 * <p><b>Output.</b> Results on stdout, everything else on stderr. stdout is UTF-8 whatever the locale.
 *
 * <p><b>Errors.</b> Commands throw; {@link ai.luciferai.llama.cli.Main} maps exceptions to the codes of
 * {@link ai.luciferai.llama.cli.ExitCode} and names options as the user typed them.
 *
 * <p><b>Adding a verb</b>: a class that implements {@link ai.luciferai.llama.cli.Command}, its name in {@code Main.VERBS} and
 * {@code Main.command}.
 */
package ai.luciferai.llama.cli;
