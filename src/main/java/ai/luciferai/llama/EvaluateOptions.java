package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidOptionException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@link Evaluate} is to find out.
 *
 * @param models  the models; none: the embedded one
 * @param reading what they read
 * @param answers what they answer
 * @param page    where a report as a page goes
 * @param force   whether existing outputs may be replaced
 */
public record EvaluateOptions(List<Path> models, Reading reading, Answers answers, Optional<Path> page, boolean force,
        ModelOptions modelOptions, ContextOptions contextOptions) {

    /**
     * Perplexity, and the difference from another model.
     *
     * @param text       what is read; empty: nothing, or what the predictions in {@code base} are about
     * @param chunkSize  tokens that are read at once, or {@link ImatrixOptions#AUTO_CHUNK}; those of the second half are predicted
     * @param chunks     most chunks to read; -1: all
     * @param base       the model to compare with, usually the one before quantization, or a file of its predictions
     * @param saveLogits where the predictions of the base go, or without a base those of the only model
     */
    public record Reading(Optional<Path> text, int chunkSize, int chunks, Optional<Path> base, Optional<Path> saveLogits) {

        /** A smaller chunk has no second half to speak of. */
        private static final int LEAST_CHUNK = 4;

        public Reading {
            Check.present("text", text);
            Check.present("base", base);
            Check.present("save-logits", saveLogits);
            Check.require(chunkSize == ImatrixOptions.AUTO_CHUNK || chunkSize >= LEAST_CHUNK, "ctx-size", "at least " + LEAST_CHUNK, chunkSize);
            Check.require(chunks == -1 || chunks > 0, "chunks", "-1 for all, or at least 1", chunks);
            Check.require(saveLogits.isEmpty() || text.isPresent(), "save-logits", "a text to read", "none");
        }

        /** Nothing is read. */
        public static Reading none() {
            return new Reading(Optional.empty(), ImatrixOptions.AUTO_CHUNK, -1, Optional.empty(), Optional.empty());
        }

        /** A text, in llama-perplexity's chunks. */
        public static Reading of(Path text) {
            return none().withText(text);
        }

        public Reading withText(Path v) {
            return new Reading(Optional.of(v), chunkSize, chunks, base, saveLogits);
        }

        public Reading withChunks(int size, int most) {
            return new Reading(text, size, most, base, saveLogits);
        }

        public Reading withBase(Path v) {
            return new Reading(text, chunkSize, chunks, Optional.of(v), saveLogits);
        }

        public Reading withSaveLogits(Path v) {
            return new Reading(text, chunkSize, chunks, base, Optional.of(v));
        }

        boolean isNone() {
            return text.isEmpty() && base.isEmpty();
        }
    }

    /**
     * Answers, by the most probable token each time.
     *
     * @param exactMatch prompts with the only right answer, as lines of JSON such as {@link Finetune} reads
     * @param prompts    prompts whose answers are shown side by side
     * @param maxTokens  most tokens of such an answer
     */
    public record Answers(Optional<Path> exactMatch, List<String> prompts, int maxTokens) {

        public static final int MAX_TOKENS = 128;

        public Answers {
            Check.present("exact-match", exactMatch);
            prompts = List.copyOf(prompts);
            Check.atLeast("predict", maxTokens, 1);
        }

        /** No answers. */
        public static Answers none() {
            return new Answers(Optional.empty(), List.of(), MAX_TOKENS);
        }

        public static Answers exactMatch(Path data) {
            return new Answers(Optional.of(data), List.of(), MAX_TOKENS);
        }

        public Answers withPrompts(List<String> v) {
            return new Answers(exactMatch, v, maxTokens);
        }

        boolean isNone() {
            return exactMatch.isEmpty() && prompts.isEmpty();
        }
    }

    public EvaluateOptions {
        models = List.copyOf(models);
        Check.present("reading", reading);
        Check.present("answers", answers);
        Check.present("html", page);
        Check.present("model options", modelOptions);
        Check.present("context options", contextOptions);
        if (reading.isNone() && answers.isNone()) {
            throw new InvalidOptionException("evaluate", "a text (-f), --exact-match or --prompts", "nothing to evaluate on");
        }
        Check.require(reading.saveLogits().isEmpty() || reading.base().isPresent() || models.size() <= 1, "save-logits",
                "one model, or --base", models.size() + " models");
    }

    public static EvaluateOptions of(List<Path> models, Reading reading) {
        return new EvaluateOptions(models, reading, Answers.none(), Optional.empty(), false, ModelOptions.defaults(),
                ContextOptions.defaults());
    }

    public static EvaluateOptions of(List<Path> models, Answers answers) {
        return new EvaluateOptions(models, Reading.none(), answers, Optional.empty(), false, ModelOptions.defaults(),
                ContextOptions.defaults());
    }

    public EvaluateOptions withReading(Reading v) {
        return new EvaluateOptions(models, v, answers, page, force, modelOptions, contextOptions);
    }

    public EvaluateOptions withAnswers(Answers v) {
        return new EvaluateOptions(models, reading, v, page, force, modelOptions, contextOptions);
    }

    public EvaluateOptions withPage(Path v) {
        return new EvaluateOptions(models, reading, answers, Optional.of(v), force, modelOptions, contextOptions);
    }

    public EvaluateOptions withForce(boolean v) {
        return new EvaluateOptions(models, reading, answers, page, v, modelOptions, contextOptions);
    }

    public EvaluateOptions withModelOptions(ModelOptions v) {
        return new EvaluateOptions(models, reading, answers, page, force, v, contextOptions);
    }

    public EvaluateOptions withContextOptions(ContextOptions v) {
        return new EvaluateOptions(models, reading, answers, page, force, modelOptions, v);
    }
}
