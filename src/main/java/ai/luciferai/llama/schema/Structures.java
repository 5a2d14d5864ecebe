package ai.luciferai.llama.schema;

import ai.luciferai.llama.schema.Shape.Arrays;
import ai.luciferai.llama.schema.Shape.Branch;
import ai.luciferai.llama.schema.Shape.Constant;
import ai.luciferai.llama.schema.Shape.Contains;
import ai.luciferai.llama.schema.Shape.ItemLayer;
import ai.luciferai.llama.schema.Shape.Matching;
import ai.luciferai.llama.schema.Shape.Objects;
import ai.luciferai.llama.schema.Shape.PropertyLayer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/** What a schema says about arrays and objects. */
final class Structures {

    private final Expansion expansion;

    Structures(Expansion expansion) {
        this.expansion = expansion;
    }

    private int count(Place place, String keyword, int absent) {
        int count = expansion.has(place, keyword) ? Keywords.count(place, keyword, absent) : absent;
        return count == Keywords.MOST && keyword.startsWith("max") ? Gbnf.UNLIMITED : count;
    }

    List<Shape> arrays(Place place) {
        int min = count(place, "minItems", 0);
        int max = count(place, "maxItems", Gbnf.UNLIMITED);
        boolean unique = expansion.has(place, "uniqueItems") && Keywords.flag(place, "uniqueItems");
        if (min > max) {
            return List.of();
        }
        return List.of(new Arrays(List.of(items(place)), min, max, unique ? place.pointer() + "/uniqueItems" : "", contains(place)));
    }

    private ItemLayer items(Place place) {
        List<Conj> prefix = new ArrayList<>();
        Conj items = null;
        boolean list = place.node().path("items").isArray(); // as draft 7 has it
        String first = list ? "items" : "prefixItems";
        if (expansion.has(place, first)) {
            Keywords.schemas(place, first).forEach(p -> prefix.add(Conj.of(p)));
        }
        String others = list ? "additionalItems" : "items";
        if (expansion.has(place, others)) {
            items = Conj.of(Keywords.schema(place.at(others)));
        }
        return new ItemLayer(prefix, items, true);
    }

    private List<Contains> contains(Place place) {
        if (!expansion.has(place, "contains")) {
            return List.of();
        }
        Conj value = Conj.of(Keywords.schema(place.at("contains")));
        int min = count(place, "minContains", 1);
        int max = count(place, "maxContains", Gbnf.UNLIMITED);
        return List.of(new Contains(value, min, max, place.pointer() + "/contains"));
    }

    List<Shape> objects(Place place) {
        int min = count(place, "minProperties", 0);
        int max = count(place, "maxProperties", Gbnf.UNLIMITED);
        var required = new LinkedHashSet<String>();
        if (expansion.has(place, "required")) {
            if (place.node().path("required").isBoolean()) { // draft 3
                throw Keywords.wrong(place, "required", "a list of strings");
            }
            required.addAll(Keywords.texts(place, "required"));
        }
        if (min > max || required.size() > max) {
            return List.of();
        }
        List<Conj> names = expansion.has(place, "propertyNames") ? List.of(Conj.of(Keywords.schema(place.at("propertyNames"))))
                : List.of();
        return List.of(new Objects(List.of(properties(place)), required, min, max, names, place.pointer() + "/minProperties"));
    }

    private PropertyLayer properties(Place place) {
        Map<String, Conj> properties = new LinkedHashMap<>();
        if (expansion.has(place, "properties")) {
            Keywords.named(place, "properties").forEach((name, schema) -> properties.put(name, Conj.of(schema)));
        }
        List<Matching> patterns = new ArrayList<>();
        if (expansion.has(place, "patternProperties")) {
            Keywords.named(place, "patternProperties").forEach((pattern, schema) -> {
                if (!expansion.isIgnored(schema.pointer())) {
                    patterns.add(new Matching(expansion.regex(pattern, schema.pointer()), Conj.of(schema)));
                }
            });
        }
        Conj others = expansion.has(place, "additionalProperties") ? Conj.of(Keywords.schema(place.at("additionalProperties"))) : null;
        return new PropertyLayer(properties, patterns, others, true);
    }

    /** "unevaluatedProperties" and "unevaluatedItems", which look at all that the schema's other keywords say. */
    List<Branch> unevaluated(Place place, List<Branch> all) {
        boolean items = expansion.has(place, "unevaluatedItems");
        boolean properties = expansion.has(place, "unevaluatedProperties");
        if (!items && !properties) {
            return all;
        }
        return all.stream().map(b -> switch (b.shape()) {
            case Arrays a when items -> new Branch(closed(a, Conj.of(Keywords.schema(place.at("unevaluatedItems")))), true);
            case Objects o when properties -> new Branch(closed(o, Conj.of(Keywords.schema(place.at("unevaluatedProperties")))), true);
            case Constant c when !c.value().isEmpty() && (c.value().isArray() ? items : c.value().isObject() && properties) ->
                    throw new Refused(place.pointer() + (c.value().isArray() ? "/unevaluatedItems" : "/unevaluatedProperties"),
                            "beside constants of other schemas it cannot be kept", true);
            default -> b;
        }).toList();
    }

    static List<Branch> silent(List<Branch> all) {
        return all == Expansion.ANYTHING ? all : all.stream().map(b -> new Branch(switch (b.shape()) {
            case Arrays a -> new Arrays(a.layers().stream().map(l -> new ItemLayer(l.prefix(), l.items(), false)).toList(), a.min(), a.max(),
                    a.uniqueAt(), a.contains());
            case Objects o -> new Objects(o.layers().stream().map(l -> new PropertyLayer(l.properties(), l.patterns(), l.others(), false))
                    .toList(), o.required(), o.min(), o.max(), o.names(), o.minAt());
            default -> b.shape();
        }, b.meant())).toList();
    }

    private static Arrays closed(Arrays a, Conj rest) {
        int prefix = 0;
        for (ItemLayer layer : a.layers()) {
            if (layer.annotates() && layer.items() != null) {
                return a;
            }
            prefix = Math.max(prefix, layer.annotates() ? layer.prefix().size() : 0);
        }
        List<ItemLayer> layers = new ArrayList<>(a.layers());
        layers.add(new ItemLayer(Collections.nCopies(prefix, Conj.ANYTHING), rest, true));
        return new Arrays(layers, a.min(), a.max(), a.uniqueAt(), a.contains());
    }

    private static Objects closed(Objects o, Conj rest) {
        Map<String, Conj> properties = new LinkedHashMap<>();
        List<Matching> patterns = new ArrayList<>();
        for (PropertyLayer layer : o.layers()) {
            if (!layer.annotates()) {
                continue;
            }
            if (layer.others() != null) {
                return o;
            }
            layer.properties().keySet().forEach(name -> properties.put(name, Conj.ANYTHING));
            layer.patterns().forEach(p -> patterns.add(new Matching(p.names(), Conj.ANYTHING)));
        }
        List<PropertyLayer> layers = new ArrayList<>(o.layers());
        layers.add(new PropertyLayer(properties, patterns, rest, true));
        return new Objects(layers, o.required(), o.min(), o.max(), o.names(), o.minAt());
    }
}
