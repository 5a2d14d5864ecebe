package ai.luciferai.llama;

import ai.luciferai.llama.core.DiskSpace;
import ai.luciferai.llama.core.InvalidOptionException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How large a quantized model may be.
 *
 * @param option what it came from, for messages: "for-ram", "target-size"
 * @param bytes  as asked for
 * @param share  part of these that the model file may fill
 */
public record QuantizeBudget(String option, long bytes, double share) {

    /** Memory that a model needs beyond its file, for context and computing: LuciferAI's guide says model size × 1.2. */
    private static final double RAM_PER_FILE = 1.2;

    private static final Pattern SIZE = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([KMGT]?)(?:I?B)?");

    public QuantizeBudget {
        Check.notEmpty("budget", option);
        Check.atLeast(option, bytes, 1);
    }

    /** For a machine with this much memory for the model. */
    public static QuantizeBudget ram(long bytes) {
        return new QuantizeBudget("for-ram", bytes, 1 / RAM_PER_FILE);
    }

    /** For a file of at most this size. */
    public static QuantizeBudget file(long bytes) {
        return new QuantizeBudget("target-size", bytes, 1);
    }

    /** Most bytes that the file may have. */
    public long fileBytes() {
        return (long) (bytes * share);
    }

    /** The budget in words: "8.0 GiB of memory, so a file of at most 6.7 GiB". */
    public String text() {
        return share == 1 ? "a file of at most " + DiskSpace.text(bytes)
                : DiskSpace.text(bytes) + " of memory, so a file of at most " + DiskSpace.text(fileBytes());
    }

    /** Reads a size such as {@code 8G}, {@code 4.5GiB}, {@code 700M} or a number of bytes; units are powers of 1024. */
    public static long size(String option, String text) {
        Matcher matcher = SIZE.matcher(text.toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new InvalidOptionException(option, "a size such as 8G, 4.5G or 700M", text);
        }
        int power = " KMGT".indexOf(matcher.group(2).isEmpty() ? " " : matcher.group(2));
        return (long) (Double.parseDouble(matcher.group(1)) * Math.pow(1024, power));
    }
}
