package ai.luciferai.llama.schema;

import java.util.Arrays;
import java.util.List;

/** An expression of a grammar, before it is known which rules can ever end. */
sealed interface Gbnf {

    int UNLIMITED = Integer.MAX_VALUE;
    Gbnf EMPTY = new Sequence(List.of());
    /** Nothing at all, not even the empty text. */
    Gbnf NEVER = new Choice(List.of());

    /** GBNF as it is: classes and literals, without names of rules. */
    record Text(String text) implements Gbnf {}

    /** What a rule derives. */
    record Rule(String name) implements Gbnf {}

    /** One after the other. */
    record Sequence(List<Gbnf> parts) implements Gbnf {}

    /** One of them. */
    record Choice(List<Gbnf> options) implements Gbnf {}

    /** @param most {@link #UNLIMITED} for no bound */
    record Repeat(Gbnf part, int least, int most) implements Gbnf {}

    static Gbnf sequence(Gbnf... parts) {
        return new Sequence(Arrays.asList(parts));
    }

    static Gbnf choice(Gbnf... options) {
        return new Choice(Arrays.asList(options));
    }

    static Gbnf literal(String text) {
        return new Text(Literals.quoted(text));
    }
}
