package ai.luciferai.llama.train;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Sha256;
import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.GgufType;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A training that was stopped, as a GGUF file: the adapter's values, AdamW's moments, and how far it was. The order of the data and
 * the dropout masks follow from the seed and the step, so nothing more is needed to go on bit for bit.
 *
 * @param base      what identifies the base model: see {@link #fingerprint}
 * @param settings  the options that the rest of the training depends on, as text
 * @param step      steps done
 * @param updates   steps that changed the adapter: AdamW's count
 * @param history   loss of each step so far
 * @param bestLoss  best evaluation so far, NaN: none
 * @param badEvals  evaluations since then
 * @param tensors   values; names with {@code .m} and {@code .v} hold the moments, with {@code .best} the best values so far
 */
public record TrainingState(String base, String settings, int step, long updates, double[] history, double bestLoss, int badEvals,
        List<AdapterFile.Tensor> tensors) {

    private static final String TYPE = "training-state";

    public TrainingState {
        tensors = List.copyOf(tensors);
    }

    /** Tells bases apart: architecture and every tensor's name, type and shape. */
    public static String fingerprint(GgufFile base) {
        var text = new StringBuilder(base.metadata().string(Metadata.ARCHITECTURE));
        for (TensorInfo t : base.tensors()) {
            text.append(' ').append(t.name()).append(t.type()).append(t.shape());
        }
        return Sha256.hex(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Writes it, in place of an older one. */
    public void write(Path path) throws IOException {
        Metadata metadata = Metadata.builder().string(Metadata.ARCHITECTURE, "lora").string("general.type", TYPE)
                .string("training.base", base).string("training.settings", settings)
                .integer("training.step", GgufType.INT32, step)
                .integer("training.updates", GgufType.INT64, updates).array("training.loss", GgufArray.ofFloat64(history))
                .float64("training.best_loss", bestLoss).integer("training.bad_evals", GgufType.INT32, badEvals).build();
        try (AtomicFile file = AtomicFile.create(path, true, List.of())) {
            AdapterFile.write(file, metadata, tensors);
            file.commit();
        }
    }

    /**
     * Reads one back.
     *
     * @throws InvalidFileException missing, damaged, of another base, or of a training with other settings
     */
    public static TrainingState read(Path path, String base, String settings) throws IOException {
        try (GgufFile file = GgufReader.read(path)) {
            Metadata m = file.metadata();
            require(path, "general.type", TYPE, m.string("general.type", "none"));
            require(path, "training.base", "the state of a training on this base model", m.string("training.base"), base);
            require(path, "training.settings", settings, m.string("training.settings"));
            var tensors = new ArrayList<AdapterFile.Tensor>();
            for (TensorInfo t : file.tensors()) {
                require(path, "tensor '" + t.name() + "'", "f32", t.type().label());
                tensors.add(new AdapterFile.Tensor(t.name(), t.ne(0), t.ne(1), file.data(t)
                        .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN))));
            }
            double[] history = doubles(m.array("training.loss"));
            long step = m.integer("training.step");
            long updates = m.integer("training.updates");
            require(path, "training.step", String.valueOf(history.length), String.valueOf(step));
            if (updates < 0 || updates > step) {
                throw new InvalidFileException(path, "metadata key 'training.updates'", "0 to " + step, String.valueOf(updates));
            }
            return new TrainingState(base, settings, (int) step, updates, history, m.number("training.best_loss"),
                    Math.toIntExact(Math.clamp(m.integer("training.bad_evals"), 0, Integer.MAX_VALUE)), tensors);
        }
    }

    private static double[] doubles(GgufArray array) {
        double[] values = new double[array.length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.number(i);
        }
        return values;
    }

    private static void require(Path path, String where, String expected, String got) {
        require(path, where, expected, got, expected);
    }

    private static void require(Path path, String where, String expected, String got, String wanted) {
        if (!got.equals(wanted)) {
            throw new InvalidFileException(path, "metadata key '" + where + "'", expected, got,
                    "resume with the options and the base model that the training was started with", null);
        }
    }

    /** Values of the tensors whose names end in the suffix, in the order of these names. */
    public List<float[]> values(List<String> names, String suffix, Path path) {
        var found = new ArrayList<float[]>();
        for (String name : names) {
            AdapterFile.Tensor tensor = tensors.stream().filter(t -> t.name().equals(name + suffix)).findFirst()
                    .orElseThrow(() -> new InvalidFileException(path, "tensors", "tensor " + name + suffix, "none of that name"));
            found.add(tensor.values());
        }
        return found;
    }
}
