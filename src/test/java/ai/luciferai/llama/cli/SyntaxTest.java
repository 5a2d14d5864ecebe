package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.InvalidOptionException;
import java.util.List;
import org.junit.jupiter.api.Test;

class SyntaxTest {

    private final Syntax syntax = new Syntax("verb", "FILE", 1, "Does it.")
            .flag("-x --extra", "a flag")
            .toggle("--mmap", "--no-mmap", "a switch")
            .option("-n --number", "N", "a number", 3)
            .option("-p --prompt", "TEXT", "a text")
            .choice("--mode", List.of("fast", "slow"), "a choice", "fast")
            .optional("-fa --flash", List.of("on", "off"), "an optional value", null);

    private Arguments parse(String... words) {
        return syntax.parse(words, 0);
    }

    private String refused(String... words) {
        return assertThrows(InvalidOptionException.class, () -> parse(words)).getMessage();
    }

    @Test
    void longAndShortNamesAreTheSame() {
        assertEquals(5, parse("-n", "5").integer("--number", 0));
        assertEquals(5, parse("--number=5").integer("-n", 0));
    }

    @Test
    void absentOptionsHaveTheDefault() {
        Arguments a = parse();
        assertEquals(7, a.integer("-n", 7));
        assertFalse(a.has("-x"));
        assertTrue(a.on("--mmap", true));
    }

    @Test
    void lastValueCounts() {
        assertEquals(2, parse("-n", "1", "--number", "2").integer("-n", 0));
        assertFalse(parse("--mmap", "--no-mmap").on("--mmap", true));
        assertTrue(parse("--no-mmap", "--mmap").on("--mmap", false));
    }

    @Test
    void valuesMayLookLikeOptions() {
        assertEquals("-n", parse("-p", "-n").text("-p"));
        assertEquals("--prompt=x", parse("-p", "--prompt=x").text("-p"));
        assertEquals("@file", parse("-p", "@file").text("-p"));
        assertEquals(-1, parse("-n", "-1").integer("-n", 0));
    }

    @Test
    void equalsSignBelongsToTheValueFromTheSecondOn() {
        assertEquals("a=b", parse("--prompt=a=b").text("-p"));
        assertEquals("", parse("--prompt=").text("-p"));
    }

    @Test
    void shortWordsAreNotBundled() {
        assertTrue(refused("-xn").contains("-xn"));
        assertTrue(refused("-n5").contains("-n5"));
    }

    @Test
    void optionalValuesAreTakenOnlyWhenTheyFit() {
        assertEquals("off", parse("-fa", "off").text("-fa"));
        assertEquals("on", parse("-fa").text("-fa"));
        Arguments a = parse("-fa", "file.gguf");
        assertEquals("on", a.text("-fa"));
        assertEquals(List.of("file.gguf"), a.operands());
    }

    @Test
    void dashesEndTheOptions() {
        assertEquals(List.of("-x"), parse("--", "-x").operands());
        assertEquals(List.of("-"), parse("-").operands());
    }

    @Test
    void unknownOptionsAreRefusedWithTheNearestKnown() {
        assertTrue(refused("--numbre", "5").contains("did you mean --number?"), () -> refused("--numbre", "5"));
        assertTrue(refused("--zzzzzz").contains("see lucifer-llama verb --help"));
        assertTrue(refused("--extra=1").contains("--extra=1"));
    }

    @Test
    void missingValuesAreRefused() {
        String message = refused("-x", "--prompt");
        assertTrue(message.contains("option --prompt: expected a value (TEXT), got nothing"), message);
    }

    @Test
    void otherChoicesAreRefused() {
        String message = refused("--mode", "fsat");
        assertTrue(message.contains("--mode: expected one of fast, slow, got 'fsat'"), message);
        assertTrue(message.contains("did you mean fast?"), message);
    }

    @Test
    void operandsBeyondTheLastAreRefused() {
        assertTrue(refused("a", "b").contains("no more than FILE, got 'b'"));
    }

    @Test
    void numbersAreChecked() {
        String message = assertThrows(InvalidOptionException.class, () -> parse("-n", "five").integer("-n", 0)).getMessage();
        assertEquals("option -n: expected a whole number, got 'five'", message);
        for (String bad : List.of("", "nan", "Infinity", "1f", "0x1p3", "1.5 ", "1,5")) {
            assertThrows(InvalidOptionException.class, () -> parse("-n", bad).decimal("-n", 0), bad);
        }
        assertEquals(0.5f, parse("-n", ".5").decimal("-n", 0));
        assertEquals(-1e-3f, parse("-n", "-1e-3").decimal("-n", 0));
    }

    @Test
    void listsAreSplit() {
        assertEquals(List.of("a", "b", "c"), parse("-p", "a,b", "-p", "c").list("-p", ','));
        assertThrows(InvalidOptionException.class, () -> parse("-p", "a,,b").list("-p", ','));
        assertThrows(InvalidOptionException.class, () -> parse("-p", "").list("-p", ','));
        assertEquals(List.of(), parse().list("-p", ','));
    }

    @Test
    void askingForWhatIsNotDeclaredIsOurMistake() {
        assertThrows(IllegalStateException.class, () -> parse().has("--nothing"));
        assertThrows(IllegalStateException.class, () -> syntax.flag("-x", "again"));
    }

    @Test
    void longTextsAreCutInMessages() {
        assertTrue(Arguments.quote("x".repeat(500)).length() < 90);
        assertEquals("'a\\nb'", Arguments.quote("a\nb"));
    }

    @Test
    void helpShowsGroupsDefaultsAndChoices() {
        String help = syntax.help();
        assertTrue(help.startsWith("Usage: lucifer-llama verb [options] FILE\n\nDoes it.\n"), help);
        assertTrue(help.contains("-n, --number=N"), help);
        assertTrue(help.contains("a number (default: 3)"), help);
        assertTrue(help.contains("--mode=fast|slow"), help);
        assertTrue(help.contains("-fa, --flash[=on|off]"), help);
        assertTrue(help.lines().allMatch(line -> line.length() <= 120), help);
    }
}
