package ai.luciferai.llama.core;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonFaultTest {

    @ParameterizedTest
    @ValueSource(strings = {"{", "[1,", "{\"a\": [1, {\"b\": 2", "\"x", "{\"a\":}", "nul", "1e", "{\"a\":\"\\q\"}", "{'a':1}", "[NaN]", "// x", "[1] ]", "+1", "01",
            "{\"a\" 1}", "{\"a\":1]", "\t\u0001", "\"\u0001\"", ""})
    void saysNothingOfTheParser(String text) {
        for (byte[] bytes : new byte[][] {null, text.getBytes(java.nio.charset.StandardCharsets.UTF_8)}) {
            var mapper = new ObjectMapper().enable(com.fasterxml.jackson.databind.DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
            try {
                var node = bytes == null ? mapper.readTree(text) : mapper.readTree(bytes);
                assertTrue(node.isMissingNode());
            } catch (JsonProcessingException fault) {
                String said = JsonFault.text(fault.getOriginalMessage());
                assertFalse(said.contains("Source:") || said.contains("REDACTED") || said.contains("Feature") || said.contains("()"), said);
                assertFalse(said.isBlank());
            } catch (java.io.IOException impossible) {
                throw new java.io.UncheckedIOException(impossible);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"a\": [1, {\"b\": 2"})
    void keepsThePlace(String text) {
        var fault = assertThrows(JsonProcessingException.class, () -> new ObjectMapper().readTree(text));
        assertTrue(fault.getOriginalMessage().contains("REDACTED"), "what is taken away: " + fault.getOriginalMessage());
        assertTrue(JsonFault.text(fault.getOriginalMessage()).contains("line 1"), JsonFault.text(fault.getOriginalMessage()));
    }
}
