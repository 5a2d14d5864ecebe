package ai.luciferai.llama.schema;

import ai.luciferai.llama.schema.Automaton.Term;
import ai.luciferai.llama.schema.Conj.Literal;
import ai.luciferai.llama.schema.Shape.Arrays;
import ai.luciferai.llama.schema.Shape.Bound;
import ai.luciferai.llama.schema.Shape.Branch;
import ai.luciferai.llama.schema.Shape.Constant;
import ai.luciferai.llama.schema.Shape.Numbers;
import ai.luciferai.llama.schema.Shape.Objects;
import ai.luciferai.llama.schema.Shape.Strings;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Schemas as the ways to satisfy them: what applies to one value is brought together, references and alternatives included. */
final class Expansion {

    static final List<Branch> ANYTHING = List.of(constant(NullNode.instance, false), constant(BooleanNode.TRUE, false),
            constant(BooleanNode.FALSE, false), new Branch(Numbers.ALL, false), new Branch(Strings.ALL, false),
            new Branch(Arrays.ALL, false), new Branch(Objects.ALL, false));
    private static final Set<String> TYPES = Set.of("null", "boolean", "integer", "number", "string", "array", "object");

    private final SchemaDocument document;
    private final Set<String> ignored;
    private final Values values = new Values(this);
    private final Meet meet = new Meet(values);
    private final Negation negation = new Negation(this);
    private final Structures structures = new Structures(this);
    private final Alternatives alternatives = new Alternatives(this);
    private final Map<String, Regex> regexes = new HashMap<>();
    private final Map<String, List<Branch>> known = new HashMap<>();
    private final Map<Conj, List<Branch>> conjunctions = new HashMap<>();
    private final Set<String> open = new HashSet<>();
    private final Set<String> notes = new LinkedHashSet<>();

    /** @param ignored keywords that are left out, by their places */
    Expansion(SchemaDocument document, Set<String> ignored) {
        this.document = document;
        this.ignored = ignored;
    }

    Values values() {
        return values;
    }

    Meet meet() {
        return meet;
    }

    SchemaDocument document() {
        return document;
    }

    /** Formats that mean nothing to the standard. */
    Set<String> notes() {
        return notes;
    }

    static Branch constant(JsonNode value, boolean meant) {
        return new Branch(new Constant(value), meant);
    }

    static Branch meant(Shape shape) {
        return new Branch(shape, true);
    }

    /** Whether a keyword is there and not to be ignored. */
    boolean has(Place place, String keyword) {
        return place.has(keyword) && !ignored.contains(place.pointer() + "/" + Place.escape(keyword));
    }

    boolean isIgnored(String pointer) {
        return ignored.contains(pointer);
    }

    List<Branch> branches(Conj conj) {
        List<Branch> all = conjunctions.get(conj);
        if (all == null) {
            all = ANYTHING;
            for (Literal literal : conj.literals()) {
                all = meet.of(all, literal(literal), literal.place().pointer());
            }
            conjunctions.put(conj, all);
        }
        return all;
    }

    List<Branch> of(Place place) {
        return literal(new Literal(place, false, ""));
    }

    /** What it says of items and properties evaluates none. */
    List<Branch> not(Place place, String owner) {
        return Structures.silent(literal(new Literal(place, true, owner)));
    }

    private List<Branch> literal(Literal literal) {
        Bounded.check();
        String key = literal.key();
        List<Branch> found = known.get(key);
        if (found != null) {
            return found;
        }
        if (!open.add(key)) {
            throw new Refused.Circle(literal.place().pointer());
        }
        try {
            Place place = Keywords.schema(literal.place());
            found = literal.negated() ? negation.of(place, literal.owner()) : expand(place);
            known.put(key, found);
            return found;
        } finally {
            open.remove(key);
        }
    }

    private List<Branch> expand(Place place) {
        if (place.node().isBoolean()) {
            return place.node().booleanValue() ? ANYTHING : List.of();
        }
        for (String keyword : Keywords.UNKEPT) {
            if (has(place, keyword)) {
                throw new Refused(place.pointer() + "/" + keyword, "this keyword is not known", true);
            }
        }
        List<Branch> all = own(place);
        for (String keyword : List.of("$ref", "$dynamicRef")) {
            if (has(place, keyword)) {
                all = meet.of(all, of(document.target(place, keyword)), place.pointer());
            }
        }
        all = structures.unevaluated(place, alternatives.apply(place, all));
        // last, because a constant shows no longer what was evaluated of it
        return has(place, "enum") || has(place, "const") ? meet.of(all, constants(place), place.pointer()) : all;
    }

