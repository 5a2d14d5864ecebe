package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.ffi.ContextHandle;
import ai.luciferai.llama.ffi.SamplerHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Completes several prompts in one context: each has a sequence of its own, and when it ends the next prompt takes the sequence. */
final class BatchGenerator implements AutoCloseable, Child {

    private final Model model;
    private final List<int[]> prompts;
    private final GenerationPlan plan;
    private final ContextHandle context;
    private final DecodeBatch batch;
    private final TokenPicker picker;
    private final Occupancy occupancy;
    private final List<Job> running = new ArrayList<>();
    private final Completion[] results;
    private int nextPrompt;

    /** One prompt on its way. */
    private record Job(int prompt, BatchSlot slot, TextTrack track, SamplerHandle sampler, PhaseClock clock) {}

    private BatchGenerator(Model model, List<int[]> prompts, GenerateOptions options, ContextHandle context) {
        this.model = model;
        this.prompts = prompts;
        this.plan = GenerationPlan.of(options);
        this.context = context;
        this.batch = DecodeBatch.of(context.batch());
        this.picker = new TokenPicker(context, model.vocabulary(), options);
        this.occupancy = new Occupancy(context.name());
        this.results = new Completion[prompts.size()];
    }

    static BatchGenerator open(Model model, List<int[]> prompts, GenerateOptions options, ContextOptions contextOptions) {
        int sequences = Math.min(contextOptions.sequences(), prompts.size());
        Check.require(sequences <= contextOptions.batchSize(), "batch-size", "at least the " + sequences + " sequences",
                contextOptions.batchSize());
        int longest = prompts.stream().mapToInt(p -> p.length).max().orElseThrow();
        int size = sequenceSize(model, longest, options, contextOptions);
        ContextHandle context = model.context(ContextSetup.params(contextOptions, size, sequences));
        if (longest > context.description().nCtxSeq()) {
            context.close();
            throw new ContextFullException("the longest prompt", longest, context.description().nCtxSeq());
        }
        return new BatchGenerator(model, prompts, options, context);
    }

    /** Without a size asked for, as much as the longest text can need, which is often far less than the model offers. */
    private static int sequenceSize(Model model, int longest, GenerateOptions options, ContextOptions contextOptions) {
        int size = ContextSetup.contextSize(contextOptions, model.handle().description());
        boolean automatic = contextOptions.contextSize() == ContextOptions.AUTO_SIZE;
        return automatic && options.maxTokens() >= 0 ? (int) Math.min(size, (long) longest + options.maxTokens() + 1) : size;
    }

    List<Completion> run(Progress progress, Cancel cancel) {
        occupancy.enterAlone("generateAll");
        try {
            startJobs(cancel);
            while (!running.isEmpty()) {
                cancel.check("generateAll");
                decode(cancel);
                takeTokens(progress);
                startJobs(cancel);
            }
        } catch (CancelledException e) {
            cancelRest();
        } finally {
            running.forEach(job -> job.sampler().close());
            occupancy.leave();
        }
        return Arrays.asList(results);
    }

    private void startJobs(Cancel cancel) {
        while (nextPrompt < prompts.size() && running.size() < context.description().nSeqMax()) {
            Job job = job(nextPrompt, freeSequence(), cancel);
            running.add(job);
            nextPrompt++;
        }
    }

    private int freeSequence() {
        int sequence = 0;
        while (isTaken(sequence)) {
            sequence++;
        }
        return sequence;
    }

    private boolean isTaken(int sequence) {
        return running.stream().anyMatch(job -> job.slot().sequence() == sequence);
    }

    private Job job(int prompt, int sequence, Cancel cancel) {
        PhaseClock clock = new PhaseClock();
        clock.enter();
        int[] ids = prompts.get(prompt);
        return new Job(prompt, new BatchSlot(sequence, ids), plan.track(model.vocabulary()),
                SamplerSetup.sampler(model.handle(), plan, ids, context.description().nCtxSeq(), cancel), clock);
    }

    private void decode(Cancel cancel) {
        BatchSchedule.fill(batch, running.stream().map(Job::slot).toList());
        context.decode(cancel);
    }

    private void takeTokens(Progress progress) {
        for (Job job : List.copyOf(running)) {
            if (job.slot().output() >= 0) {
                takeToken(job);
            }
            if (job.track().ended()) {
                finish(job);
                progress.update(new Progress.Event("generate", done(), prompts.size(), "prompts"));
            }
        }
    }

    private void takeToken(Job job) {
        if (job.track().ended()) {
            return;
        }
        int id = job.sampler().sample(context, job.slot().output());
        job.clock().token();
        boolean hasRoom = job.slot().position() < context.description().nCtxSeq();
        picker.accept(job.track(), id, job.slot().output(), hasRoom);
        job.slot().choose(id);
    }

    private void finish(Job job) {
        results[job.prompt()] = completion(job);
        job.sampler().close();
        running.remove(job);
        context.remove(job.slot().sequence(), -1, -1);
    }

    private Completion completion(Job job) {
        int length = prompts.get(job.prompt()).length;
        job.clock().leave();
        Timings timings = job.clock().timings(length, 0, job.track().generated());
        return job.track().completion(length, timings, job.sampler().seed(), job.sampler()::mayEnd);
    }

    private int done() {
        return (int) Arrays.stream(results).filter(Objects::nonNull).count();
    }

    /** What has begun keeps its text, what has not is empty. */
    private void cancelRest() {
        for (Job job : running) {
            job.track().cancel();
            results[job.prompt()] = completion(job);
        }
        for (int i = nextPrompt; i < results.length; i++) {
            TextTrack track = plan.track(model.vocabulary());
            track.cancel();
            results[i] = track.completion(prompts.get(i).length, new Timings(0, 0, 0, 0, 0, 0), plan.options().sampling().seed(), () -> false);
        }
    }

    @Override
    public Occupancy occupancy() {
        return occupancy;
    }

    @Override
    public void close() {
        if (occupancy.closeOnce()) {
            release();
        }
    }

    @Override
    public void closeReserved() {
        occupancy.closeReserved();
        release();
    }

    private void release() {
        context.close();
        model.children().remove(this);
    }
}
