package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EscapesTest {

    @ParameterizedTest
    @CsvSource(quoteCharacter = '~', value = {
        "a\\tb, ~a\tb~", "\\\\n, \\n", "\\', '", "\\\", \"", "\\x41\\x42, AB", "\\q, \\q", "a\\, a\\", "\\x4, \\x4", "\\xZZ, \\xZZ",
        "\\xc3\\xa9, é", "é\\x21, é!"
    })
    void readsWhatLlamaCppReads(String text, String expected) {
        assertEquals(expected, Escapes.process(text));
    }

    @Test
    void readsLineEnds() {
        assertEquals("a\nb\r", Escapes.process("a\\nb\\r"));
    }

    @Test
    void leavesOtherTextAlone() {
        assertEquals("list files in /tmp 🙂", Escapes.process("list files in /tmp 🙂"));
        assertEquals("", Escapes.process(""));
    }
}
