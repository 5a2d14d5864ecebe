package ai.luciferai.llama.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Limits;
import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Schemas as people write them: what is generated satisfies them, by a validator that we did not write, or they are refused. */
class JsonSchemaTest {

    private static final int DRAWN = 100;

    /** Texts that a schema's grammar generates, each of which is JSON and satisfies it, formats included. */
    private static Set<String> drawn(String schema) {
        JsonSchema.Form form = JsonSchema.form(schema, false, Cancel.NONE);
        GbnfText grammar = new GbnfText(form.gbnf());
        var validator = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(SchemaSuite.parse(schema),
                SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build());
        Random random = new Random(7);
        return random.ints(DRAWN, 3, 60).mapToObj(depth -> {
            String text = grammar.draw(random, depth);
            JsonNode value = SchemaSuite.parse(text);
            assertEquals(Set.of(), validator.validate(value), () -> schema + " -> " + text);
            return text;
        }).collect(Collectors.toSet());
    }

    private static void generates(String schema, List<String> some, List<String> never) {
        drawn(schema);
        GbnfText grammar = new GbnfText(JsonSchema.form(schema, false, Cancel.NONE).gbnf());
        some.forEach(text -> assertTrue(grammar.accepts(text), () -> schema + " does not generate " + text));
        never.forEach(text -> assertFalse(grammar.accepts(text), () -> schema + " generates " + text));
    }

    private static String pattern(String pattern) {
        return "{\"type\":\"string\",\"pattern\":" + Literals.jsonString(pattern) + "}";
    }

    private static void refuses(String place, String schema) {
        var e = assertThrows(InvalidOptionException.class, () -> JsonSchema.form(schema, false, Cancel.NONE), schema);
        assertTrue(e.got().startsWith(place + ":"), e.getMessage());
    }

    @Test
    void patternsAreKept() {
        generates(pattern("^\\d{3}-\\w+\\s?$"), List.of("\"123-a_1\"", "\"123-a \""), List.of("\"12-a\"", "\"anything\""));
        generates(pattern("b+c"), List.of("\"bc\"", "\"xxbbcyy\""), List.of("\"b\"", "\"\""));
        generates(pattern("^a\\\\!$"), List.of("\"a\\\\!\""), List.of("\"a\\!\"", "\"a!\""));
        generates(pattern("^(?=.*[A-Z])(?=.*\\d)(?!.*x).{4,}$"), List.of("\"aB3d\""), List.of("\"aB3x\"", "\"abcd\"", "\"B3\""));
        generates(pattern("^[^\\s@]+@[^\\s@]+\\.[a-z]{2,}$"), List.of("\"a@b.de\"", "\"ä@b.de\""), List.of("\"a b@c.de\""));
        generates(pattern("^\"quoted\"\\n$"), List.of("\"\\\"quoted\\\"\\n\""), List.of());
        generates(pattern("^\\p{Lu}[äöü]🐱?$"), List.of("\"Äö🐱\"", "\"Äö\""), List.of("\"äö\""));
        generates(pattern("^(?:[A-Z][a-z]*|[0-9]+(?<n>x)?)$"), List.of("\"Ab\"", "\"12x\""), List.of("\"ab\""));
        generates(pattern("^a|b$"), List.of("\"ax\"", "\"xb\""), List.of("\"xa\""));
        generates("{\"type\":\"string\",\"pattern\":\"^(?!ab).*$\",\"not\":{\"pattern\":\"^a+$\"}}", List.of("\"bab\""),
                List.of("\"b\\n<\"", "\"aa\""));
        refuses("#/pattern", pattern("^a\\b"));
        refuses("#/pattern", pattern("(?<=a)b"));
        refuses("#/pattern", pattern("^(a)\\1$"));
        refuses("#/pattern", pattern("a(?=b)"));
        refuses("#/pattern", pattern("(a"));
    }

    @Test
    void lengthsCountCharacters() {
        generates("{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}", List.of("\"🐱🐱\"", "\"a\\nb\""),
                List.of("\"🐱\"", "\"\\ud83d\\udc31\"", "\"abcd\""));
        generates("{\"minLength\":3,\"maxLength\":1}", List.of("null"), List.of("\"a\"", "\"aaa\""));
        generates("{\"type\":\"string\",\"minLength\":1200,\"maxLength\":5000}", List.of("\"" + "a".repeat(1300) + "\""), List.of("\"a\""));
        generates("{\"type\":\"string\",\"pattern\":\"^[a-c]+$\",\"maxLength\":4}", List.of("\"abca\""), List.of("\"aaaaa\"", "\"\""));
    }

