package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.train.Pack;
import ai.luciferai.llama.train.TrainingPlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntUnaryOperator;

/**
 * The trainers of one training. Usually it is one; where there are several, each on a copy of the model, they compute the micro-batches of a
 * step side by side, and the first gathers the gradients, makes the step and shares what came of it.
 *
 * <p>Who computes a micro-batch, and in what order sums are made, follows from the plan alone: a training can be repeated.
 */
final class TrainingCrew implements AutoCloseable {

    private final List<LoraTrainer> trainers = new ArrayList<>();
    private final ExecutorService threads;

    private TrainingCrew(int size) {
        this.threads = Executors.newFixedThreadPool(size);
    }

    /**
     * Opens a trainer on each of the models; processors are divided among them.
     *
     * @param start the adapter that all begin with
     */
    static TrainingCrew open(List<Model> models, Path start, LoraTrainer.Options options) {
        var crew = new TrainingCrew(models.size());
        int threads = options.threads() > 0 ? options.threads() : Math.max(1, ContextSetup.physicalCores() / models.size());
        try {
            for (Model model : models) {
                crew.trainers.add(LoraTrainer.open(model, start, options.withThreads(threads)));
            }
            return crew;
        } catch (RuntimeException fault) {
            crew.close();
            throw fault;
        }
    }

    /** That which makes the steps, and whose values count. */
    LoraTrainer first() {
        return trainers.getFirst();
    }

    /**
     * Computes micro-batches.
     *
     * @param learn       whether their gradients are gathered for the next {@link #update}
     * @param dropoutSeed of each micro-batch
     * @return the sum of -log p over their tokens to learn, in nats
     */
    double run(List<Pack> packs, boolean learn, IntUnaryOperator dropoutSeed) {
        List<List<Integer>> shares = TrainingPlan.shares(packs, trainers.size());
        List<Callable<Double>> work = new ArrayList<>();
        for (int i = 0; i < trainers.size(); i++) {
            LoraTrainer trainer = trainers.get(i);
            List<Integer> share = shares.get(i);
            work.add(() -> share.stream().mapToDouble(k -> trainer.run(packs.get(k), learn, dropoutSeed.applyAsInt(k), Cancel.NONE)).sum());
        }
        return sideBySide(work).stream().mapToDouble(Double::doubleValue).sum();
    }

    private <T> List<T> sideBySide(List<Callable<T>> work) {
        try {
            List<T> results = new ArrayList<>();
            for (Future<T> done : threads.invokeAll(work)) {
                results.add(done.get());
            }
            return results;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException fault ? fault : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while training", e);
        }
    }

    /** One optimizer step with the mean gradient over the tokens learnt since the last one. */
    LoraTrainer.Step update(AdamW adamw, float learningRate) {
        others().forEach(first()::gather);
        LoraTrainer.Step step = first().update(adamw, learningRate);
        share();
        return step;
    }

    /** Gives the first one's values to the others. */
    void share() {
        others().forEach(first()::share);
    }

    private List<LoraTrainer> others() {
        return trainers.subList(1, trainers.size());
    }

    @Override
    public void close() {
        threads.shutdown();
        trainers.forEach(LoraTrainer::close);
    }
}
