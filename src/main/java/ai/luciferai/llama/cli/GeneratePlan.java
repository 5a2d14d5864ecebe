package ai.luciferai.llama.cli;

import ai.luciferai.llama.ChatFormat;
import ai.luciferai.llama.ChatOptions;
import ai.luciferai.llama.ChatTemplate;
import ai.luciferai.llama.ContextOptions;
import ai.luciferai.llama.GenerateOptions;
import ai.luciferai.llama.ModelOptions;
import ai.luciferai.llama.Sampling;
import ai.luciferai.llama.core.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;

/**
 * What {@code generate} shall do: its words as the façade's records, checked before anything is loaded.
 *
 * @param models   files; an empty one is the embedded model; more than one for prompts only
 * @param source   where the prompt comes from
 * @param chatMode on, off, or null: as the model and the other options have it
 * @param prompts  file of --prompts, or null
 * @param single   whether one answer ends it, of a conversation and of the lines of stdin too
 */
record GeneratePlan(List<Optional<Path>> models, ModelOptions modelOptions, ContextOptions contextOptions, GenerateOptions options,
                    Source source, Boolean chatMode, ChatOptions chat, Path prompts, boolean interactive, boolean instruct,
                    boolean single, boolean json) {

    /** A prompt as it was given; text and file null: none. */
    record Source(String text, String file, boolean stdin, boolean escapes) {

        boolean given() {
            return text != null || file != null || stdin;
        }
    }

    static GeneratePlan of(Arguments a) {
        return of(a, false);
    }

    /** @param piped whether prompts may come from stdin where the words give none */
    static GeneratePlan of(Arguments a, boolean piped) {
        Source source = source(a);
        Path prompts = a.has("--prompts") ? ModelMixin.path("--prompts", a.text("--prompts")) : null;
        Boolean chatMode = a.has("-cnv") ? (Boolean) a.on("-cnv", false) : null;
        boolean asked = a.has("-i") || a.has("-ins");
        boolean interactive = asked || Boolean.TRUE.equals(chatMode) && !source.given() && prompts == null;
        checkSources(a, source, prompts, interactive || piped);
        checkConversation(a, source, prompts, interactive);
        checkBatch(a, prompts != null);
        checkChat(a, chatMode);
        ContextOptions context = ContextMixin.options(a).withSequences(a.integer("-np", 4));
        ModelOptions model = ModelMixin.options(a);
        model = model.withPlacement(model.placement().withFitContextSize(Math.max(0, context.contextSize())));
        return new GeneratePlan(models(a), model, context, options(a), source, chatMode, chat(a), prompts,
                interactive, a.has("-ins"), a.has("-st"), a.has("--json"));
    }

    private static Source source(Arguments a) {
        boolean stdin = !a.operands().isEmpty();
        if (stdin && !a.operands().getFirst().equals("-")) {
            String word = a.operands().getFirst();
            String stray = a.stray(word);
            throw new InvalidOptionException("prompt", "-p TEXT, -f FILE or - for stdin", Arguments.quote(word),
                    stray == null ? "put -p before the prompt, and quotes around it" : stray);
        }
        return new Source(a.text("-p"), a.text("-f"), stdin || "-".equals(a.text("-f")), a.on("-e", true));
    }

    private static void checkSources(Arguments a, Source source, Path prompts, boolean stdin) {
        int sources = (source.text() == null ? 0 : 1) + (source.file() == null ? 0 : 1) + (prompts == null ? 0 : 1)
                + (a.operands().isEmpty() ? 0 : 1);
        if (sources > 1) {
            throw new InvalidOptionException("-p", "one prompt: -p, -f, --prompts or -", sources + " of them");
        }
        if (sources == 0 && !stdin) {
            throw noPrompt("none");
        }
    }

    // From here on: nothing that was asked for is passed over. What acts in one mode alone is refused in the others.

    private static void checkConversation(Arguments a, Source source, Path prompts, boolean interactive) {
        if (interactive && (prompts != null || source.stdin() || a.has("--json"))) {
            String other = prompts != null ? "--prompts" : a.has("--json") ? "--json" : "-";
            throw new InvalidOptionException(other, "no " + conversation(a) + " beside it", conversation(a));
        }
        a.integer("--keep", 0); // nothing but a number
        for (String name : List.of("--keep", "--no-context-shift")) {
            if (interactive && a.has(name)) {
                throw new InvalidOptionException(name, "no " + conversation(a) + " beside it", conversation(a),
                        LlamaOptions.read().told("generate", name));
            }
        }
    }

    /** The option that asks for a conversation. */
    private static String conversation(Arguments a) {
        return List.of("-i", "-ins", "-cnv").stream().filter(a::has).map(a::typed).findFirst().orElseThrow();
    }

    private static void checkBatch(Arguments a, boolean batch) {
        int models = a.texts("-m").size();
        if (!batch && models > 1) {
            throw new InvalidOptionException(a.typed("-m"), "one model", models + " of them", "--prompts FILE has several answer, each a prompt a line");
        }
        if (!batch) {
            for (String name : List.of("--out-dir", "--force", "-np")) {
                refuseIf(a, name, a.has(name), "--prompts FILE beside it", "none");
            }
            return;
        }
        refuseIf(a, "-st", a.has("-st"), "no --prompts beside it", "--prompts");
        if (a.has("--logprobs") && !a.has("--json")) {
            throw new InvalidOptionException("--logprobs", "--json beside --prompts", "none", "the table of results has no room for them");
        }
    }

    private static void checkChat(Arguments a, Boolean chatMode) {
        refuseIf(a, "-sysf", a.has("-sysf") && a.has("-sys"), "one system prompt", "this beside " + a.typed("-sys"));
        refuseIf(a, "--chat-template-file", a.has("--chat-template-file") && a.has("--chat-template"), "one template", "this beside --chat-template");
        boolean plain = Boolean.FALSE.equals(chatMode);
        for (String name : List.of("--chat-template", "--chat-template-file", "--chat-template-kwargs", "-rea", "--reasoning-effort")) {
            refuseIf(a, name, plain && a.has(name), "no " + a.typed("-cnv") + " beside it", a.typed("-cnv"));
        }
        for (String name : List.of("-sys", "-sysf")) { // Alpaca's form has room for a system prompt
            refuseIf(a, name, plain && !a.has("-ins") && a.has(name), "no " + a.typed("-cnv") + " beside it", a.typed("-cnv"));
        }
    }

    private static void refuseIf(Arguments a, String name, boolean refused, String expected, String got) {
        if (refused) {
            throw new InvalidOptionException(a.typed(name), expected, got);
        }
    }

    private static InvalidOptionException noPrompt(String got) {
        return new InvalidOptionException("-p", "a prompt: -p TEXT, -f FILE, --prompts FILE, - for stdin, or -i", got,
                "lucifer-llama generate -p \"list all files\" asks the embedded model");
    }

    private static List<Optional<Path>> models(Arguments a) {
        var models = new ArrayList<Optional<Path>>();
        for (String name : a.texts("-m")) {
            models.add(Optional.of(ModelMixin.path("-m", name)));
        }
        return models.isEmpty() ? List.of(Optional.empty()) : models;
    }

    private static GenerateOptions options(Arguments a) {
        // -2 is llama.cpp's "until the context is full", where we stop in any case.
        int n = a.integer("-n", GenerateOptions.UNLIMITED);
        List<String> stops = a.on("-e", true) ? a.texts("-r").stream().map(Escapes::process).toList() : a.texts("-r");
        return GenerateOptions.defaults()
                .withMaxTokens(n == -2 ? GenerateOptions.UNLIMITED : n)
                .withStops(stops)
                .withSampling(SamplingMixin.sampling(a, Sampling.defaults()))
                .withGrammar(SamplingMixin.grammar(a))
                .withLogprobs(a.integer("--logprobs", GenerateOptions.NO_LOGPROBS, 0))
                .withIgnoreEos(a.has("--ignore-eos"))
                .withRenderSpecial(a.has("-sp"));
    }

    private static ChatOptions chat(Arguments a) {
        return ChatOptions.defaults().withFormat(format(a))
                .withSystemPrompt(a.has("-sysf") ? withoutLineEnd(TextFile.read("-sysf", a.text("-sysf"))) : a.text("-sys", ""));
    }

    private static ChatFormat format(Arguments a) {
        ChatFormat format = ChatFormat.defaults().withTemplate(template(a));
        if (a.has("--chat-template-kwargs")) {
            format = format.withArguments(a.text("--chat-template-kwargs"));
        }
        String effort = a.text("--reasoning-effort", "default");
        if (!effort.equals("default")) {
            var arguments = new HashMap<>(format.arguments());
            arguments.put("reasoning_effort", Json.line(effort).strip());
            format = format.withArguments(arguments);
        }
        return format.withThinking(a.onOffAuto("-rea").orElse(format.thinking()));
    }

    private static ChatTemplate template(Arguments a) {
        if (a.has("--chat-template-file")) {
            return ChatTemplate.file(ModelMixin.path("--chat-template-file", a.text("--chat-template-file")));
        }
        return a.has("--chat-template") ? ChatTemplate.parse(a.text("--chat-template")) : ChatTemplate.own();
    }

    GeneratePlan withSampling(Sampling sampling) {
        return new GeneratePlan(models, modelOptions, contextOptions, options.withSampling(sampling), source, chatMode, chat, prompts,
                interactive, instruct, single, json);
    }

    /** The prompt's text, or null when there is none. */
    String prompt(Environment environment) throws IOException {
        if (!source.given()) {
            return null;
        }
        String text = source.stdin() ? withoutLineEnd(environment.readAll())
                : source.file() != null ? withoutLineEnd(TextFile.read("-f", source.file()))
                : source.text();
        return escaped(text);
    }

    /** Whether the prompts are the lines of stdin. */
    boolean piped() {
        return !source.given() && prompts == null && !interactive;
    }

    /** The first line of stdin that has text: read before a model is loaded for nothing. */
    String firstPipedPrompt(Environment environment) throws IOException {
        String prompt = nextPipedPrompt(environment);
        if (prompt == null) {
            throw noPrompt("none, and no line with text on stdin");
        }
        return prompt;
    }

    /** The next line of stdin that has text, or null at its end. No line is read before it is asked for: stdin may never end. */
    String nextPipedPrompt(Environment environment) throws IOException {
        String line = environment.readLine();
        while (line != null && line.isBlank()) {
            line = environment.readLine();
        }
        return line == null ? null : escaped(line);
    }

    /** With backslash escapes read, unless they are switched off. */
    String escaped(String text) {
        return source.escapes() ? Escapes.process(text) : text;
    }

    /** As llama.cpp reads files. */
    private static String withoutLineEnd(String text) {
        return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    }

    /** Whether a single prompt goes through a chat template. */
    boolean chatsOnce() {
        return chatMode != null ? chatMode : !chat.systemPrompt().isEmpty() || !chat.format().equals(ChatFormat.defaults());
    }
}
