package ai.luciferai.llama.schema;

/** A place of a schema that no grammar keeps, and why. */
class Refused extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String pointer;
    private final boolean ignorable;

    /**
     * @param pointer   the keyword's place: "/properties/a/pattern"
     * @param ignorable whether what is left has a meaning without this keyword; a fault of the schema itself has none
     */
    Refused(String pointer, String why, boolean ignorable) {
        super(why, null, false, false);
        this.pointer = pointer;
        this.ignorable = ignorable;
    }

    String pointer() {
        return pointer;
    }

    boolean ignorable() {
        return ignorable;
    }

    /** A schema that must be known before it can be known. */
    static final class Circle extends Refused {

        private static final long serialVersionUID = 1L;

        Circle(String pointer) {
            super(pointer, "this refers to itself without end", false);
        }
    }
}
