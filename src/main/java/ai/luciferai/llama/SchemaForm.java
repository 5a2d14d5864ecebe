package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.schema.JsonSchema;

/** Grammars of JSON schemas. The last one is kept: many answers share it, and what it leaves out is said once. */
final class SchemaForm {

    private record Known(Grammar schema, String gbnf) {}

    private static volatile Known last = new Known(Grammar.none(), "");

    private SchemaForm() {}

    static String gbnf(Grammar schema, Cancel cancel) {
        Known known = last;
        if (!known.schema().equals(schema)) {
            JsonSchema.Form form = JsonSchema.form(schema.text(), schema.kind() == Grammar.Kind.LAX_JSON_SCHEMA, cancel);
            form.ignored().forEach(place -> warn("the JSON schema is kept but for " + place));
            form.notes().forEach(note -> warn("the JSON schema's " + note + ": it asks for nothing"));
            known = new Known(schema, form.gbnf());
            last = known;
        }
        return known.gbnf();
    }

    private static void warn(String text) {
        System.getLogger(SchemaForm.class.getName()).log(System.Logger.Level.WARNING, text);
    }
}
