package ai.luciferai.llama.cli;

import ai.luciferai.llama.ChatMessage;
import ai.luciferai.llama.Completion;
import ai.luciferai.llama.GenerateOptions;
import ai.luciferai.llama.Model;
import ai.luciferai.llama.Prompt;
import ai.luciferai.llama.RenderedChat;
import ai.luciferai.llama.StopReason;
import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Many prompts over one or several models: how a change of model or quantization is judged. A table of the models goes to stdout. */
final class PromptBatch {

    private final GeneratePlan plan;
    private final Arguments arguments;
    private final Environment environment;
    private final Path folder;
    private final boolean force;

    PromptBatch(GeneratePlan plan, Arguments arguments, Environment environment) {
        this.plan = plan;
        this.arguments = arguments;
        this.environment = environment;
        folder = ModelMixin.path("--out-dir", arguments.text("--out-dir", "."));
        force = arguments.has("--force");
    }

    /** A model that fails does not keep the others from answering; the exit code is the first failure's. */
    int run() throws IOException {
        List<String> prompts = TextFile.read(plan.prompts()).lines().filter(line -> !line.isBlank()).map(plan::escaped).toList();
        if (prompts.isEmpty()) {
            throw new InvalidFileException(plan.prompts(), "prompts", "a prompt a line", "no line with text");
        }
        List<Path> results = results();
        for (Path result : results) {
            AtomicFile.requireUsable(result, force, List.of(plan.prompts()));
        }
        int code = ExitCode.OK;
        environment.print(String.format("%-32s %8s %8s %10s  %s%n", "model", "prompts", "tokens", "tokens/s", "results"));
        for (int i = 0; i < results.size(); i++) {
            String name = name(plan.models().get(i));
            try {
                answer(plan.models().get(i), name, prompts, results.get(i));
            } catch (CancelledException e) {
                throw e;
            } catch (BridgeException e) {
                environment.tellFailure(name, e, arguments);
                code = code == ExitCode.OK ? ExitCode.of(e) : code;
            }
        }
        return code;
    }

    private static String name(Optional<Path> model) {
        String file = model.map(path -> path.getFileName().toString()).orElse("embedded");
        return file.endsWith(".gguf") ? file.substring(0, file.length() - 5) : file;
    }

    /** One file a model; models of the same name in different folders are numbered. */
    private List<Path> results() {
        var seen = new HashMap<String, Integer>();
        var files = new ArrayList<Path>();
        for (Optional<Path> model : plan.models()) {
            int before = seen.merge(name(model), 1, Integer::sum) - 1;
            files.add(folder.resolve("results-" + name(model) + (before == 0 ? "" : "-" + (before + 1)) + (plan.json() ? ".json" : ".txt")));
        }
        return files;
    }

    private void answer(Optional<Path> path, String name, List<String> prompts, Path result) throws IOException {
        List<Completion> completions;
        long start;
        try (Model model = ModelMixin.load(path, plan.modelOptions(), environment); ProgressLine progress = environment.progress()) {
            GenerateOptions options = plan.options().withSampling(SamplingMixin.sampling(arguments, model.defaultSampling()));
            start = System.nanoTime();
            completions = plan.chatsOnce()
                    ? chats(model, prompts, options, progress)
                    : model.generateAll(prompts.stream().map(Prompt::text).toList(), options, plan.contextOptions(), progress,
                            environment.cancel());
        }
        if (completions.stream().anyMatch(c -> c.stopReason() == StopReason.CANCELLED)) {
            throw new CancelledException("answering " + plan.prompts());
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        write(result, plan.json() ? json(name, prompts, completions) : text(name, prompts, completions));
        long tokens = completions.stream().mapToLong(c -> c.tokens().size()).sum();
        environment.print(String.format(Locale.ROOT, "%-32s %8d %8d %10.1f  %s%n", name, prompts.size(), tokens, tokens / seconds, result));
        environment.flush();
        long cut = completions.stream().filter(Completion::cutOff).count();
        if (cut > 0) {
            environment.say(name + ": " + cut + " of " + prompts.size() + " answers are cut off: their " + CompletionText.form(plan.options().grammar())
                    + " asks for more; " + result + " says which");
        }
    }

    private List<Completion> chats(Model model, List<String> prompts, GenerateOptions options, ProgressLine progress) {
        var rendered = new ArrayList<Prompt>();
        var stops = new ArrayList<>(options.stops());
        for (String prompt : prompts) {
            var messages = new ArrayList<ChatMessage>();
            if (!plan.chat().systemPrompt().isEmpty()) {
                messages.add(ChatMessage.system(plan.chat().systemPrompt()));
            }
            messages.add(ChatMessage.user(prompt));
            RenderedChat chat = model.renderChat(messages, plan.chat().format());
            rendered.add(Prompt.text(chat.prompt()));
            chat.stops().stream().filter(stop -> !stops.contains(stop)).forEach(stops::add);
        }
        return model.generateAll(rendered, options.withStops(stops), plan.contextOptions(), progress, environment.cancel());
    }

    private void write(Path file, String text) throws IOException {
        try (var out = AtomicFile.create(file, force, List.of(plan.prompts()))) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.commit(environment.cancel());
        }
    }

    private static String text(String model, List<String> prompts, List<Completion> completions) {
        var out = new StringBuilder("model: " + model + "\n");
        for (int i = 0; i < prompts.size(); i++) {
            Completion c = completions.get(i);
            out.append("\n--- prompt ").append(i + 1).append('\n').append(prompts.get(i).stripTrailing());
            out.append("\n--- answer (").append(c.tokens().size()).append(" tokens, ").append(CompletionText.name(c.stopReason()));
            out.append(c.cutOff() ? ", cut off" : "").append(")\n").append(c.text().stripTrailing()).append('\n');
        }
        return out.toString();
    }

    private static String json(String model, List<String> prompts, List<Completion> completions) {
        var answers = new ArrayList<Map<String, Object>>();
        for (int i = 0; i < prompts.size(); i++) {
            var answer = Json.object("prompt", prompts.get(i));
            answer.putAll(CompletionText.json(completions.get(i)));
            answers.add(answer);
        }
        return Json.pretty(Json.object("model", model, "answers", answers));
    }
}
