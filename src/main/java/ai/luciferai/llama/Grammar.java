package ai.luciferai.llama;

/**
 * A form that the generated text must keep.
 *
 * @param kind what {@code text} is
 * @param text the GBNF grammar or the JSON schema; empty for {@link Kind#NONE}
 */
public record Grammar(Kind kind, String text) {

    /** What a {@link Grammar}'s text is. */
    public enum Kind {
        NONE,
        GBNF,
        /** Kept, or refused by the place that cannot be. */
        JSON_SCHEMA,
        /** Kept but for keywords that cannot be, which are left out with a warning. */
        LAX_JSON_SCHEMA
    }

    private static final Grammar NO_GRAMMAR = new Grammar(Kind.NONE, "");

    public Grammar {
        Check.present("grammar", kind);
        Check.require(kind == Kind.NONE || !text.isBlank(), kind == Kind.GBNF ? "grammar" : "json-schema",
                "a text that is not blank", "a blank one");
    }

    /** No form. */
    public static Grammar none() {
        return NO_GRAMMAR;
    }

    /** A grammar in llama.cpp's GBNF notation, whose start is the rule {@code root}. */
    public static Grammar gbnf(String text) {
        return new Grammar(Kind.GBNF, Check.present("grammar", text));
    }

    /**
     * A JSON schema, as JSON text; <code>{}</code> is any JSON value. What is generated under it parses and satisfies it; one that cannot
     * be kept is refused ({@code InvalidOptionException}) when generation begins.
     */
    public static Grammar jsonSchema(String text) {
        return new Grammar(Kind.JSON_SCHEMA, Check.present("json-schema", text));
    }

    /** A JSON schema of which keywords that cannot be kept are left out, with a warning in the log, where {@link #jsonSchema} refuses. */
    public static Grammar laxJsonSchema(String text) {
        return new Grammar(Kind.LAX_JSON_SCHEMA, Check.present("json-schema", text));
    }
}
