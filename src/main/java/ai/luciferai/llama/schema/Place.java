package ai.luciferai.llama.schema;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A schema within the document.
 *
 * @param pointer where it stands: "/properties/a"
 */
record Place(JsonNode node, String pointer) {

    Place at(String keyword) {
        return new Place(node.path(keyword), pointer + "/" + escape(keyword));
    }

    Place at(int index) {
        return new Place(node.path(index), pointer + "/" + index);
    }

    boolean has(String keyword) {
        return node.has(keyword);
    }

    static String escape(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }
}
