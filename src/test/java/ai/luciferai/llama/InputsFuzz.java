package ai.luciferai.llama;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.TinyModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * The child process of {@link InputsFuzzIT}: hands damaged files and texts to the verbs that take them, on a model of a few KB. Says on stdout what
 * it is doing, so that the parent knows what ended it.
 */
final class InputsFuzz implements AutoCloseable {

    private static final Path FIXTURES = Path.of("src/test/fixtures");
    private static final String TEMPLATE = """
            {%- for m in messages[:9] if m.content is string -%}<|{{ m['role'] }}|>{{ m.content | trim | replace("a", "b" * 2) }}{%- endfor -%}
            {%- macro tool(t, i=4) -%}{{ t | tojson(indent=4) }}{%- endmacro -%}{%- for t in tools -%}{{ tool(t) }}{%- endfor -%}""";
    private static final String TOOLS = """
            [{"type": "function", "function": {"name": "time", "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}}]""";
    private static final String SCHEMA = """
            {"type": "object", "properties": {"a": {"type": "integer", "minimum": 5, "maximum": 17}, "b": {"type": "string", "pattern": "^(ab?){2,5}[c-e]*$"},
             "c": {"type": "array", "items": {"enum": [1, "x", null]}, "minItems": 1, "maxItems": 3}, "d": {"$ref": "#/$defs/n"}},
             "required": ["a"], "$defs": {"n": {"anyOf": [{"const": 1.5}, {"type": "number", "multipleOf": 0.25}]}}}""";
    private static final String GRAMMAR = """
            root ::= item{1,5} ("," item)* # items
            item ::= [a-z\\x41-\\u00e9] "é\\n\\"" | "(" root ")" | [^0-9]+""";
    private static final String SAMPLES = """
            {"prompt": "list files\\n", "completion": "ls"}
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
            """;

    private interface Taker {
        void take(Path file) throws IOException;
    }

    private interface TextTaker {
        void take(String text);
    }

    private final Path folder;
    private final long seed;
    private final int rounds;
    private final Path model;
    private final Path adapter;
    private final Path out;
    private final Model open;
    private final Session session;
    private final Map<String, Integer> refusals = new TreeMap<>();

    private InputsFuzz(Path folder, long seed, int rounds) throws IOException {
        this.folder = folder;
        this.seed = seed;
        this.rounds = rounds;
        this.model = folder.resolve("spm.gguf");
        this.adapter = folder.resolve("adapter.gguf");
        this.out = folder.resolve("out.gguf");
        TinyModel.writeSpm(model);
        TinyModel.writeAdapter(adapter);
        this.open = Model.load(model, Tiny.options());
        this.session = open.session(Tiny.CONTEXT.withContextSize(64));
    }

    /** Arguments: an own folder, seed, rounds for each kind of input. */
    public static void main(String[] args) throws IOException {
        try (var fuzz = new InputsFuzz(Path.of(args[0]), Long.parseLong(args[1]), Integer.parseInt(args[2]))) {
            fuzz.texts();
            fuzz.files();
            System.out.println("done " + fuzz.rounds + " of each kind, refused: " + fuzz.refusals);
        }
    }

    @Override
    public void close() {
        session.close();
        open.close();
    }

    // --- texts ---------------------------------------------------------------------------------------------------------

    private void texts() throws IOException {
        var messages = List.of(ChatMessage.system("Be brief."), ChatMessage.user("What time is it?"));
        text("template", TEMPLATE, text -> open.renderChat(messages, ChatFormat.defaults().withTemplate(ChatTemplate.jinja(text)).withTools(TOOLS)));
        text("tools", TOOLS, text -> open.renderChat(messages, ChatFormat.defaults().withTemplate(ChatTemplate.jinja(TEMPLATE)).withTools(text)));
        text("schema", SCHEMA, text -> complete("a", Tiny.greedy(2).withJsonSchema(text)));
        text("grammar", GRAMMAR, text -> complete("a", Tiny.greedy(2).withGrammar(Grammar.gbnf(text))));
        text("prompt", "hello <s> world\n", text -> complete(text, Tiny.greedy(1)));
        text("stop", "hello\n", text -> complete("a", Tiny.greedy(2).withStops(List.of(text))));
        text("override", "llama.context_length=int:64", text -> Model.load(model, Tiny.options().withKvOverrides(List.of(KvOverride.parse(text)))).close());
    }

