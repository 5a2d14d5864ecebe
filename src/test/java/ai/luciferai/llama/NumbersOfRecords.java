package ai.luciferai.llama;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Gives every number in the records that the library takes, however deep, values at the ends of what numbers can be, and uses what could be
 * made: the constructor or the work may refuse it with an exception of ours, or it is done as asked.
 *
 * <p>Arguments: a work folder with {@code model.gguf}, an adapter, a text, training data, a checkpoint.
 */
final class NumbersOfRecords {

    private static final List<Number> VALUES = List.of(0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 1L << 32, Long.MAX_VALUE, Double.NaN,
            Double.POSITIVE_INFINITY, 1e308, 1e38);
    private static final long CANCEL_AFTER_SECONDS = 2;

    /** What is done with a value. */
    private interface Use {
        void with(Object value, Cancel cancel) throws Exception;
    }

    /** A copy with one number replaced. */
    private record Mutant(String where, Making making) {}

    private interface Making {
        Object make() throws Exception;
    }

    private int runs;
    private int faults;

    private NumbersOfRecords() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        Path model = folder.resolve("model.gguf");
        Path adapter = Path.of(args[1]);
        Path text = Path.of(args[2]);
        Path data = Path.of(args[3]);
        Path out = folder.resolve("out");
        var attack = new NumbersOfRecords();
        ContextOptions context = ContextOptions.defaults().withContextSize(64).withThreads(1).withSequences(1)
                .withRope(Rope.defaults().withScaling(Rope.Scaling.YARN));
        ModelOptions modelOptions = ModelOptions.defaults().withAdapters(List.of(AdapterSource.of(adapter)))
                .withKvOverrides(List.of(KvOverride.of("llama.context_length", 512L), KvOverride.of("llama.rope.freq_base", 1e4)))
                .withPlacement(Placement.defaults().withTensorSplit(List.of(1f)));
        GenerateOptions plain = GenerateOptions.defaults().withMaxTokens(3).withLogprobs(1);
        Sampling all = Sampling.defaults().withLogitBias(Map.of(5, 1f)).withRepeatPenalty(1.1f);
        for (Sampling sampling : List.of(all, with(with(with(all, new Sampling.Dry(1, 2, 2, -1, List.of("\n"))), new Sampling.Xtc(0.5f, 0.1f)),
                new Sampling.DynamicTemperature(0.5f, 1)), with(all, new Sampling.Mirostat(1, 5, 0.1f)), with(all, new Sampling.Mirostat(2, 5, 0.1f)))) {
            attack.use(new Generate.Request(Optional.of(model), modelOptions, context, Prompt.text("list files\n"), plain.withSampling(sampling)),
                    (request, cancel) -> Generate.run((Generate.Request) request, token -> {}, Progress.NONE, cancel));
        }
        attack.use(ConvertOptions.of(Path.of(args[4])).withOutfile(out).withForce(true),
                (o, cancel) -> Convert.run((ConvertOptions) o, Progress.NONE, cancel));
        attack.use(QuantizeOptions.of(model, out, QuantType.parse("Q8_0")).withForce(true).withEdits(new QuantizeOptions.Edits(List.of(1), List.of())),
                (o, cancel) -> Quantize.run((QuantizeOptions) o, Progress.NONE, cancel));
        attack.use(QuantizeBudget.ram(8 << 20), (budget, cancel) -> Quantize.choose(QuantizeOptions.of(model, out, QuantType.parse("Q8_0")),
                (QuantizeBudget) budget));
        attack.use(ImatrixOptions.of(model, text, out).withForce(true).withChunks(64, 0, 2).withContextOptions(context),
                (o, cancel) -> Imatrix.run((ImatrixOptions) o, Progress.NONE, cancel));
        attack.use(EvaluateOptions.of(List.of(model), EvaluateOptions.Reading.of(text).withChunks(64, 2)).withContextOptions(context)
                .withAnswers(EvaluateOptions.Answers.exactMatch(data)), (o, cancel) -> Evaluate.run((EvaluateOptions) o, Progress.NONE, cancel));
        attack.use(FinetuneOptions.of(model, data, out).withForce(true).withRun(TrainingRun.defaults().withEpochs(1).withThreads(1)),
                (o, cancel) -> Finetune.run((FinetuneOptions) o, Progress.NONE, cancel));
        attack.use(ExportLoraOptions.of(model, List.of(AdapterSource.of(adapter)), out).withForce(true),
                (o, cancel) -> ExportLora.run((ExportLoraOptions) o, Progress.NONE, cancel));
        attack.use(InfoOptions.of(model), (o, cancel) -> Info.run((InfoOptions) o));
        attack.use(Bench.Request.defaults().withModel(model).withTests(List.of(new Bench.Test(8, 2))).withRepetitions(1).withContextOptions(context),
                (o, cancel) -> Bench.run((Bench.Request) o, Progress.NONE, cancel));
        try (Model loaded = Model.load(model, LoraTrainer.MODEL_OPTIONS); Adapter lora = loaded.loadAdapter(adapter); Session session = loaded.session(context)) {
            attack.use(EmbedOptions.defaults().withContext(context), (o, cancel) -> {
                try (Embedder embedder = loaded.embedder((EmbedOptions) o)) {
                    embedder.embed("list files");
                }
            });
            attack.use(new LoraTrainer.Options(64, 16, false, 0.1f, 1), (o, cancel) -> LoraTrainer.open(loaded, adapter, (LoraTrainer.Options) o).close());
            attack.use(ChatOptions.defaults(), (o, cancel) -> session.chat((ChatOptions) o).send("list files", plain));
            attack.use(new AdapterScale(lora, 1), (scale, cancel) -> session.adapters(List.of((AdapterScale) scale)));
            session.adapters(List.of());
            attack.use(0, (id, cancel) -> loaded.detokenize((Integer) id));
            attack.use(0, (id, cancel) -> loaded.tokenText((Integer) id));
            attack.use(0, (id, cancel) -> loaded.isEndOfGeneration((Integer) id));
            attack.use(0, (id, cancel) -> session.complete(Prompt.tokens((Integer) id), plain, token -> {}, cancel));
        }
        System.out.println((attack.faults == 0 ? "done " : "faults ") + attack.runs + " runs");
    }

    private void use(Object sample, Use use) throws Exception {
        use.with(sample, Cancel.NONE);
        for (Mutant mutant : mutants(sample, sample.getClass())) {
            String what = sample.getClass().getSimpleName() + mutant.where();
            System.out.println(what);
            var cancel = new Cancel();
            try (var timer = Executors.newSingleThreadScheduledExecutor()) {
                timer.schedule(cancel::request, CANCEL_AFTER_SECONDS, TimeUnit.SECONDS);
                try {
                    use.with(mutant.making().make(), cancel);
                } finally {
                    timer.shutdownNow();
                }
            } catch (BridgeException | IOException ours) {
                System.out.println("  " + ours.getMessage().lines().findFirst().orElse(""));
            } catch (Throwable foreign) {
                faults++;
                System.err.println(what);
                foreign.printStackTrace();
            }
            runs++;
        }
    }

    private static Sampling with(Sampling sampling, Record part) throws Exception {
        RecordComponent[] components = Sampling.class.getRecordComponents();
        Object[] values = values(sampling);
        for (int i = 0; i < values.length; i++) {
            values[i] = components[i].getType() == part.getClass() ? part : values[i];
        }
        return (Sampling) constructor(Sampling.class).newInstance(values);
    }

    private static List<Mutant> mutants(Object value, Class<?> type) throws Exception {
        var mutants = new ArrayList<Mutant>();
        switch (value) {
            case Number number -> VALUES.stream().map(v -> as(v, type)).distinct().filter(v -> v != null)
                    .forEach(v -> mutants.add(new Mutant(" = " + v, () -> v)));
            case Record record when record.getClass().getPackageName().equals(NumbersOfRecords.class.getPackageName()) -> ofRecord(record, mutants);
            case Optional<?> optional when optional.isPresent() -> mutants(optional.get(), optional.get().getClass())
                    .forEach(m -> mutants.add(new Mutant(m.where(), () -> Optional.of(m.making().make()))));
            case List<?> list when !list.isEmpty() -> mutants(list.getFirst(), list.getFirst().getClass())
                    .forEach(m -> mutants.add(new Mutant("[0]" + m.where(), () -> List.of(m.making().make()))));
            case Map<?, ?> map when !map.isEmpty() -> ofMap(map.entrySet().iterator().next(), mutants);
            case null, default -> { }
        }
        return mutants;
    }

    private static void ofRecord(Record record, List<Mutant> mutants) throws Exception {
        RecordComponent[] components = record.getClass().getRecordComponents();
        for (int i = 0; i < components.length; i++) {
            int place = i;
            for (Mutant m : mutants(values(record)[i], components[i].getType())) {
                mutants.add(new Mutant("." + components[i].getName() + m.where(), () -> {
                    Object[] changed = values(record);
                    changed[place] = m.making().make();
                    try {
                        return constructor(record.getClass()).newInstance(changed);
                    } catch (InvocationTargetException e) {
                        throw e.getCause() instanceof Exception cause ? cause : e;
                    }
                }));
            }
        }
    }

    private static void ofMap(Map.Entry<?, ?> entry, List<Mutant> mutants) throws Exception {
        for (Mutant m : mutants(entry.getKey(), entry.getKey().getClass())) {
            mutants.add(new Mutant(" key" + m.where(), () -> mapOf(m.making().make(), entry.getValue())));
        }
        for (Mutant m : mutants(entry.getValue(), entry.getValue().getClass())) {
            mutants.add(new Mutant(" value" + m.where(), () -> mapOf(entry.getKey(), m.making().make())));
        }
    }

    private static Map<Object, Object> mapOf(Object key, Object value) {
        var map = new LinkedHashMap<>();
        map.put(key, value);
        return map;
    }

    /** The value in a type that holds it, or null. */
    private static Number as(Number value, Class<?> type) {
        boolean whole = value.doubleValue() == Math.rint(value.doubleValue()) && !Double.isInfinite(value.doubleValue());
        if (type == int.class || type == Integer.class) {
            return whole && value.longValue() == value.intValue() ? value.intValue() : null;
        }
        if (type == long.class || type == Long.class) {
            return whole ? value.longValue() : null;
        }
        return type == float.class || type == Float.class ? (Number) value.floatValue() : (Number) value.doubleValue();
    }

    private static Object[] values(Record record) throws Exception {
        RecordComponent[] components = record.getClass().getRecordComponents();
        var values = new Object[components.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = components[i].getAccessor().invoke(record);
        }
        return values;
    }

    private static Constructor<?> constructor(Class<?> type) throws Exception {
        return type.getDeclaredConstructor(Arrays.stream(type.getRecordComponents()).map(RecordComponent::getType).toArray(Class[]::new));
    }
}
