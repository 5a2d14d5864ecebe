package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.schema.SchemaSuite;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** llama.cpp understands the grammars of JSON schemas, and a hot model that never saw JSON keeps them. */
class JsonSchemaIT {

    private static final String SHOP = """
            {"type": "object", "required": ["id", "mail", "tags", "price"], "properties": {
             "id": {"type": "string", "pattern": "^[A-Z]{2}-\\\\d{3}$"}, "mail": {"type": "string", "format": "email"},
             "price": {"type": "number", "minimum": 0, "maximum": 10, "multipleOf": 0.01},
             "tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": true, "minItems": 1}}}""";

    private static Model model;
    private static Session session;

    @BeforeAll
    static void load() {
        model = Tiny.load();
        session = model.session(Tiny.CONTEXT);
    }

    @AfterAll
    static void close() {
        session.close();
        model.close();
    }

    private static Completion hot(String schema, int seed, int tokens) {
        session.clear();
        return session.complete(Prompt.text("list files\n"), GenerateOptions.defaults().withMaxTokens(tokens)
                .withSampling(Sampling.defaults().withTemperature(1.5f).withTopK(0).withTopP(1f).withMinP(0f).withSeed(seed))
                .withJsonSchema(schema));
    }

    @Test
    void whatIsGeneratedSatisfiesTheSchema() {
        for (int seed = 1; seed <= 20; seed++) {
            String text = hot(SHOP, seed, 400).text();
            assertEquals(List.of(), SchemaSuite.faults(SchemaSuite.parse(SHOP), text), text);
        }
    }

    @Test
    void everyKeptSchemaOfTheSuiteIsAGrammarForLlamaCpp() {
        assumeTrue(SchemaSuite.folder() != null, "the suite does not lie beside the checkout: " + SchemaSuite.FOLDER);
        List<String> wrong = new ArrayList<>();
        int ended = 0;
        for (SchemaSuite.Group group : SchemaSuite.judged()) {
            try {
                Completion c = hot(group.schema().toString(), 7, 48);
                if (c.stopReason() == StopReason.END_OF_GENERATION) {
                    ended++;
                    SchemaSuite.faults(group.schema(), c.text()).forEach(f -> wrong.add(group.name() + ": " + c.text() + ": " + f));
                }
            } catch (InvalidOptionException e) {
                if (!e.option().equals("jsonSchema")) {
                    wrong.add(group.name() + ": " + e.getMessage());
                }
            }
        }
        assertEquals("", String.join("\n", wrong));
        assertTrue(ended > 100, ended + " came to their end");
    }

    @Test
    void refusesOrLeavesOut() {
        String schema = "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"maxItems\":2,\"contains\":{\"format\":\"regex\",\"type\":\"string\"}}";
        var e = assertThrows(InvalidOptionException.class, () -> hot(schema, 1, 20));
        assertTrue(e.getMessage().contains("#/contains/format"), e.getMessage());
        String unique = "{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"maximum\":9,\"minimum\":0},\"minItems\":2,\"maxItems\":2,\"uniqueItems\":true}";
        session.clear();
        Completion lax = session.complete(Prompt.text("list files\n"), Tiny.greedy(60).withGrammar(Grammar.laxJsonSchema(unique)));
        assertEquals(2, SchemaSuite.parse(lax.text()).size());
    }

    @Test
    void toolCallsKeepTheirParameters() {
        String tools = """
                [{"type": "function", "function": {"name": "list", "description": "lists", "parameters": {"type": "object",
                 "properties": {"id": {"type": "string", "pattern": "^\\\\d{2}$"}}, "required": ["id"]}}}]""";
        String jinja = """
                {%- if tools %}{{ tools | tojson }}{% endif -%}
                {%- for m in messages -%}<|{{ m.role }}|>{{ m.content }}
                {%- for c in m.tool_calls or [] -%}<tool_call>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}</tool_call>{%- endfor -%}
                {%- endfor -%}
                {%- if add_generation_prompt %}<|assistant|>{% endif -%}""";
        RenderedChat chat = model.renderChat(List.of(ChatMessage.user("U")),
                ChatFormat.defaults().withTemplate(ChatTemplate.jinja(jinja)).withTools(tools));
        String gbnf = chat.toolGrammar().gbnf();
        assertTrue(gbnf.contains("tool-list-schema ::= kept-0-"), gbnf);
        assertFalse(gbnf.isBlank());
    }
}
