package ai.luciferai.llama.schema;

import ai.luciferai.llama.schema.Automaton.Term;
import ai.luciferai.llama.schema.Shape.Arrays;
import ai.luciferai.llama.schema.Shape.Bound;
import ai.luciferai.llama.schema.Shape.Branch;
import ai.luciferai.llama.schema.Shape.Constant;
import ai.luciferai.llama.schema.Shape.Contains;
import ai.luciferai.llama.schema.Shape.ItemLayer;
import ai.luciferai.llama.schema.Shape.Numbers;
import ai.luciferai.llama.schema.Shape.Objects;
import ai.luciferai.llama.schema.Shape.PropertyLayer;
import ai.luciferai.llama.schema.Shape.Strings;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What does not satisfy a schema: whatever fails one of its keywords. Where a way to fail has no grammar it is left out, so that
 * there may be fewer ways than the schema has, never more.
 */
final class Negation {

    /** They say nothing about values, or something together with one that does. */
    private static final Set<String> SILENT = Set.of("$schema", "$id", "$anchor", "$dynamicAnchor", "$defs", "definitions", "$comment",
            "$vocabulary", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "then", "else",
            "contentEncoding", "contentMediaType", "contentSchema", "minContains", "maxContains");

    private final Expansion expansion;

    Negation(Expansion expansion) {
        this.expansion = expansion;
    }

    List<Branch> of(Place place, String owner) {
        if (place.node().isBoolean()) {
            return place.node().booleanValue() ? List.of() : Expansion.ANYTHING;
        }
        Set<Branch> all = new LinkedHashSet<>();
        String unkept = null;
        for (var field : place.node().properties()) {
            String keyword = field.getKey();
            if (SILENT.contains(keyword) || !expansion.has(place, keyword)) {
                continue;
            }
            List<Branch> some = fails(place, keyword, owner);
            if (some == Expansion.ANYTHING) {
                return some;
            }
            if (some == null) {
                unkept = keyword;
            } else {
                all.addAll(some);
            }
        }
        if (all.isEmpty() && unkept != null) {
            throw new Refused(owner, "the contrary of '" + unkept + "' cannot be kept", true);
        }
        return List.copyOf(all);
    }

    /** Null where that has no grammar. */
    private List<Branch> fails(Place place, String keyword, String owner) {
        return switch (keyword) {
            case "type" -> otherTypes(expansion.types(place));
            case "const" -> different(List.of(place.node().path(keyword)));
            case "enum" -> different(place.node().path(keyword));
            case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum" -> beyond(place, keyword);
            case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties" -> sized(place, keyword);
            case "pattern" -> one(new Strings(0, Gbnf.UNLIMITED, List.of(new Term(
                    expansion.regex(Keywords.text(place, keyword), place.pointer() + "/pattern"), true)), owner));
            case "required" -> Keywords.texts(place, keyword).stream().map(r -> Expansion.meant(Alternatives.without(r))).toList();
            case "properties" -> properties(place, owner);
            case "items" -> items(place, owner);
            case "contains" -> place.has("minContains") || place.has("maxContains") ? null : one(new Arrays(List.of(
                    new ItemLayer(List.of(), Conj.not(place.at(keyword), owner), false)), 0, Gbnf.UNLIMITED, "", List.of()));
            case "$ref", "$dynamicRef" -> expansion.not(expansion.document().target(place, keyword), owner);
            case "not" -> expansion.of(place.at(keyword));
            case "allOf" -> any(place, keyword, owner);
            case "anyOf", "oneOf" -> none(place, keyword, owner);
            case "if" -> conditional(place, owner);
            case "prefixItems" -> prefix(place, owner);
            case "multipleOf", "format", "uniqueItems", "additionalItems", "patternProperties", "additionalProperties",
                    "propertyNames", "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedItems",
                    "unevaluatedProperties" -> null;
            default -> List.of(); // no keyword: nothing fails it
        };
    }

    private static List<Branch> one(Shape shape) {
        return List.of(Expansion.meant(shape));
    }

    private static List<Branch> otherTypes(Set<String> types) {
        return Expansion.ANYTHING.stream().filter(b -> switch (b.shape()) {
            case Constant c when c.value().isNull() -> !types.contains("null");
            case Constant c -> !types.contains("boolean");
            case Numbers n -> !types.contains("number") && !types.contains("integer");
            case Strings s -> !types.contains("string");
            case Arrays a -> !types.contains("array");
            case Objects o -> !types.contains("object");
        }).toList();
    }

