package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whoever comes from llama.cpp's programs types their options: each acts as there, or is told what takes its place. */
class LlamaOptionsTest {

    private static final Path LIST = Path.of(System.getProperty("basedir", "."), "src/test/fixtures/options/llama-options.txt");

    /** The verb that does a program's work. */
    private static final Map<String, String> VERBS = Map.ofEntries(Map.entry("completion", "generate"), Map.entry("cli", "generate"),
            Map.entry("server", "generate"), Map.entry("perplexity", "evaluate"), Map.entry("imatrix", "imatrix"),
            Map.entry("export-lora", "export-lora"), Map.entry("finetune", "finetune"), Map.entry("embedding", "embed"),
            Map.entry("tokenize", "tokenize"), Map.entry("bench", "bench"), Map.entry("batched-bench", "bench"), Map.entry("quantize", "quantize"),
            Map.entry("convert", "convert"));

    /** Programs with a parser of their own, which do not have the options of all. */
    private static final List<String> ALONE = List.of("bench", "quantize", "convert");

    private record Listed(List<String> programs, String kind, List<String> names) {

        static Listed parse(String line) {
            String[] parts = line.split(" \\| ");
            return new Listed(List.of(parts[0].split(",")), parts[1], Stream.of(parts[2].split("[ /]+")).toList());
        }

        private List<String> verbs() {
            return VERBS.entrySet().stream().filter(e -> programs.contains(e.getKey()) || programs.contains("all") && !ALONE.contains(e.getKey()))
                    .map(Map.Entry::getValue).distinct().toList();
        }
    }

    private static List<Listed> listed() throws IOException {
        return Files.readAllLines(LIST).stream().map(Listed::parse).toList();
    }

    private static Syntax syntax(String verb) {
        Syntax syntax = Main.command(verb).syntax();
        LogMixin.declare(syntax);
        return syntax;
    }

    @Test
    void theListHasThoseThatEverybodyKnows() throws IOException {
        List<String> names = listed().stream().flatMap(one -> one.names().stream()).toList();
        assertTrue(names.size() > 500, names.size() + " names");
        assertTrue(names.containsAll(List.of("-m", "-ngl", "--temp", "-hf", "--no-jinja", "-npp", "--leave-output-tensor", "--n-depth", "--bigendian")));
    }

    @Test
    void everyOptionIsKnownOrTold() throws IOException {
        var unknown = new TreeSet<String>();
        for (Listed one : listed()) {
            for (String verb : one.verbs()) {
                Syntax syntax = syntax(verb);
                for (String name : one.names()) {
                    if (!syntax.declares(name) && refusal(syntax, name).contains("got an unknown one")) {
                        unknown.add(verb + " " + name);
                    }
                }
            }
        }
        assertEquals(List.of(), List.copyOf(unknown));
    }

    private static String refusal(Syntax syntax, String name) {
        return assertThrows(InvalidOptionException.class, () -> syntax.parse(new String[] {name}, 0), name).getMessage();
    }

    /** A script's next word is a value with us exactly where it is one there. */
    @Test
    void whatTakesAValueThereTakesOneHere() throws IOException {
        var different = new ArrayList<String>();
        for (Listed one : listed()) {
            for (String verb : one.verbs()) {
                Syntax syntax = syntax(verb);
                for (String name : one.names()) {
                    if (syntax.declares(name) && takesValue(syntax.named(name)) != one.kind().equals("value")
                            && !told(verb, name).startsWith("it takes no value here")) {
                        different.add(verb + " " + name);
                    }
                }
            }
        }
        assertEquals(List.of(), different);
    }

    private static boolean takesValue(Syntax.Option option) {
        return option.kind() == Syntax.Kind.VALUE || option.kind() == Syntax.Kind.OPTIONAL;
    }

    private static String told(String verb, String name) {
        String told = LlamaOptions.read().told(verb, name);
        return told == null ? "" : told;
    }

    /** Switches say the same with us: what is an opposite there is one here. */
    @Test
    void oppositesAreOpposites() throws IOException {
        for (String line : Files.readAllLines(LIST)) {
            if (line.contains(" / ")) {
                String[] sides = line.substring(line.lastIndexOf("| ") + 2).split(" / ");
                for (String verb : Listed.parse(line).verbs()) {
                    Syntax syntax = syntax(verb);
                    for (String no : sides[1].split(" ")) {
                        boolean here = syntax.declares(no) && syntax.named(no).kind() == Syntax.Kind.SWITCH;
                        assertTrue(!here || syntax.named(no).opposites().contains(no), verb + " " + no);
                    }
                }
            }
        }
    }

    @Test
    void theTableNamesOnlyOptionsThatAreRefused() {
        var table = LlamaOptions.read();
        for (String verb : Main.VERBS) {
            for (Syntax.Option option : syntax(verb).options()) {
                for (String name : option.names()) {
                    boolean limited = !option.choices().isEmpty() || List.of("--keep", "--no-context-shift", "--warmup").contains(name);
                    assertTrue(table.told(verb, name) == null || limited, verb + " has " + name + ", and the table tells what takes its place");
                }
            }
        }
        assertNull(table.told("generate", "--tempo"));
    }

    @Test
    void isToldWithWhatTakesItsPlace() {
        String message = CliRun.of("-m", "x.gguf", "-p", "x", "--numa", "distribute").err();
        assertTrue(message.startsWith("error: option --numa: expected an option of generate, got one of llama.cpp's that is not here"), message);
        assertTrue(message.contains("HINT: numactl "), message);
        assertTrue(CliRun.of("evaluate", "x.gguf", "--kl-divergence-base", "x.kld").err().contains("--base FILE compares"));
        assertTrue(CliRun.of("generate", "-p", "x", "--spec-type", "ngram-mod").err().contains("generates alone"));
    }

    @Test
    void optionsOfOtherVerbsAreNotTakenForMisspeltOnes() {
        String message = CliRun.of("export-lora", "--temp", "0").err();
        assertTrue(message.startsWith("error: option --temp: expected an option of export-lora, got one of generate"), message);
        assertFalse(message.contains("did you mean"), message);
    }

    @Test
    void acceptedOptionsAcceptWhatHappensAnyway() {
        assertEquals("0", syntax("generate").parse(new String[] {"--color", "off", "--temp", "0"}, 0).text("--temp"));
        String message = assertThrows(InvalidOptionException.class, () -> syntax("generate").parse(new String[] {"--color", "on"}, 0)).getMessage();
        assertTrue(message.contains("HINT: nothing is coloured"), message);
        message = assertThrows(InvalidOptionException.class, () -> syntax("finetune").parse(new String[] {"-opt", "sgd"}, 0)).getMessage();
        assertTrue(message.contains("expected adamw, got 'sgd'") && message.contains("AdamW is the only optimizer"), message);
    }

    @Test
    void valuesOfFlagsAreTold() {
        assertTrue(CliRun.of("bench", "-nkvo", "1").err().contains("HINT: -nkvo takes no value"));
        assertTrue(CliRun.of("generate", "--mlock", "1", "-p", "x").err().contains("HINT: --mlock takes no value"));
    }

    @Test
    void listsAreTold() {
        assertTrue(CliRun.of("bench", "-b", "512,1024").err().contains("HINT: one number, no list"));
    }
}