    /** By "type" and what is said about each type. */
    private List<Branch> own(Place place) {
        Set<String> types = types(place);
        boolean named = has(place, "type");
        if (!named && types.stream().noneMatch(t -> Keywords.speaksOf(place, t))) {
            return ANYTHING;
        }
        List<Branch> all = new ArrayList<>();
        for (String type : types) {
            boolean meant = named || Keywords.speaksOf(place, type);
            switch (type) {
                case "null" -> all.add(constant(NullNode.instance, meant));
                case "boolean" -> {
                    all.add(constant(BooleanNode.TRUE, meant));
                    all.add(constant(BooleanNode.FALSE, meant));
                }
                case "integer" -> {
                    if (!types.contains("number")) {
                        all.add(new Branch(numbers(place, true), meant));
                    }
                }
                case "number" -> all.add(new Branch(numbers(place, false), meant));
                case "string" -> {
                    Strings strings = strings(place);
                    if (strings.min() <= strings.max()) {
                        all.add(new Branch(strings, meant));
                    }
                }
                case "array" -> structures.arrays(place).forEach(a -> all.add(new Branch(a, meant)));
                default -> structures.objects(place).forEach(o -> all.add(new Branch(o, meant)));
            }
        }
        return all;
    }

    Set<String> types(Place place) {
        if (!has(place, "type")) {
            return new LinkedHashSet<>(List.of("null", "boolean", "number", "string", "array", "object"));
        }
        JsonNode type = place.node().path("type");
        List<String> named = type.isTextual() ? List.of(type.textValue()) : Keywords.texts(place, "type");
        for (String name : named) {
            if (!TYPES.contains(name)) {
                throw Keywords.wrong(place, "type", "one of " + String.join(", ", TYPES.stream().sorted().toList()));
            }
        }
        return new LinkedHashSet<>(named);
    }

    List<Branch> constants(Place place) {
        List<Branch> all = ANYTHING;
        if (has(place, "const")) {
            all = List.of(constant(place.node().path("const"), true));
        }
        if (has(place, "enum")) {
            if (!place.node().path("enum").isArray()) {
                throw Keywords.wrong(place, "enum", "a list of values");
            }
            List<Branch> some = new ArrayList<>();
            place.node().path("enum").forEach(v -> some.add(constant(v, true)));
            all = meet.of(all, some, place.pointer());
        }
        return all;
    }

    private Numbers numbers(Place place, boolean integer) {
        BigDecimal step = null;
        if (has(place, "multipleOf")) {
            step = Keywords.number(place, "multipleOf");
            if (step.signum() <= 0) {
                throw Keywords.wrong(place, "multipleOf", "a number above 0");
            }
        }
        return new Numbers(bound(place, "minimum", "exclusiveMinimum", 1), bound(place, "maximum", "exclusiveMaximum", -1), integer, step,
                place.pointer() + "/multipleOf");
    }

    private Bound bound(Place place, String keyword, String exclusive, int sign) {
        Bound closed = has(place, keyword) ? new Bound(Keywords.number(place, keyword), false) : Bound.NONE;
        if (!has(place, exclusive)) {
            return closed;
        }
        if (place.node().path(exclusive).isBoolean()) { // draft 4
            return new Bound(closed.value(), place.node().path(exclusive).booleanValue());
        }
        BigDecimal open = Keywords.number(place, exclusive);
        boolean tighter = closed.value() == null || open.compareTo(closed.value()) * sign >= 0;
        return tighter ? new Bound(open, true) : closed;
    }

    private Strings strings(Place place) {
        int min = has(place, "minLength") ? Keywords.count(place, "minLength", 0) : 0;
        int max = has(place, "maxLength") ? Keywords.count(place, "maxLength", Gbnf.UNLIMITED) : Gbnf.UNLIMITED;
        List<Term> terms = new ArrayList<>();
        String at = place.pointer() + (min > 0 ? "/minLength" : "/maxLength");
        if (has(place, "format")) {
            at = place.pointer() + "/format";
            String pattern = Formats.pattern(Keywords.text(place, "format"));
            if (pattern == null) {
                unknownFormat(place, at);
            } else {
                terms.add(new Term(regex(pattern, at), false));
            }
        }
        if (has(place, "pattern")) {
            at = place.pointer() + "/pattern";
            terms.add(new Term(regex(Keywords.text(place, "pattern"), at), false));
        }
        return new Strings(min, max == Keywords.MOST ? Gbnf.UNLIMITED : max, terms, at);
    }

    private void unknownFormat(Place place, String at) {
        String format = Keywords.text(place, "format");
        if (Formats.UNKEPT.contains(format)) {
            throw new Refused(at, "'" + format + "' cannot be kept", true);
        }
        notes.add("#" + at + " '" + format + "' is no format of the standard");
    }

    Regex regex(String pattern, String at) {
        return regexes.computeIfAbsent(pattern, p -> {
            try {
                return RegexParser.parse(p);
            } catch (RegexParser.Unsupported e) {
                throw new Refused(at, e.getMessage() + " cannot be kept", true);
            }
        });
    }
}
