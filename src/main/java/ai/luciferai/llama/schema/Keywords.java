package ai.luciferai.llama.schema;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Values of keywords, which must be what the standard has there. */
final class Keywords {

    /** Counts above this are as good as none: no context holds so much. */
    static final int MOST = 1 << 22;

    private static final Map<String, String> TYPE_OF = typeOf();
    /** The standard has them, and no grammar of ours does; of older drafts those that mean something else now. */
    static final Set<String> UNKEPT = Set.of("$recursiveRef", "extends", "disallow", "divisibleBy");

    /** Those that mean the same for all types, or nothing for what is generated. */
    private static final Set<String> COMMON = Set.of("type", "enum", "const", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref",
            "$dynamicRef", "$recursiveAnchor", "$anchor", "$dynamicAnchor", "$defs", "definitions", "$schema", "$id", "id", "$vocabulary", "$comment",
            "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType",
            "contentSchema");

    private Keywords() {}

    /** Whether a draft has it; names with {@code x-} before them are for other programs by custom. */
    static boolean isKnown(String keyword) {
        return COMMON.contains(keyword) || TYPE_OF.containsKey(keyword) || UNKEPT.contains(keyword) || keyword.startsWith("x-");
    }

    private static Map<String, String> typeOf() {
        Map<String, String> map = new LinkedHashMap<>();
        List.of("properties", "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties", "propertyNames",
                "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties").forEach(k -> map.put(k, "object"));
        List.of("items", "prefixItems", "additionalItems", "contains", "minContains", "maxContains", "minItems", "maxItems",
                "uniqueItems", "unevaluatedItems").forEach(k -> map.put(k, "array"));
        List.of("minLength", "maxLength", "pattern", "format").forEach(k -> map.put(k, "string"));
        List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf").forEach(k -> map.put(k, "number"));
        return map;
    }

    /** Whether a schema that names no type speaks of this one. */
    static boolean speaksOf(Place place, String type) {
        return place.node().properties().stream().anyMatch(f -> type.equals(TYPE_OF.get(f.getKey())));
    }

    static Refused wrong(Place place, String keyword, String expected) {
        return new Refused(place.pointer() + "/" + Place.escape(keyword), "expected " + expected + ", got "
                + Literals.json(place.node().path(keyword)), false);
    }

    static String text(Place place, String keyword) {
        JsonNode node = place.node().path(keyword);
        if (!node.isTextual()) {
            throw wrong(place, keyword, "a string");
        }
        return node.textValue();
    }

    /** A count that is not negative, or {@code absent}. */
    static int count(Place place, String keyword, int absent) {
        JsonNode node = place.node().path(keyword);
        if (node.isMissingNode()) {
            return absent;
        }
        if (!node.isNumber() || node.decimalValue().signum() < 0 || !Values.isInteger(node.decimalValue())) {
            throw wrong(place, keyword, "a count");
        }
        return node.decimalValue().min(BigDecimal.valueOf(MOST)).intValue();
    }

    static BigDecimal number(Place place, String keyword) {
        JsonNode node = place.node().path(keyword);
        if (!node.isNumber()) {
            throw wrong(place, keyword, "a number");
        }
        BigDecimal value = node.decimalValue();
        if (Math.abs((long) value.precision() - value.scale()) > 400 || value.scale() > 400) {
            throw new Refused(place.pointer() + "/" + keyword, "a number with more than 400 digits", true);
        }
        return value;
    }

    static boolean flag(Place place, String keyword) {
        JsonNode node = place.node().path(keyword);
        if (!node.isMissingNode() && !node.isBoolean()) {
            throw wrong(place, keyword, "true or false");
        }
        return node.asBoolean();
    }

    static Place schema(Place place) {
        if (!place.node().isObject() && !place.node().isBoolean()) {
            throw new Refused(place.pointer(), "expected a schema (an object, true or false), got " + Literals.json(place.node()), false);
        }
        return place;
    }

    /** The schemas of "allOf" and its kin. */
    static List<Place> schemas(Place place, String keyword) {
        JsonNode list = place.node().path(keyword);
        if (!list.isArray() || list.isEmpty() && !keyword.equals("items") && !keyword.equals("prefixItems")) {
            throw wrong(place, keyword, "a list of schemas that is not empty");
        }
        List<Place> found = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            found.add(schema(place.at(keyword).at(i)));
        }
        return found;
    }

    /** The schemas of "properties" and its kin; empty where there is no such keyword. */
    static Map<String, Place> named(Place place, String keyword) {
        JsonNode map = place.node().path(keyword);
        if (!map.isObject() && !map.isMissingNode()) {
            throw wrong(place, keyword, "an object of schemas");
        }
        Map<String, Place> found = new LinkedHashMap<>();
        map.fieldNames().forEachRemaining(name -> found.put(name, place.at(keyword).at(name)));
        return found;
    }

    static List<String> texts(Place place, String keyword) {
        JsonNode list = place.node().path(keyword);
        List<String> found = new ArrayList<>();
        for (JsonNode text : list) {
            if (!text.isTextual()) {
                throw wrong(place, keyword, "a list of strings");
            }
            found.add(text.textValue());
        }
        if (!list.isArray() && !list.isMissingNode()) {
            throw wrong(place, keyword, "a list of strings");
        }
        return found;
    }
}