    @Test
    void formatsAreKept() {
        for (String format : List.of("date", "time", "date-time", "duration", "uuid", "hostname", "ipv4", "ipv6", "uri",
                "uri-reference", "json-pointer", "relative-json-pointer", "iri")) {
            drawn("{\"type\":\"string\",\"format\":\"" + format + "\"}");
        }
        GbnfText mail = new GbnfText(JsonSchema.form("{\"type\":\"string\",\"format\":\"email\"}", false, Cancel.NONE).gbnf()); // validators know top domains
        assertTrue(mail.accepts("\"jane.doe+x@mail.example.org\"") && !mail.accepts("\"jane@\"") && !mail.accepts("\"a..b@c.de\""));
        generates("{\"type\":\"string\",\"format\":\"date\"}", List.of("\"2024-02-29\""), List.of("\"2023-02-29\"", "\"2024-13-01\""));
        refuses("#/format", "{\"type\":\"string\",\"format\":\"regex\"}");
        assertEquals(List.of("#/format 'password' is no format of the standard"), JsonSchema.form("{\"type\":\"string\",\"format\":\"password\"}", false, Cancel.NONE).notes());
    }

    @Test
    void aFormatThatEndsBeforeTheLongestLengthNeedsNoCount() {
        GbnfText mail = new GbnfText(JsonSchema.form("{\"type\":\"string\",\"format\":\"email\",\"maxLength\":254}", false, Cancel.NONE).gbnf());
        GbnfText free = new GbnfText(JsonSchema.form("{\"type\":\"string\",\"format\":\"email\"}", false, Cancel.NONE).gbnf());
        for (String text : List.of("\"a@b.org\"", "\"ab.c+d@e-f.example.com\"", "\"a@b\"", "\"" + "a".repeat(100) + "@b.org\"")) {
            assertEquals(free.accepts(text), mail.accepts(text), text);
        }
        var e = assertThrows(InvalidOptionException.class,
                () -> JsonSchema.form("{\"type\":\"string\",\"format\":\"email\",\"maxLength\":100}", false, Cancel.NONE));
        assertTrue(e.getMessage().contains("#/format: together with maxLength it needs too many states"), e.getMessage());
    }

    @Test
    void numbersKeepTheirBounds() {
        generates("{\"type\":\"integer\",\"minimum\":9223372036854775807,\"maximum\":9300000000000000000}",
                List.of("9223372036854775807", "9299999999999999999"), List.of("9223372036854775806", "9300000000000000001"));
        generates("{\"type\":\"integer\",\"maximum\":-9223372036854775809}", List.of("-9223372036854775809"), List.of("--7030", "0"));
        generates("{\"type\":\"integer\",\"minimum\":-5,\"exclusiveMaximum\":1000}", List.of("-5", "0", "999"), List.of("-6", "1000"));
        generates("{\"type\":\"number\",\"minimum\":0,\"maximum\":1}", List.of("0", "0.5", "1", "0.999"), List.of("1.1", "-0.1", "2"));
        generates("{\"type\":\"number\",\"exclusiveMinimum\":-1.25,\"exclusiveMaximum\":2.5}", List.of("-1.2", "0", "2.4999"),
                List.of("-1.25", "-1.3", "2.5", "3"));
        generates("{\"type\":\"number\",\"minimum\":1.05,\"maximum\":1.1}", List.of("1.05", "1.1", "1.099"), List.of("1.04", "1.11", "1"));
        generates("{\"type\":\"number\",\"minimum\":1e30}", List.of("1000000000000000000000000000000"), List.of("1"));
        generates("{\"type\":\"number\",\"multipleOf\":0.01,\"minimum\":0}", List.of("0.00", "19.99", "3.00"), List.of("0.001"));
        generates("{\"type\":\"integer\",\"multipleOf\":7}", List.of("7", "-14", "0", "700007"), List.of("8", "13"));
        generates("{\"type\":\"integer\",\"multipleOf\":100,\"minimum\":-1000000}", List.of("-300", "0", "12300"), List.of("10", "-1000100"));
        generates("{\"type\":\"number\",\"multipleOf\":2.5,\"minimum\":0,\"maximum\":10}", List.of("2.5", "10.0"), List.of("1.5"));
        drawn("{\"type\":\"integer\"}");
        drawn("{\"type\":\"number\"}");
        refuses("#/multipleOf", "{\"type\":\"integer\",\"multipleOf\":1234567891}");
    }

