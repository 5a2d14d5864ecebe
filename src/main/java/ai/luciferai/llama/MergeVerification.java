package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Compares a merged model with its base and adapters at run time: log-probabilities of the probable next tokens, at places of a sample
 * text and of what the base goes on with.
 */
final class MergeVerification {

    private static final String SAMPLE = "The quick brown fox jumps over the lazy dog. 2 + 2 = 4\nlist files in src directory\n";

    /** Tokens of the sample that are used, and how many are added between two places. */
    private static final int MOST_TOKENS = 48;
    private static final int STEP = 4;
    private static final int GENERATED = 8;

    /** Of the base's most probable tokens so many count, unless less probable than one in a thousand. */
    private static final int COMPARED = 5;
    private static final float LEAST = -6.9f;

    /** Enough for the merged model to have the same tokens among them. */
    private static final int SEARCHED = 64;

    private final ExportLoraOptions options;
    private final GgufFile base;
    private final Set<GgmlType> changedTypes;
    private final Progress progress;
    private final Cancel cancel;

    MergeVerification(ExportLoraOptions options, GgufFile base, Set<GgmlType> changedTypes, Progress progress, Cancel cancel) {
        this.options = options;
        this.base = base;
        this.changedTypes = changedTypes;
        this.progress = progress;
        this.cancel = cancel;
    }

    /**
     * Compares; empty when the model generates no text.
     *
     * @throws UnsupportedModelException when the difference is larger than the types explain
     */
    Optional<ExportLoraReport.Verification> run(Path merged) {
        var prefixes = new ArrayList<int[]>();
        var expected = new ArrayList<Token>();
        ModelOptions onCpu = ModelOptions.defaults().withGpuLayers(GpuLayers.NONE);
        try (Model model = Model.load(base.path(), onCpu.withAdapters(options.adapters()), progress, cancel)) {
            if (!model.info().kind().decoder() || model.info().kind().encoder() || !model.info().kind().vocabulary()) {
                return Optional.empty();
            }
            try (Session session = session(model)) {
                int[] sample = IntStream.of(model.tokenize(SAMPLE)).limit(MOST_TOKENS).toArray();
                int[] prefix = {};
                for (int place = 0; place < sample.length / STEP + GENERATED; place++) {
                    int next = prefix.length + STEP;
                    int[] longer = next <= sample.length ? IntStream.of(sample).limit(next).toArray()
                            : IntStream.concat(IntStream.of(prefix), IntStream.of(expected.getLast().id())).toArray();
                    prefix = longer;
                    prefixes.add(prefix);
                    expected.add(next(session, prefix, COMPARED));
                }
            }
        }
        try (Model model = Model.load(merged, onCpu, progress, cancel); Session session = session(model)) {
            return Optional.of(compare(prefixes, expected, session));
        }
    }

    private static Session session(Model model) {
        return model.session(ContextOptions.defaults().withContextSize(2 * MOST_TOKENS).withThreads(1));
    }

    private Token next(Session session, int[] prefix, int alternatives) {
        Completion completion = session.complete(Prompt.tokens(prefix), GenerateOptions.defaults().withMaxTokens(1)
                .withSampling(Sampling.greedy()).withIgnoreEos(true).withLogprobs(alternatives), token -> {}, cancel);
        cancel.check("verifying " + options.output());
        return completion.tokens().getFirst();
    }

    private ExportLoraReport.Verification compare(List<int[]> prefixes, List<Token> expected, Session session) {
        double largest = 0;
        int same = 0;
        for (int i = 0; i < prefixes.size(); i++) {
            Token got = next(session, prefixes.get(i), SEARCHED);
            same += got.id() == expected.get(i).id() ? 1 : 0;
            for (Token.Alternative alternative : expected.get(i).top()) {
                if (!(alternative.logprob() < LEAST)) {
                    double difference = Math.abs(alternative.logprob() - logprob(got, alternative.id()));
                    // NaN is larger than anything for Math.max, too
                    largest = Math.max(largest, difference);
                }
            }
        }
        OptionalDouble tolerance = tolerance();
        if (Double.isNaN(largest) || (tolerance.isPresent() && largest > tolerance.getAsDouble())) {
            throw new UnsupportedModelException(options.output(), "verification of the merged model",
                    "log-probabilities within %s of the base with its adapters"
                            .formatted(tolerance.isPresent() ? tolerance.getAsDouble() : "any number"),
                    "a difference of " + largest, "--outtype f32 is the most exact; --no-verify writes the file all the same");
        }
        return new ExportLoraReport.Verification(prefixes.size(), same, largest, tolerance);
    }

    /** Of one that is not even among those searched: at most that of the last. */
    private static float logprob(Token token, int id) {
        return token.top().stream().filter(alternative -> alternative.id() == id).findFirst().orElse(token.top().getLast()).logprob();
    }

    private OptionalDouble tolerance() {
        double largest = changedTypes.stream().mapToDouble(MergeVerification::tolerance).max().orElse(tolerance(GgmlType.F32));
        return Double.isFinite(largest) ? OptionalDouble.of(largest) : OptionalDouble.empty();
    }

    /**
     * What rounding explains, of the weights and of the activations, which llama.cpp rounds to suit the weights' type: hence the types
     * before the merge count as those after it. Some four times what is seen with the embedded model, which is smaller and so more
     * easily moved than any other; a merge gone wrong differs by 5 and more.
     */
    private static double tolerance(GgmlType type) {
        return switch (type) {
            case F32 -> 1e-3;
            case F16, BF16 -> 5e-2;
            case Q8_0 -> 0.8;
            case Q6_K -> 1;
            case Q5_0, Q5_1, Q5_K -> 2;
            case Q4_0, Q4_1, Q4_K -> 4;
            default -> Double.POSITIVE_INFINITY;
        };
    }
}
