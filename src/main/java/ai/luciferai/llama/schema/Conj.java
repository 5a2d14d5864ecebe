package ai.luciferai.llama.schema;

import com.fasterxml.jackson.databind.node.BooleanNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;

/** Schemas that hold at once, or must not hold; none: anything goes. Equal by their places. */
final class Conj {

    /**
     * A schema, or its contrary.
     *
     * @param owner the keyword that asks for the contrary
     */
    record Literal(Place place, boolean negated, String owner) {

        String key() {
            return (negated ? "!" : "") + place.pointer();
        }
    }

    static final Conj ANYTHING = new Conj(List.of());
    static final Conj NOTHING = of(new Place(BooleanNode.FALSE, "nothing"));

    private final TreeMap<String, Literal> literals = new TreeMap<>();

    private Conj(Collection<Literal> all) {
        all.forEach(l -> literals.put(l.key(), l));
    }

    static Conj of(Place place) {
        return new Conj(List.of(new Literal(place, false, "")));
    }

    /** What does not satisfy the schema. */
    static Conj not(Place place, String owner) {
        return new Conj(List.of(new Literal(place, true, owner)));
    }

    Conj and(Conj other) {
        List<Literal> all = new ArrayList<>(literals.values());
        all.addAll(other.literals.values());
        return new Conj(all);
    }

    Collection<Literal> literals() {
        return literals.values();
    }

    boolean isAnything() {
        return literals.isEmpty();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Conj c && c.literals.keySet().equals(literals.keySet());
    }

    @Override
    public int hashCode() {
        return literals.keySet().hashCode();
    }

    @Override
    public String toString() {
        return String.join(" & ", literals.keySet());
    }
}
