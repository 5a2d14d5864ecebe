package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/** The verb {@code generate}: loads a model, completes one prompt, closes it. */
public final class Generate {

    private Generate() {}

    /**
     * What to do.
     *
     * @param model    the file; empty: the embedded model
     */
    public record Request(Optional<Path> model, ModelOptions modelOptions, ContextOptions contextOptions, Prompt prompt,
            GenerateOptions options) {

        public Request {
            Check.present("model", model);
            Check.present("model options", modelOptions);
            Check.present("context options", contextOptions);
            Check.present("prompt", prompt);
            Check.present("generate options", options);
        }

        /** The embedded model with defaults. */
        public static Request of(Prompt prompt) {
            return new Request(Optional.empty(), ModelOptions.defaults(), ContextOptions.defaults(), prompt,
                    GenerateOptions.defaults());
        }

        public Request withModel(Path v) {
            return new Request(Optional.of(v), modelOptions, contextOptions, prompt, options);
        }

        public Request withModelOptions(ModelOptions v) {
            return new Request(model, v, contextOptions, prompt, options);
        }

        public Request withContextOptions(ContextOptions v) {
            return new Request(model, modelOptions, v, prompt, options);
        }

        public Request withOptions(GenerateOptions v) {
            return new Request(model, modelOptions, contextOptions, prompt, v);
        }
    }

    /** What was done. {@code loadMillis} is the time until the model was ready. */
    public record Report(Request request, ModelInfo model, Completion completion, double loadMillis) {}

    /**
     * Runs it.
     *
     * @param listener hears of every token as it comes
     * @param progress hears of the phase "load"
     */
    public static Report run(Request request, Consumer<Token> listener, Progress progress, Cancel cancel) {
        long start = System.nanoTime();
        try (Model model = open(request.model(), request.modelOptions(), progress, cancel);
                Session session = model.session(request.contextOptions())) {
            double loadMillis = (System.nanoTime() - start) / 1e6;
            Completion completion = session.complete(request.prompt(), request.options(), listener, cancel);
            return new Report(request, model.info(), completion, loadMillis);
        }
    }

    /** The model of a file, or the embedded one. */
    static Model open(Optional<Path> file, ModelOptions options, Progress progress, Cancel cancel) {
        return file.isPresent() ? Model.load(file.get(), options, progress, cancel) : Model.embedded(options, progress, cancel);
    }
}