    @Test
    void objectsKeepTheirProperties() {
        generates("{\"type\":\"object\",\"required\":[\"\"]}", List.of("{\"\":1}"), List.of("null", "{}"));
        generates("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"additionalProperties\":{\"type\":\"string\"}}",
                List.of("{\"a\":1}", "{\"a\":1,\"b\":\"x\"}"), List.of("{\"\\u0061\":\"x\"}", "{\"a\":\"x\"}"));
        generates("{\"type\":\"object\",\"properties\":{\"a\":true,\"b\":true,\"c\":true},\"minProperties\":2,\"maxProperties\":2}",
                List.of("{\"a\":1,\"c\":2}"), List.of("{\"a\":1}", "{\"a\":1,\"b\":1,\"c\":1}"));
        generates("{\"type\":\"object\",\"patternProperties\":{\"^x-\":{\"type\":\"integer\"},\"y$\":{\"minimum\":3}},"
                + "\"additionalProperties\":false}", List.of("{\"x-a\":1}", "{\"x-y\":3}"), List.of("{\"x-y\":1}", "{\"z\":1}"));
        generates("{\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^[a-z]{2}$\"},\"additionalProperties\":{\"type\":\"null\"}}",
                List.of("{\"ab\":null}"), List.of("{\"abc\":null}"));
        generates("{\"type\":\"object\",\"propertyNames\":{\"enum\":[\"a\",\"b\"]},\"minProperties\":2}", List.of("{\"a\":1,\"b\":1}"),
                List.of("{\"a\":1}", "{\"c\":1,\"d\":2}"));
        generates("{\"type\":\"object\",\"properties\":{\"a\":true,\"b\":true},\"dependentRequired\":{\"a\":[\"b\"]}}",
                List.of("{}", "{\"b\":1}", "{\"a\":1,\"b\":2}"), List.of("{\"a\":1}"));
        generates("{\"type\":\"object\",\"properties\":{\"k\\\"ey\\\\\":{\"const\":\"a\\n\\\"\"}},\"required\":[\"k\\\"ey\\\\\"]}",
                List.of("{\"k\\\"ey\\\\\":\"a\\n\\\"\"}"), List.of("{}"));
        refuses("#/minProperties", "{\"type\":\"object\",\"minProperties\":2}");
    }

