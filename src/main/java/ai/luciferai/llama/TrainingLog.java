package ai.luciferai.llama;

import ai.luciferai.llama.train.AdapterFile;
import ai.luciferai.llama.train.TrainingState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What has happened in a training so far. */
final class TrainingLog {

    /** One optimizer step. */
    record StepEntry(double loss, double learningRate, double gradNorm, double tokensPerSecond) {}

    private final List<StepEntry> steps = new ArrayList<>();
    private final List<FinetuneReport.Evaluation> evaluations = new ArrayList<>();
    private List<float[]> best;
    private double bestLoss = Double.NaN;
    private int badEvaluations;
    private int skipped;

    /** Steps done. */
    int steps() {
        return steps.size();
    }

    List<StepEntry> entries() {
        return steps;
    }

    List<FinetuneReport.Evaluation> evaluations() {
        return evaluations;
    }

    /** Steps whose gradients were not finite. */
    int skipped() {
        return skipped;
    }

    void step(double loss, double learningRate, double gradNorm, double tokensPerSecond, boolean wasSkipped) {
        steps.add(new StepEntry(loss, learningRate, gradNorm, tokensPerSecond));
        skipped += wasSkipped ? 1 : 0;
    }

    /** The last step in numbers. */
    Map<String, Double> metrics() {
        StepEntry last = steps.getLast();
        var metrics = new HashMap<>(Map.of("loss", last.loss(), "lr", last.learningRate(), "gradNorm", last.gradNorm(),
                "tokensPerSecond", last.tokensPerSecond()));
        if (!evaluations.isEmpty()) {
            metrics.put("evalLoss", evaluations.getLast().loss());
        }
        return metrics;
    }

    /** Notes an evaluation; whether it is the best so far. */
    boolean evaluated(int step, double loss) {
        evaluations.add(new FinetuneReport.Evaluation(step, loss));
        boolean better = Double.isNaN(bestLoss) || loss < bestLoss;
        if (better) {
            bestLoss = loss;
        }
        badEvaluations = better ? 0 : badEvaluations + 1;
        return better;
    }

    /** Evaluations since the best one. */
    int badEvaluations() {
        return badEvaluations;
    }

    /** The adapter's values at the best evaluation, or null. */
    List<float[]> best() {
        return best;
    }

    void best(List<float[]> values) {
        best = values;
    }

    TrainingState state(String base, String settings, List<AdapterFile.Tensor> tensors) {
        return new TrainingState(base, settings, steps(), steps() - skipped, steps.stream().mapToDouble(StepEntry::loss).toArray(), bestLoss, badEvaluations,
                tensors);
    }

    /** Takes over from a stopped training, whose learning rates and norms are not known any more. */
    void restore(TrainingState state, List<float[]> bestValues) {
        for (double loss : state.history()) {
            steps.add(new StepEntry(loss, Double.NaN, Double.NaN, Double.NaN));
        }
        bestLoss = state.bestLoss();
        badEvaluations = state.badEvals();
        best = bestValues;
        skipped = (int) (state.step() - state.updates());
    }
}
