package ai.luciferai.llama;

import java.nio.file.Path;
import java.util.Objects;

/**
 * What {@link Info} reads.
 *
 * @param model         the file, or the first part of a split model
 * @param arrayElements how many elements of an array the report holds
 */
public record InfoOptions(Path model, int arrayElements) {

    /** Enough to see what an array is about. */
    public static final int ARRAY_ELEMENTS = 8;

    /** Checks the values. */
    public InfoOptions {
        Objects.requireNonNull(model, "model");
        Check.require(arrayElements >= 0, "array-elements", "0 or more", arrayElements);
    }

    /** The first elements of each array. */
    public static InfoOptions of(Path model) {
        return new InfoOptions(model, ARRAY_ELEMENTS);
    }

    /** With another number of elements. */
    public InfoOptions withArrayElements(int elements) {
        return new InfoOptions(model, elements);
    }
}
