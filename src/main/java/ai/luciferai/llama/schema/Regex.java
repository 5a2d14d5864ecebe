package ai.luciferai.llama.schema;

import java.util.List;

/**
 * A pattern as ECMA-262 reads it.
 *
 * @param source  its text
 * @param body    what is to be found somewhere in the text
 * @param looks   what must, or must not, follow at its start
 * @param strange characters that dialects read differently; none of them is generated
 */
record Regex(String source, Node body, List<Look> looks, CodePoints strange) {

    static final CodePoints LINE_ENDS = CodePoints.of('\n', '\n', '\r', '\r', 0x2028, 0x2029);
    static final CodePoints DIGIT = CodePoints.of('0', '9');
    static final CodePoints WORD = CodePoints.of('0', '9', 'A', 'Z', 'a', 'z', '_', '_');
    static final CodePoints SPACE = CodePoints.of('\t', '\r', ' ', ' ', 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029,
            0x202F, 0x202F, 0x205F, 0x205F, 0x3000, 0x3000, 0xFEFF, 0xFEFF);

    /** Part of a pattern. */
    sealed interface Node {}

    /** One of these characters. */
    record One(CodePoints of) implements Node {}

    /** One after the other. */
    record Then(List<Node> parts) implements Node {}

    /** One of them. */
    record Or(List<Node> options) implements Node {}

    /** @param most {@link Gbnf#UNLIMITED} for no bound */
    record Times(Node part, int least, int most) implements Node {}

    /** The text's start, or its end. */
    record Anchor(boolean end) implements Node {}

    /** A look ahead from the start. */
    record Look(Node body, boolean negated) {}

    static Node anything() {
        return new Times(new One(CodePoints.all()), 0, Gbnf.UNLIMITED);
    }

    /** One of these texts, and nothing else. */
    static Regex exactly(List<String> texts) {
        List<Node> options = texts.stream().<Node>map(t -> new Then(
                t.codePoints().<Node>mapToObj(c -> new One(CodePoints.of(c, c))).toList())).toList();
        String source = "\0" + texts.stream().map(Literals::jsonString).toList(); // no pattern begins so
        return new Regex(source, new Then(List.of(new Anchor(false), new Or(options), new Anchor(true))), List.of(),
                new CodePoints());
    }

    boolean isList() {
        return source.startsWith("\0");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Regex r && r.source.equals(source);
    }

    @Override
    public int hashCode() {
        return source.hashCode();
    }
}