    private void complete(String prompt, GenerateOptions options) {
        session.clear();
        session.complete(Prompt.text(prompt), options);
    }

    /** A text has what a file's bytes are read as, and now and then half of a surrogate pair. */
    private void text(String name, String sound, TextTaker taker) throws IOException {
        run(name, sound.getBytes(StandardCharsets.UTF_8), true, bytes -> {
            String text = new String(bytes, StandardCharsets.UTF_8);
            taker.take(bytes.length % 16 == 0 ? text + "\uD83D" : text);
        });
    }

    // --- files ---------------------------------------------------------------------------------------------------------

    private void files() throws IOException {
        Path matrix = FIXTURES.resolve("quality/mixtral-merged.gguf");
        for (Path sound : List.of(matrix, FIXTURES.resolve("quality/mixtral.dat"))) {
            file("merge of " + sound.getFileName(), sound, file -> Imatrix.run(ImatrixOptions.merge(List.of(matrix, file), out).withForce(true), Progress.NONE, Cancel.NONE));
            file("quantize by " + sound.getFileName(), sound, file -> Quantize.plan(QuantizeOptions.of(model, out, QuantType.parse("iq2_xxs"))
                    .withImportance(QuantizeOptions.Importance.of(file)).withAllowRequantize(true).withForce(true)));
        }
        file("quantize", model, file -> Quantize.run(QuantizeOptions.of(file, out, QuantType.parse("q8_0")).withAllowRequantize(true).withForce(true), Progress.NONE, Cancel.NONE));
        file("merge: adapter", adapter, file -> merge(model, file));
        file("merge: base", model, file -> merge(file, adapter));
        file("logits", logits(), file -> evaluate(EvaluateOptions.Reading.none().withBase(file)));
        file("state", state(), file -> {
            session.load(file);
            session.complete(Prompt.text("hello"), Tiny.greedy(1));
        });
        byte[] samples = SAMPLES.getBytes(StandardCharsets.UTF_8);
        file("answers", Files.write(folder.resolve("answers.jsonl"), samples), AnswerKey::read);
        file("text", Files.write(folder.resolve("text.txt"), "hello world, ".repeat(20).getBytes(StandardCharsets.UTF_8)),
                file -> evaluate(EvaluateOptions.Reading.of(file).withChunks(16, 1)));
    }

    private void merge(Path base, Path lora) throws IOException {
        ExportLora.run(ExportLoraOptions.of(base, List.of(AdapterSource.of(lora)), out).withForce(true), Progress.NONE, Cancel.NONE);
    }

    private void evaluate(EvaluateOptions.Reading reading) throws IOException {
        Evaluate.run(EvaluateOptions.of(List.of(model), reading).withModelOptions(Tiny.options()).withContextOptions(Tiny.CONTEXT), Progress.NONE,
                Cancel.NONE);
    }

    private Path logits() throws IOException {
        Path text = Files.writeString(folder.resolve("read.txt"), "hello world, ".repeat(20));
        Path logits = folder.resolve("sound.logits");
        evaluate(EvaluateOptions.Reading.of(text).withChunks(16, 1).withSaveLogits(logits));
        return logits;
    }

    private Path state() {
        session.clear();
        session.complete(Prompt.text("hello world"), Tiny.greedy(2));
        session.save(folder.resolve("sound.state"));
        return folder.resolve("sound.state");
    }

    private void file(String name, Path sound, Taker taker) throws IOException {
        String file = sound.getFileName().toString();
        Path damaged = folder.resolve("damaged" + file.substring(file.lastIndexOf('.')));
        run(name, Files.readAllBytes(sound), false, bytes -> {
            Files.deleteIfExists(damaged); // what was mapped is not to be written over
            taker.take(Files.write(damaged, bytes));
        });
    }

    // --- both ----------------------------------------------------------------------------------------------------------

    private interface BytesTaker {
        void take(byte[] bytes) throws IOException;
    }

    private void run(String name, byte[] sound, boolean text, BytesTaker taker) throws IOException {
        taker.take(sound); // else nothing is tried
        var random = new Random(seed ^ name.hashCode());
        for (int round = 0; round < rounds; round++) {
            System.out.println("seed " + seed + ": " + name + ", round " + round);
            byte[] bytes = text ? DamagedBytes.ofText(sound, random) : DamagedBytes.of(sound, random);
            try {
                taker.take(bytes);
            } catch (BridgeException refusal) {
                refusals.merge(name, 1, Integer::sum);
            }
        }
    }
}
