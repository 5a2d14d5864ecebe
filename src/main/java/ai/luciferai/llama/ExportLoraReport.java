package ai.luciferai.llama;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a merge did.
 *
 * @param options      what was asked for
 * @param tensors      all tensors of the merged model
 * @param merged       those that an adapter changed
 * @param mergedAs     how many of these are stored as which type, as ggml names it
 * @param fileType     what most of the model is stored as, as llama.cpp names it
 * @param bytes        size of the output
 * @param verification how well it agrees with base and adapters; empty when not asked for
 * @param millis       how long it took
 */
public record ExportLoraReport(ExportLoraOptions options, int tensors, int merged, Map<String, Integer> mergedAs, String fileType, long bytes,
        Optional<Verification> verification, double millis) {

    /** The same with the options as they were given. */
    ExportLoraReport of(ExportLoraOptions given) {
        return new ExportLoraReport(given, tensors, merged, mergedAs, fileType, bytes, verification, millis);
    }

    /**
     * The merged file beside what it should hold, and the merged model beside the base with its adapters at run time, on a sample text.
     *
     * @param tensors    tensors of the file, all of which hold what they should within their types' rounding
     * @param positions  places in the text that were compared; 0 when the model generates no text
     * @param sameTokens places where both have the same most probable token
     * @param largest    largest difference of the log-probabilities of a probable token
     * @param tolerance  what the types explain; empty when nothing is known about them, and the difference is only reported
     */
    public record Verification(int tensors, int positions, int sameTokens, double largest, OptionalDouble tolerance) {}
}