    @Test
    void arraysKeepTheirItems() {
        generates("{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", List.of("[1,\"a\"]"),
                List.of("[\"a\",1]", "[1,\"a\",2]"));
        generates("{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"}],\"items\":{\"type\":\"null\"},\"minItems\":2}",
                List.of("[1,null]", "[1,null,null]"), List.of("[1]", "[1,1]"));
        generates("{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"contains\":{\"minimum\":9},\"minContains\":2,\"maxContains\":3}",
                List.of("[1,9,2,10]"), List.of("[9]", "[9,9,9,9]", "[]"));
        generates("{\"type\":\"array\",\"items\":{\"enum\":[\"a\",\"b\",\"c\"]},\"uniqueItems\":true,\"minItems\":1}",
                List.of("[\"a\",\"c\"]"), List.of("[\"a\",\"a\"]", "[]"));
        generates("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":2,\"maxItems\":700}",
                List.of("[true" + ",false".repeat(600) + "]"), List.of("[true]", "[true" + ",false".repeat(700) + "]"));
        refuses("#/uniqueItems", "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"uniqueItems\":true}");
    }

    @Test
    void schemasThatApplyAtOnceAreKeptTogether() {
        generates("{\"allOf\":[{\"$ref\":\"#/$defs/a\"},{\"properties\":{\"b\":{\"type\":\"string\"}},\"required\":[\"b\"]}],\"$defs\":{\"a\":"
                + "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}}}", List.of("{\"a\":1,\"b\":\"x\"}"),
                List.of("{\"a\":1}", "{\"b\":\"x\"}", "null"));
        generates("{\"type\":[\"string\",\"null\"],\"minLength\":2}", List.of("null", "\"ab\""), List.of("\"a\"", "1"));
        generates("{\"enum\":[1,\"a\",null,[true],{\"x\":\"\\\"\"}],\"type\":[\"string\",\"array\",\"object\"]}",
                List.of("\"a\"", "[true]", "{\"x\":\"\\\"\"}"), List.of("1", "null"));
        generates("{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"a\"},\"v\":{\"type\":\"integer\"}},\"required\":[\"k\",\"v\"]},"
                + "{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"b\"}},\"required\":[\"k\"]}]}",
                List.of("{\"k\":\"a\",\"v\":1}", "{\"k\":\"b\"}"), List.of("{\"k\":\"a\"}"));
        generates("{\"type\":\"object\",\"properties\":{\"a\":true,\"b\":true},\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
                List.of("{\"a\":1}", "{\"b\":1}"), List.of("{}", "{\"a\":1,\"b\":1}"));
        generates("{\"type\":\"object\",\"properties\":{\"land\":{\"enum\":[\"de\",\"us\"]},\"zip\":{\"type\":\"string\"}},\"required\":[\"land\",\"zip\"],"
                + "\"if\":{\"properties\":{\"land\":{\"const\":\"de\"}}},\"then\":{\"properties\":{\"zip\":{\"pattern\":\"^\\\\d{5}$\"}}},"
                + "\"else\":{\"properties\":{\"zip\":{\"pattern\":\"^[A-Z]+$\"}}}}",
                List.of("{\"land\":\"de\",\"zip\":\"12345\"}", "{\"land\":\"us\",\"zip\":\"AB\"}"), List.of("{\"land\":\"de\",\"zip\":\"AB\"}"));
        generates("{\"type\":\"string\",\"not\":{\"enum\":[\"a\",\"bc\"]},\"maxLength\":3}", List.of("\"b\"", "\"abc\""), List.of("\"a\"", "\"bc\""));
        generates("{\"$ref\":\"#/$defs/node\",\"$defs\":{\"node\":{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"integer\"},\"next\":{\"anyOf\":"
                + "[{\"$ref\":\"#/$defs/node\"},{\"type\":\"null\"}]}},\"required\":[\"v\",\"next\"]}}}",
                List.of("{\"v\":1,\"next\":{\"v\":2,\"next\":null}}"), List.of("{\"v\":1}"));
        generates("{\"type\":\"object\",\"allOf\":[{\"properties\":{\"a\":true}}],\"properties\":{\"b\":true},\"unevaluatedProperties\":false}",
                List.of("{\"b\":1,\"a\":2}"), List.of("{\"c\":1}"));
        generates("{\"enum\":[{\"a\":1},{\"a\":null},7],\"unevaluatedProperties\":{\"type\":\"null\"}}", List.of("7", "{\"a\":null}"),
                List.of("{\"a\":1}"));
        refuses("#/unevaluatedProperties", "{\"allOf\":[{\"enum\":[{\"a\":1}]}],\"unevaluatedProperties\":false}");
        refuses("#/allOf/0", "{\"allOf\":[{\"$ref\":\"#/allOf/0\"}]}");
        refuses("#/oneOf", "{\"oneOf\":[{\"multipleOf\":2},{\"multipleOf\":3}]}");
    }

    @Test
    void boundsMayHaveAnyNumberOfDigits() {
        for (String digits : List.of("9007199254740993", "123456789012345678901234567890123456789012")) {
            String less = digits.substring(0, digits.length() - 1) + (digits.charAt(digits.length() - 1) - '1');
            String more = digits.substring(0, digits.length() - 1) + (char) (digits.charAt(digits.length() - 1) + 1);
            generates("{\"type\":\"integer\",\"minimum\":" + digits + "}", List.of(digits, more), List.of(less, "0", "-" + digits));
            generates("{\"type\":\"integer\",\"maximum\":" + digits + "}", List.of(digits, less, "0"), List.of(more));
            generates("{\"type\":\"integer\",\"minimum\":-" + digits + "}", List.of("-" + digits, "-" + less, "7"), List.of("-" + more));
            generates("{\"type\":\"number\",\"exclusiveMaximum\":" + digits + "}", List.of(less, less + ".5"), List.of(digits, more));
        }
        refuses("#/maximum", "{\"type\":\"integer\",\"maximum\":1e999999999}");
        refuses("#", "{\"type\":\"number\",\"minimum\":5,\"maximum\":1}");
    }

    @Test
    void optionalPropertiesMakeAGrammarAsLongAsTheirNumber() {
        String schema = IntStream.range(0, 4000).mapToObj(i -> "\"p" + i + "\":{\"type\":\"integer\"}")
                .collect(Collectors.joining(",", "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{", "}}"));
        String gbnf = JsonSchema.form(schema, false, Cancel.NONE).gbnf();
        assertTrue(gbnf.lines().count() < 4 * 4000, "rules: " + gbnf.lines().count());
        assertTrue(gbnf.contains("p3999"));
    }

    @Test
    void whatTakesTooLongIsRefusedAndWhatIsCancelledEnds() {
        String counts = IntStream.range(0, 12).mapToObj(i -> "{\"contains\":{\"const\":" + i + "},\"minContains\":3,\"maxContains\":5}")
                .collect(Collectors.joining(",", "{\"type\":\"array\",\"allOf\":[", "]}"));
        Cancel cancel = new Cancel();
        cancel.request();
        assertThrows(CancelledException.class, () -> JsonSchema.form(counts, false, cancel));
        System.setProperty(Limits.SECONDS, "0.2");
        try {
            var refusal = assertThrows(InvalidOptionException.class, () -> JsonSchema.form(counts, false, Cancel.NONE));
            assertTrue(refusal.getMessage().contains("takes more than 0.2 s") && refusal.getMessage().contains(Limits.SECONDS), refusal.getMessage());
        } finally {
            System.clearProperty(Limits.SECONDS);
        }
    }

    @Test
    void faultsNameTheirPlace() {
        refuses("#/properties/a~1b/type", "{\"properties\":{\"a/b\":{\"type\":\"strng\"}}}");
        refuses("#/properties/a/$ref", "{\"properties\":{\"a\":{\"$ref\":\"#/$defs/none\"}}}");
        refuses("#/minimum", "{\"type\":\"integer\",\"minimum\":\"1\"}");
        refuses("#/required", "{\"type\":\"object\",\"required\":true}");
        refuses("#", "{\"$ref\":\"#/%zz\"}");
        for (String text : List.of("{\"maximum\":1e9999999999999}", "{", "[1]", "{\"a\":1}}", "{\"type\":\"object\",\"type\":\"array\"}", "false", "{\"type\":\"integer\",\"minimum\":2,\"maximum\":1}")) {
            assertThrows(InvalidOptionException.class, () -> JsonSchema.form(text, true, Cancel.NONE), text);
        }
        String deep = "{\"items\":".repeat(150) + "{}" + "}".repeat(150);
        assertTrue(JsonSchema.form(deep, false, Cancel.NONE).gbnf().length() > 100);
        assertThrows(InvalidOptionException.class, () -> JsonSchema.form("{\"items\":".repeat(9000) + "{}" + "}".repeat(9000), false, Cancel.NONE));
    }

    @Test
    void whatCannotBeKeptIsLeftOutWhereThatIsAskedFor() {
        String schema = "{\"type\":\"object\",\"properties\":{\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"pattern\":\"a\\\\b\"},"
                + "\"uniqueItems\":true}},\"required\":[\"tags\"]}";
        JsonSchema.Form form = JsonSchema.form(schema, true, Cancel.NONE);
        assertEquals(2, form.ignored().size(), form.ignored().toString());
        assertTrue(form.ignored().toString().contains("#/properties/tags/uniqueItems: "), form.ignored().toString());
        assertTrue(new GbnfText(form.gbnf()).accepts("{\"tags\":[\"x\",\"x\"]}"));
        assertEquals(List.of(), JsonSchema.form("{}", true, Cancel.NONE).ignored());
    }

    @Test
    void keywordsThatNoDraftHasAreSaid() {
        String schema = "{\"typ\":\"string\",\"x-order\":1,\"properties\":{\"a\":{\"nullable\":true,\"title\":\"A\"}},\"const\":{\"minn\":1}}";
        assertEquals(List.of("#/typ is no keyword of the standard", "#/properties/a/nullable is no keyword of the standard"),
                JsonSchema.form(schema, false, Cancel.NONE).notes());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "#/properties/b/items | {'type':'object','properties':{'a':{'enum':[]},'b':{'type':'array','minItems':1,'items':{'type':'string','minLength':3,'maxLength':2}}},'required':['b']}",
        "#/properties/n | {'type':'object','properties':{'n':{'type':'integer','minimum':5,'maximum':4}},'required':['n']}",
        "# | {'type':'object','required':['a'],'properties':{'a':false}}"})
    void theInnermostSchemaWithoutAValueIsNamed(String place, String schema) {
        var refusal = assertThrows(InvalidOptionException.class, () -> JsonSchema.form(schema.replace('\'', '"'), false, Cancel.NONE));
        assertTrue(refusal.getMessage().contains("got " + place + ": no value can be promised"), refusal.getMessage());
    }
}
