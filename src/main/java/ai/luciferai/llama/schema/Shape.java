package ai.luciferai.llama.schema;

import ai.luciferai.llama.schema.Automaton.Term;
import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Values of one type, by what is asked of them. Counts without a bound are {@link Gbnf#UNLIMITED}. */
sealed interface Shape {

    /** One value; null, true and false are always constants. */
    record Constant(JsonNode value) implements Shape {}

    /** @param value null for none */
    record Bound(BigDecimal value, boolean open) {

        static final Bound NONE = new Bound(null, false);
    }

    /**
     * @param step   what divides each, or null
     * @param stepAt the keyword that says so
     */
    record Numbers(Bound low, Bound high, boolean integer, BigDecimal step, String stepAt) implements Shape {

        static final Numbers ALL = new Numbers(Bound.NONE, Bound.NONE, false, null, "");
    }

    /** @param at the keyword that the first of {@code terms} comes from */
    record Strings(int min, int max, List<Term> terms, String at) implements Shape {

        static final Strings ALL = new Strings(0, Gbnf.UNLIMITED, List.of(), "");
    }

    /**
     * What one schema says about items.
     *
     * @param items     of those after the prefix, or null
     * @param annotates whether it counts as an evaluation
     */
    record ItemLayer(List<Conj> prefix, Conj items, boolean annotates) {}

    /** @param at its keyword */
    record Contains(Conj value, int min, int max, String at) {}

    /** @param uniqueAt the keyword that asks for different items, or empty */
    record Arrays(List<ItemLayer> layers, int min, int max, String uniqueAt, List<Contains> contains) implements Shape {

        static final Arrays ALL = new Arrays(List.of(), 0, Gbnf.UNLIMITED, "", List.of());
    }

    /** Properties whose names match. */
    record Matching(Regex names, Conj value) {}

    /**
     * What one schema says about properties.
     *
     * @param others    of those that it does not name, or null
     * @param annotates whether it counts as an evaluation
     */
    record PropertyLayer(Map<String, Conj> properties, List<Matching> patterns, Conj others, boolean annotates) {}

    /**
     * @param names what each name satisfies
     * @param minAt the keyword that {@code min} comes from
     */
    record Objects(List<PropertyLayer> layers, Set<String> required, int min, int max, List<Conj> names, String minAt) implements Shape {

        static final Objects ALL = new Objects(List.of(), Set.of(), 0, Gbnf.UNLIMITED, List.of(), "");

        static Objects with(PropertyLayer layer, Set<String> required) {
            return new Objects(List.of(layer), required, 0, Gbnf.UNLIMITED, List.of(), "");
        }
    }

    /**
     * One of the ways to satisfy a schema.
     *
     * @param meant whether the schema speaks of this type at all; others are left out where there are such
     */
    record Branch(Shape shape, boolean meant) {}
}
