package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.ffi.ContextHandle;
import ai.luciferai.llama.ffi.ContextParams;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * Compares a merged model with its base and adapters at run time, which llama.cpp applies by itself: log-probabilities of the probable
 * next tokens, at places of a sample text and of what the base goes on with. Weights and activations aside everything is computed with
 * floats: halves in the cache and in flash attention made differences a hundred times those of a merge.
 */
final class MergeVerification {

    private static final String SAMPLE = "The quick brown fox jumps over the lazy dog. 2 + 2 = 4\nlist files in src directory\n";

    /** Tokens of the sample that are used, and how many follow them. */
    private static final int MOST_TOKENS = 48;
    private static final int GENERATED = 8;

    /** Parameters from which on it pays to compute with several threads, which wait for each other at each operation. */
    private static final long LARGE = 100_000_000;

    /** Of the base's most probable tokens so many count, unless less probable than one in a thousand. */
    private static final int COMPARED = 5;
    private static final double LEAST = -6.9;

    private final ExportLoraOptions options;
    private final MergeTolerance tolerance;
    private final Progress progress;
    private final Cancel cancel;

    MergeVerification(ExportLoraOptions options, MergeTolerance tolerance, Progress progress, Cancel cancel) {
        this.options = options;
        this.tolerance = tolerance;
        this.progress = progress;
        this.cancel = cancel;
    }

    /** The probable tokens at one place: their log-probabilities with the adapters, from the base alone, and merged. */
    private record Place(int[] tokens, double[] with, double[] without, double[] merged) {

        static Place of(double[] logprobs) {
            int[] best = best(logprobs);
            return new Place(best, at(logprobs, best), new double[best.length], new double[best.length]);
        }

        private static int[] best(double[] logprobs) {
            double[] left = logprobs.clone();
            int[] best = new int[Math.min(COMPARED, left.length)];
            for (int i = 0; i < best.length; i++) {
                best[i] = most(left);
                left[best[i]] = Double.NEGATIVE_INFINITY;
            }
            return best;
        }

        private static double[] at(double[] values, int[] places) {
            return IntStream.of(places).mapToDouble(i -> values[i]).toArray();
        }
    }

    /** Hears of the log-probabilities of all tokens behind each token of a text, which are too many to keep. */
    private interface Reader {
        void read(int place, double[] logprobs);
    }

    /**
     * Compares; no places when the model generates no text.
     *
     * @param tensors how many were compared before
     * @throws UnsupportedModelException when the difference is larger than the types explain
     */
    ExportLoraReport.Verification run(int tensors, Path base, Path merged) {
        var tokens = new ArrayList<Integer>();
        var places = new ArrayList<Place>();
        int sampled;
        ModelOptions onCpu = ModelOptions.defaults().withGpuLayers(GpuLayers.NONE);
        try (Model model = Model.load(base, onCpu.withAdapters(options.adapters()), progress, cancel)) {
            ModelInfo.Kind kind = model.info().kind();
            if (!kind.decoder() || kind.encoder() || kind.diffusion()) {
                return new ExportLoraReport.Verification(tensors, 0, 0, 0, OptionalDouble.empty());
            }
            IntStream.of(sample(model)).forEach(tokens::add);
            sampled = tokens.size();
            read(model, model.defaultAdapters(), tokens, sampled, (i, logprobs) -> places.add(Place.of(logprobs)));
            read(model, List.of(), tokens, sampled, (i, logprobs) -> fill(places.get(i).without(), places.get(i), logprobs));
        }
        int[] same = {0};
        try (Model model = Model.load(merged, onCpu, progress, cancel)) {
            read(model, List.of(), tokens, sampled, (i, logprobs) -> {
                fill(places.get(i).merged(), places.get(i), logprobs);
                same[0] += most(logprobs) == places.get(i).tokens()[0] ? 1 : 0;
            });
        }
        return compare(tensors, places, same[0]);
    }

    private static void fill(double[] values, Place place, double[] logprobs) {
        System.arraycopy(Place.at(logprobs, place.tokens()), 0, values, 0, values.length);
    }

    /** A text, or numbers where the file has no vocabulary. */
    private static int[] sample(Model model) {
        int vocabulary = model.info().shape().vocabulary();
        return model.info().kind().vocabulary() ? IntStream.of(model.tokenize(SAMPLE)).limit(MOST_TOKENS).toArray()
                : IntStream.range(0, MOST_TOKENS).map(i -> (int) (i * 2_654_435_761L % vocabulary)).toArray();
    }

    /** Reads the sample and, behind it, the tokens that follow there; the most probable ones are added, unless some are there. */
    private void read(Model model, List<AdapterScale> adapters, List<Integer> tokens, int sampled, Reader reader) {
        ContextOptions exact = ContextOptions.defaults().withFlashAttention(FlashAttention.OFF)
                .withCache(KvCache.defaults().withTypes(CacheType.F32, CacheType.F32));
        ContextParams params = ContextSetup.params(model.info().parameters() < LARGE ? exact.withThreads(1) : exact, sampled + GENERATED, 1);
        try (ContextHandle context = ContextHandle.init(model.handle(), params)) {
            AdapterScale.apply(adapters, context);
            for (int i = 0; i < sampled; i++) {
                context.batch().add(tokens.get(i), i, 0, true);
            }
            double[] last = {};
            context.decode(cancel);
            for (int i = 0; i < sampled; i++) {
                last = logprobs(context.logits(i));
                reader.read(i, last);
            }
            for (int next = sampled; next < sampled + GENERATED; next++) {
                if (tokens.size() == next) {
                    tokens.add(most(last));
                }
                context.batch().clear().add(tokens.get(next), next, 0, true);
                context.decode(cancel);
                last = logprobs(context.logits(0));
                reader.read(next, last);
            }
        }
    }

    private static double[] logprobs(float[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - largest);
        }
        double[] logprobs = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            logprobs[i] = logits[i] - largest - Math.log(sum);
        }
        return logprobs;
    }

    private static int most(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }

    private ExportLoraReport.Verification compare(int tensors, List<Place> places, int same) {
        double largest = 0;
        double change = 0;
        for (Place place : places) {
            for (int k = 0; k < place.tokens().length; k++) {
                if (!(place.with()[k] < LEAST)) {
                    // NaN is larger than anything for Math.max, too
                    largest = Math.max(largest, Math.abs(place.with()[k] - place.merged()[k]));
                    change = Math.max(change, Math.abs(place.with()[k] - place.without()[k]));
                }
            }
        }
        OptionalDouble allowed = tolerance.of(change);
        if (Double.isNaN(largest) || (allowed.isPresent() && largest > allowed.getAsDouble())) {
            throw new UnsupportedModelException(options.output(), "a merge of this model into these types",
                    "log-probabilities within %s of the base with its adapters"
                            .formatted(allowed.isPresent() ? "%.2g".formatted(allowed.getAsDouble()) : "any number"),
                    "a difference of %.2g".formatted(largest), "--outtype f32 is the most exact; --no-verify writes the file all the same");
        }
        return new ExportLoraReport.Verification(tensors, places.size(), same, largest, allowed);
    }
}
