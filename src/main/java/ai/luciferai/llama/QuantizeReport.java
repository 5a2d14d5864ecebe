package ai.luciferai.llama;

import java.nio.file.Path;
import java.util.List;

/**
 * What a quantization did.
 *
 * @param plan    what was done to each tensor, with the options
 * @param outputs the files written; several with {@code keepSplit}
 * @param bytes   of all of them
 * @param millis  how long it took
 */
public record QuantizeReport(QuantizePlan plan, List<Path> outputs, long bytes, double millis) {

    public QuantizeReport {
        outputs = List.copyOf(outputs);
    }
}