    private List<Branch> different(Iterable<JsonNode> values) {
        List<Branch> all = Expansion.ANYTHING;
        List<String> texts = new ArrayList<>(); // which are one pattern, as there may be many
        for (JsonNode value : values) {
            if (value.isTextual()) {
                texts.add(value.textValue());
                continue;
            }
            all = expansion.meet().of(all, Expansion.ANYTHING.stream().flatMap(b -> different(b, value).stream()).toList(), "");
        }
        if (texts.isEmpty()) {
            return all;
        }
        var others = new Strings(0, Gbnf.UNLIMITED, List.of(new Term(Regex.exactly(texts), true)), "");
        return all.stream().map(b -> b.shape() instanceof Strings ? new Branch(others, false) : b).toList();
    }

    private static List<Branch> different(Branch b, JsonNode value) {
        return switch (b.shape()) {
            case Constant c -> Values.equal(c.value(), value) ? List.of() : List.of(b);
            case Numbers n when value.isNumber() -> List.of(
                    new Branch(new Numbers(Bound.NONE, new Bound(value.decimalValue(), true), false, null, ""), false),
                    new Branch(new Numbers(new Bound(value.decimalValue(), true), Bound.NONE, false, null, ""), false));
            case Arrays a when value.isArray() -> List.of();
            case Objects o when value.isObject() -> List.of();
            default -> List.of(b);
        };
    }

    private static List<Branch> beyond(Place place, String keyword) {
        if (place.node().path(keyword).isBoolean()) {
            return null; // draft 4
        }
        Bound bound = new Bound(Keywords.number(place, keyword), !keyword.startsWith("exclusive"));
        boolean below = keyword.endsWith("inimum");
        return one(new Numbers(below ? Bound.NONE : bound, below ? bound : Bound.NONE, false, null, ""));
    }

    private static List<Branch> sized(Place place, String keyword) {
        int count = Keywords.count(place, keyword, 0);
        boolean less = keyword.startsWith("min");
        if (less && count == 0) {
            return List.of();
        }
        int min = less ? 0 : count + 1;
        int max = less ? count - 1 : Gbnf.UNLIMITED;
        return one(switch (keyword.substring(3)) {
            case "Length" -> new Strings(min, max, List.of(), "");
            case "Items" -> new Arrays(List.of(), min, max, "", List.of());
            default -> new Objects(List.of(), Set.of(), min, max, List.of(), place.pointer() + "/" + keyword);
        });
    }

    private static List<Branch> properties(Place place, String owner) {
        List<Branch> all = new ArrayList<>();
        Keywords.named(place, "properties").forEach((name, schema) -> all.add(Expansion.meant(Objects.with(
                new PropertyLayer(Map.of(name, Conj.not(schema, owner)), List.of(), null, false), Set.of(name)))));
        return all;
    }

    private static List<Branch> items(Place place, String owner) {
        if (place.has("prefixItems") || place.node().path("items").isArray()) {
            return null;
        }
        Contains wrong = new Contains(Conj.not(place.at("items"), owner), 1, Gbnf.UNLIMITED, owner);
        return one(new Arrays(List.of(), 1, Gbnf.UNLIMITED, "", List.of(wrong)));
    }

    /** Some item of the prefix is there and wrong. */
    private static List<Branch> prefix(Place place, String owner) {
        List<Branch> all = new ArrayList<>();
        List<Conj> before = new ArrayList<>();
        for (Place part : Keywords.schemas(place, "prefixItems")) {
            List<Conj> items = new ArrayList<>(before);
            items.add(Conj.not(part, owner));
            before.add(Conj.ANYTHING);
            all.add(Expansion.meant(new Arrays(List.of(new ItemLayer(items, null, false)), items.size(), Gbnf.UNLIMITED, "", List.of())));
        }
        return all;
    }

    private List<Branch> any(Place place, String keyword, String owner) {
        Set<Branch> all = new LinkedHashSet<>();
        Refused unkept = null;
        for (Place part : Keywords.schemas(place, keyword)) {
            try {
                all.addAll(expansion.not(part, owner));
            } catch (Refused.Circle e) {
                throw e;
            } catch (Refused e) {
                unkept = e;
            }
        }
        if (all.isEmpty() && unkept != null) {
            throw unkept;
        }
        return List.copyOf(all);
    }

    private List<Branch> none(Place place, String keyword, String owner) {
        List<Branch> all = Expansion.ANYTHING;
        for (Place part : Keywords.schemas(place, keyword)) {
            all = expansion.meet().of(all, expansion.not(part, owner), place.pointer());
        }
        return all;
    }

    private List<Branch> conditional(Place place, String owner) {
        Set<Branch> all = new LinkedHashSet<>();
        if (expansion.has(place, "then")) {
            all.addAll(expansion.meet().of(expansion.of(place.at("if")), expansion.not(place.at("then"), owner), place.pointer()));
        }
        if (expansion.has(place, "else")) {
            all.addAll(expansion.meet().of(expansion.not(place.at("if"), owner), expansion.not(place.at("else"), owner), place.pointer()));
        }
        return List.copyOf(all);
    }
}
