package ai.luciferai.llama.schema;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A schema's text, and what its references mean. */
final class SchemaDocument {

    private static final String UNNAMED = "schema:///";
    private static final Set<String> ONE = Set.of("additionalProperties", "additionalItems", "items", "contains", "not", "if", "then",
            "else", "propertyNames", "unevaluatedItems", "unevaluatedProperties", "contentSchema");
    private static final Set<String> LIST = Set.of("allOf", "anyOf", "oneOf", "prefixItems", "items");
    private static final Set<String> MAP = Set.of("properties", "patternProperties", "$defs", "definitions", "dependentSchemas",
            "dependencies");

    /** Schemas that are looked at to say which has no value. */
    private static final int MOST_SEARCHED = 300;

    private final Place root;
    private final Map<String, String> bases = new HashMap<>(); // by pointer
    private final Map<String, Place> named = new HashMap<>(); // by URI, with fragment where it is an anchor's
    private final Map<String, Integer> dynamic = new HashMap<>(); // how many anchors have the name

    SchemaDocument(JsonNode root) {
        this.root = new Place(root, "");
        named.put(UNNAMED, this.root);
        index(this.root, UNNAMED);
    }

    /** The schema at a pointer, which must be there. */
    Place at(String pointer) {
        return pointer.isEmpty() ? root : follow(root, pointer);
    }

    /** Places within a schema where others stand that it needs, the deepest first. */
    List<String> innermostFirst(String pointer) {
        return bases.keySet().stream().filter(p -> p.startsWith(pointer) && !p.matches(".*/(not|if|then|else|\\$defs|definitions)(/.*)?"))
                .sorted(Comparator.comparingInt((String p) -> -p.length()).thenComparing(Comparator.naturalOrder())).limit(MOST_SEARCHED).toList();
    }

    /** Places of keywords that no draft knows: misspelt ones, and other programs' own. */
    List<String> unknownKeywords(String pointer) {
        var found = new ArrayList<String>();
        bases.keySet().stream().filter(p -> p.startsWith(pointer)).sorted().forEach(p -> at(p).node().fieldNames().forEachRemaining(name -> {
            if (!Keywords.isKnown(name)) {
                found.add("#" + p + "/" + Place.escape(name));
            }
        }));
        return found;
    }

    /** Only where schemas stand: "$id" within a constant names nothing. */
    private void index(Place place, String outer) {
        JsonNode node = place.node();
        if (!node.isObject()) {
            return;
        }
        String base = outer;
        if (node.path("$id").isTextual()) {
            base = name(place, outer, node.path("$id").textValue());
        }
        bases.put(place.pointer(), base);
        for (String keyword : new String[] {"$anchor", "$dynamicAnchor"}) {
            if (node.path(keyword).isTextual()) {
                String anchor = node.path(keyword).textValue();
                named.put(base + "#" + anchor, place);
                if (keyword.equals("$dynamicAnchor")) {
                    dynamic.merge(anchor, 1, Integer::sum);
                }
            }
        }
        for (var field : node.properties()) {
            inner(place.at(field.getKey()), field.getKey(), base);
        }
    }

    private void inner(Place place, String keyword, String base) {
        if (LIST.contains(keyword) && place.node().isArray()) {
            for (int i = 0; i < place.node().size(); i++) {
                index(place.at(i), base);
            }
        } else if (MAP.contains(keyword) && place.node().isObject()) {
            place.node().fieldNames().forEachRemaining(name -> index(place.at(name), base));
        } else if (ONE.contains(keyword)) {
            index(place, base);
        }
    }

    private String name(Place place, String outer, String id) {
        String uri = resolve(place, outer, id);
        int fragment = uri.indexOf('#');
        if (fragment < 0 || fragment == uri.length() - 1) {
            String base = fragment < 0 ? uri : uri.substring(0, fragment);
            named.put(base, place);
            return base;
        }
        named.put(uri, place); // an anchor, as draft 7 writes it
        return outer;
    }

    private static String resolve(Place place, String base, String reference) {
        if (reference.startsWith("#")) {
            return base + reference;
        }
        try {
            return URI.create(base).resolve(reference).toString();
        } catch (IllegalArgumentException e) {
            throw new Refused(place.pointer(), "'" + reference + "' is no URI", false);
        }
    }

    /** What "$ref" or "$dynamicRef" of a schema refers to. */
    Place target(Place from, String keyword) {
        String reference = Keywords.text(from, keyword);
        String at = from.pointer() + "/" + keyword;
        String uri = resolve(from, baseOf(from.pointer()), reference);
        int hash = uri.indexOf('#');
        String fragment = hash < 0 ? "" : decoded(from, uri.substring(hash + 1));
        Place resource = named.get(hash < 0 ? uri : uri.substring(0, hash));
        Place found = fragment.isEmpty() ? resource : fragment.startsWith("/") ? follow(resource, fragment)
                : named.get(uri.substring(0, hash + 1) + fragment);
        if (found == null) {
            boolean elsewhere = resource == null;
            throw new Refused(at, "'" + reference + "' is not in this schema" + (elsewhere ? ", and nothing is fetched" : ""), elsewhere);
        }
        if (keyword.equals("$dynamicRef") && dynamic.getOrDefault(fragment, 0) > 1) {
            throw new Refused(at, "which of several $dynamicAnchors is meant shows at run time only", true);
        }
        return found;
    }

    private static String decoded(Place place, String fragment) {
        try {
            return URLDecoder.decode(fragment.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new Refused(place.pointer(), "'#" + fragment + "' is no URI", false);
        }
    }

    private String baseOf(String pointer) {
        for (String p = pointer; ; p = p.substring(0, p.lastIndexOf('/'))) {
            if (bases.containsKey(p)) {
                return bases.get(p);
            }
            if (p.isEmpty()) {
                return UNNAMED;
            }
        }
    }

    private static Place follow(Place resource, String pointer) {
        Place at = resource;
        for (String part : pointer.substring(1).split("/", -1)) {
            if (at == null) {
                return null;
            }
            String name = part.replace("~1", "/").replace("~0", "~");
            JsonNode next = at.node().isArray() && name.matches("\\d{1,6}") ? at.node().path(Integer.parseInt(name)) : at.node().path(name);
            at = next.isMissingNode() ? null : new Place(next, at.pointer() + "/" + part);
        }
        return at;
    }
}
