package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TypedNamesTest {

    /** Where the library's code names what it refuses. */
    private static final Pattern NAMED = Pattern.compile("(?:Check\\.\\w+|new InvalidOptionException|About\\.option|andOption)\\(\"([^\"]+)\"");

    /** What no words of the command can set wrong: the library's own parts, and what the command sets itself. */
    private static final Set<String> LIBRARY_ONLY = Set.of("adapter", "adapter scale", "answers", "bench test", "bench tests", "beta1", "beta2", "budget",
            "cache", "chat format", "checkpoints", "context options", "details", "devices", "dry", "dynamic", "epsilon", "evaluate", "fit-context-size",
            "fit-margin", "generate", "generate options", "generated tokens", "message content", "message reasoning", "message role",
            "message toolCallId", "mirostat", "model options", "outputs", "paths", "penalties", "placement", "prompt tokens", "quantize", "reading",
            "reserve", "rope", "rows", "sample", "samples", "sampling", "text ", "token", "tokenize options", "tool call arguments", "tool call id",
            "tool call name", "tools", "truncation", "vectors", "vocab-only", "xtc", "yarn", "text", "chat-template file", "run", "optimizer",
            "schedule", "shape", "data", "inputs");

    private static String named(String verb, String name, String got, String... words) {
        Syntax syntax = Main.command(verb).syntax();
        return new TypedNames(syntax.parse(words, 0)).of(name, got);
    }

    @Test
    void everyNameOfTheLibraryIsAnOptionOrAnOperandOfSomeVerb() throws IOException {
        var strange = new TreeSet<String>();
        try (Stream<Path> sources = Files.walk(Path.of(System.getProperty("basedir", "."), "src/main/java/ai/luciferai/llama"))) {
            sources.filter(path -> path.toString().endsWith(".java") && !path.toString().contains("/cli/"))
                    .flatMap(path -> NAMED.matcher(text(path)).results()).map(found -> found.group(1))
                    .filter(name -> !name.startsWith("-D") && !LIBRARY_ONLY.contains(name) && Main.VERBS.stream()
                            .noneMatch(verb -> !named(verb, name, "").equals(name))).forEach(strange::add);
        }
        assertEquals(Set.of(), strange, "names that no option has: give TypedNames the option, or say that no words of the command lead there");
    }

    private static String text(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theOptionThatWasTypedIsBlamed() {
        assertEquals("-jf", named("generate", "jsonSchema", "#/a: nothing", "-jf", "schema.json"));
        assertEquals("--json-schema", named("generate", "grammar", "too long", "--json-schema", "{}"));
        assertEquals("--temperature", named("generate", "temperature", "NaN", "--temperature", "NaN"));
        assertEquals("--override-kv llama.x", named("generate", "override-kv llama.x", "3", "--override-kv", "llama.x=int:3"));
        assertEquals("--chat-template-file", named("generate", "chatTemplate", "no end", "--chat-template-file", "x.jinja"));
        assertEquals("-n", named("evaluate", "max-tokens", "0", "-n", "0"));
    }

    @Test
    void ofSeveralTheOneWithTheValueIsBlamed() {
        assertEquals("--html", named("evaluate", "output", "/x/page.html, a folder", "--save-logits", "a.kld", "--html", "/x/page.html"));
        assertEquals("--tensor-type", named("quantize", "tensor-type", "a=q9", "--tensor-type-file", "rules.txt", "--tensor-type", "a=q9"));
        assertEquals("--tensor-type-file", named("quantize", "tensor-type", "b=q9", "--tensor-type-file", "rules.txt", "--tensor-type", "a=q8_0"));
    }

    @Test
    void theFileOfARefusedTextIsNamed() {
        Syntax syntax = new GenerateCommand().syntax();
        var file = new TypedNames(syntax.parse(new String[] {"-jf", "schema.json"}, 0));
        assertEquals("schema.json: no JSON", file.got("jsonSchema", "no JSON"));
        assertEquals("schema.json: no JSON", file.got("jsonSchema", "schema.json: no JSON"));
        var text = new TypedNames(syntax.parse(new String[] {"-j", "{", "-m", "x.gguf", "-m", "y.gguf"}, 0));
        assertEquals("no JSON", text.got("jsonSchema", "no JSON"));
        assertEquals("2 of them", text.got("-m", "2 of them"));
    }

    @Test
    void operandsAreCalledAsTheHelpDoes() {
        assertEquals("OUT", named("quantize", "output", "x.gguf", "in.gguf", "x.gguf", "Q8_0"));
        assertEquals("TYPE", named("quantize", "type", "Q9", "in.gguf", "Q9"));
        assertEquals("--lora-out", named("finetune", "output", "x.gguf", "--lora-out", "x.gguf"));
    }

    @Test
    void whatIsNoOptionIsNotCalledOne() {
        assertTrue(CliRun.of("genrate").err().startsWith("error: verb: expected one of "));
        assertTrue(CliRun.of("detokenize", "x").err().startsWith("error: ID: expected a whole number, got 'x'"));
        assertTrue(CliRun.of("quantize").err().startsWith("error: quantize: expected IN [OUT] TYPE"));
        assertEquals(List.of(), List.of(CliRun.of("info").err().lines().filter(line -> line.contains("option MODEL")).toArray()));
    }
}
