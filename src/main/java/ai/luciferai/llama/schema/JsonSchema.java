package ai.luciferai.llama.schema;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.JsonFault;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A JSON schema (draft 2020-12, and of older drafts what means the same) as a grammar whose every text is JSON that satisfies it. It
 * may leave values out that satisfy it too; where it cannot keep a keyword, it says so.
 */
public final class JsonSchema {

    static final String OPTION = "jsonSchema";
    private static final int DEEPEST = 200;
    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(DEEPEST).build()).build())
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS, DeserializationFeature.FAIL_ON_TRAILING_TOKENS,
                    DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES).build();

    /**
     * What became of a schema.
     *
     * @param gbnf    grammar in llama.cpp's notation
     * @param ignored places of keywords that were left out because they cannot be kept: "#/properties/a/pattern: look-behind …"
     * @param notes   what the standard does not know, and what therefore asks for nothing: keywords and formats
     */
    public record Form(String gbnf, List<String> ignored, List<String> notes) {}

    private JsonSchema() {}

    /**
     * @param lax whether keywords that cannot be kept are left out
     * @throws InvalidOptionException with the place that cannot be kept, or is wrong; also for one that takes too long to translate
     */
    public static Form form(String text, boolean lax, Cancel cancel) {
        return form(text, "", lax, "root", "", cancel);
    }

    /**
     * As rules of another grammar.
     *
     * @param pointer which schema of the text: "/properties/a"; empty for all of it
     * @param start   name of the rule that is the schema's
     * @param prefix  of the names of all other rules
     */
    public static Form form(String text, String pointer, boolean lax, String start, String prefix, Cancel cancel) {
        return Bounded.call(() -> translate(text, pointer, lax, start, prefix), cancel);
    }

    private static Form translate(String text, String pointer, boolean lax, String start, String prefix) {
        JsonNode root = parse(text);
        Set<String> left = new LinkedHashSet<>();
        Set<String> said = new LinkedHashSet<>();
        while (true) {
            try {
                SchemaDocument document = new SchemaDocument(root);
                Expansion expansion = new Expansion(document, left);
                String gbnf = new SchemaGrammar(expansion).of(document.at(pointer), start, prefix);
                if (gbnf == null) {
                    throw new InvalidOptionException(OPTION, "a JSON schema that something satisfies",
                            "#" + barren(document, expansion, pointer) + ": no value can be promised"
                                    + (said.isEmpty() ? "" : ", but for " + said));
                }
                var notes = new ArrayList<>(expansion.notes());
                document.unknownKeywords(pointer).forEach(place -> notes.add(place + " is no keyword of the standard"));
                return new Form(gbnf, List.copyOf(said), List.copyOf(notes));
            } catch (Refused e) {
                String place = "#" + e.pointer() + ": " + e.getMessage();
                if (!lax || !e.ignorable() || !left.add(e.pointer())) {
                    throw refused(place, e.ignorable());
                }
                said.add(place);
            }
        }
    }

    /** The innermost schema without a value, which is why there is none for all of it. */
    private static String barren(SchemaDocument document, Expansion expansion, String pointer) {
        for (String inner : document.innermostFirst(pointer)) {
            try {
                if (new SchemaGrammar(expansion).of(document.at(inner), "root", "") == null) {
                    return inner;
                }
            } catch (Refused e) {
                continue; // something is wrong there, but not this
            }
        }
        return pointer;
    }

    private static JsonNode parse(String text) {
        try {
            JsonNode root = JSON.readTree(text);
            if (root.isObject() || root.isBoolean()) {
                return root;
            }
            throw new InvalidOptionException(OPTION, "a JSON schema, which is an object", "one of type " + root.getNodeType());
        } catch (JsonProcessingException e) {
            throw new InvalidOptionException(OPTION, "a JSON schema", "no JSON: "
                    + JsonFault.text(e.getOriginalMessage(), e.getLocation() == null ? 0 : e.getLocation().getLineNr()));
        } catch (NumberFormatException e) { // Jackson lets it out
            throw new InvalidOptionException(OPTION, "a JSON schema", "a number whose exponent is beyond any use");
        }
    }

    private static InvalidOptionException refused(String place, boolean ignorable) {
        return new InvalidOptionException(OPTION, ignorable ? "a JSON schema that can be kept" : "a JSON schema", place,
                ignorable ? "write it otherwise, or let it be ignored: --lax-schema (Grammar.laxJsonSchema)" : null);
    }
}
