package ai.luciferai.llama.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonFaultTest {

    @ParameterizedTest
    @ValueSource(strings = {"{", "[1,", "{\"a\": [1, {\"b\": 2", "\"x", "{\"a\":}", "nul", "1e", "{\"a\":\"\\q\"}", "{'a':1}", "[NaN]", "// x", "[1] ]", "+1", "01",
            "{\"a\" 1}", "{\"a\":1]", "\t\u0001", "\"\u0001\"", ""})
    void saysNothingOfTheParser(String text) {
        for (byte[] bytes : new byte[][] {null, text.getBytes(java.nio.charset.StandardCharsets.UTF_8)}) {
            var mapper = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
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

    /** Limits and switches of the parser, as the author of the text is told of them. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            DEEP | values nested deeper than 50
            LONG | a number of 200 characters, at most 100 are read
            {"a": 1, "b": 2, "a": 3} | the key 'a' twice in one object
            {"a": 1} {} | more text behind the JSON value
            """)
    void saysWhatIsAllowed(String text, String said) {
        var limits = StreamReadConstraints.builder().maxNestingDepth(50).maxNumberLength(100).build();
        var mapper = JsonMapper.builder(JsonFactory.builder().streamReadConstraints(limits).build())
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY).build();
        String json = text.replace("DEEP", "[".repeat(60)).replace("LONG", "1".repeat(200));
        var fault = assertThrows(JsonProcessingException.class, () -> mapper.readTree(json));
        assertEquals(said, JsonFault.text(fault.getOriginalMessage()), fault.getOriginalMessage());
        assertEquals(said + ", in line 7", JsonFault.text(fault.getOriginalMessage(), 7));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"a\": [1, {\"b\": 2"})
    void keepsThePlace(String text) {
        var fault = assertThrows(JsonProcessingException.class, () -> new ObjectMapper().readTree(text));
        assertTrue(fault.getOriginalMessage().contains("REDACTED"), "what is taken away: " + fault.getOriginalMessage());
        assertTrue(JsonFault.text(fault.getOriginalMessage()).contains("line 1"), JsonFault.text(fault.getOriginalMessage()));
    }
}
