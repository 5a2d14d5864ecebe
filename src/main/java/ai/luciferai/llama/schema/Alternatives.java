package ai.luciferai.llama.schema;

import ai.luciferai.llama.schema.Shape.Branch;
import ai.luciferai.llama.schema.Shape.Objects;
import ai.luciferai.llama.schema.Shape.PropertyLayer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Keywords that apply other schemas to the same value. */
final class Alternatives {

    private final Expansion expansion;

    Alternatives(Expansion expansion) {
        this.expansion = expansion;
    }

    List<Branch> apply(Place place, List<Branch> own) {
        List<Branch> all = own;
        if (expansion.has(place, "allOf")) {
            for (Place part : Keywords.schemas(place, "allOf")) {
                all = meet(all, expansion.of(part), place);
            }
        }
        if (expansion.has(place, "anyOf")) {
            all = meet(all, union(Keywords.schemas(place, "anyOf")), place);
        }
        if (place.has("oneOf")) {
            List<Place> parts = Keywords.schemas(place, "oneOf");
            all = meet(all, expansion.has(place, "oneOf") ? exactlyOne(parts, place) : union(parts), place);
        }
        if (expansion.has(place, "not")) {
            all = meet(all, expansion.not(place.at("not"), place.pointer() + "/not"), place);
        }
        if (expansion.has(place, "if")) {
            all = meet(all, conditional(place), place);
        }
        return dependent(place, all);
    }

    private List<Branch> meet(List<Branch> a, List<Branch> b, Place place) {
        return expansion.meet().of(a, b, place.pointer());
    }

    private List<Branch> union(List<Place> parts) {
        Set<Branch> all = new LinkedHashSet<>();
        for (Place part : parts) {
            List<Branch> some = expansion.of(part);
            if (some == Expansion.ANYTHING && parts.size() == 1) {
                return some;
            }
            all.addAll(some);
        }
        return List.copyOf(all);
    }

    /** Those of each that satisfy none of the others that it meets. */
    private List<Branch> exactlyOne(List<Place> parts, Place place) {
        Set<Branch> all = new LinkedHashSet<>();
        for (int i = 0; i < parts.size(); i++) {
            List<Branch> one = expansion.of(parts.get(i));
            for (int j = 0; j < parts.size(); j++) {
                if (i != j && !expansion.values().isEmpty(meet(expansion.of(parts.get(i)), expansion.of(parts.get(j)), place))) {
                    one = meet(one, expansion.not(parts.get(j), place.pointer() + "/oneOf"), place);
                }
            }
            all.addAll(one);
        }
        return List.copyOf(all);
    }

    private List<Branch> conditional(Place place) {
        Place condition = Keywords.schema(place.at("if"));
        List<Branch> then = expansion.has(place, "then") ? expansion.of(place.at("then")) : Expansion.ANYTHING;
        List<Branch> otherwise = expansion.has(place, "else") ? expansion.of(place.at("else")) : Expansion.ANYTHING;
        if (then == Expansion.ANYTHING && otherwise == Expansion.ANYTHING) {
            return Expansion.ANYTHING;
        }
        Set<Branch> all = new LinkedHashSet<>(meet(expansion.of(condition), then, place));
        all.addAll(meet(expansion.not(condition, place.pointer() + "/if"), otherwise, place));
        return List.copyOf(all);
    }

    private List<Branch> dependent(Place place, List<Branch> own) {
        List<Branch> all = own;
        for (String keyword : List.of("dependentRequired", "dependentSchemas", "dependencies")) {
            if (!expansion.has(place, keyword)) {
                continue;
            }
            for (var one : Keywords.named(place, keyword).entrySet()) {
                boolean list = one.getValue().node().isArray();
                Set<String> required = new LinkedHashSet<>(Set.of(one.getKey()));
                if (list) {
                    required.addAll(Keywords.texts(place.at(keyword), one.getKey()));
                }
                List<Branch> present = List.of(new Branch(Objects.with(new PropertyLayer(Map.of(), List.of(), null, false), required), true));
                present = list ? present : meet(present, expansion.of(one.getValue()), place);
                all = meet(all, whenPresent(one.getKey(), present), place);
            }
        }
        return all;
    }

    /** No object, or one without the property, or one of these. */
    private static List<Branch> whenPresent(String name, List<Branch> present) {
        List<Branch> all = new ArrayList<>(Expansion.ANYTHING.stream().filter(b -> !(b.shape() instanceof Objects)).toList());
        all.add(new Branch(without(name), true));
        all.addAll(present);
        return all;
    }

    static Objects without(String name) {
        return Objects.with(new PropertyLayer(Map.of(name, Conj.NOTHING), List.of(), null, false), Set.of());
    }
}
