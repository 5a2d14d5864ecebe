package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.util.Optional;

/**
 * What must hold before llama.cpp is given a LoRA adapter: that it is one, that it was made for this model's architecture, and that
 * each of its pairs fits a weight of the model.
 *
 * <p>Shapes, innermost first, for a weight [n_in, n_out]: A is [n_in, rank], B is [rank, n_out]. For the token embedding
 * [n_embd, n_vocab], of which rows are looked up, A is [rank, n_vocab] and B is [rank, n_embd]. Weights of experts have a third
 * dimension, and so have their A and B. Where the embedding serves as the output too, llama.cpp applies the same pair to both and
 * asserts: such an adapter is refused.
 *
 * <p><i>Source</i>: llama_adapter_lora_init_impl in src/llama-adapter.cpp of llama.cpp v0.5.0, which leaves the third dimension, the
 * element types and the rank to assertions.
 */
public final class AdapterPreflight {

    private static final String A = ".lora_a";
    private static final String B = ".lora_b";
    private static final String ALPHA = "adapter.lora.alpha";
    private static final String OUTPUT = "output.weight";
    private static final String OTHER_MODEL = "the adapter was made for another model";

    private final GgufFile adapter;
    private final GgufFile base;

    private AdapterPreflight(GgufFile adapter, GgufFile base) {
        this.adapter = adapter;
        this.base = base;
    }

    /**
     * Checks an adapter against a model.
     *
     * @throws InvalidFileException      when it is no adapter, incomplete, or made for another model
     * @throws UnsupportedModelException when llama.cpp cannot read it
     */
    public static void check(GgufFile adapter, GgufFile base) {
        ModelPreflight.requireReadableByLlama(adapter);
        new AdapterPreflight(adapter, base).run();
    }

    private void run() {
        requireText("general.type", "adapter", kind());
        requireText("adapter.type", "lora", "only LoRA adapters are supported");
        requireText(Metadata.ARCHITECTURE, base.metadata().string(Metadata.ARCHITECTURE), OTHER_MODEL);
        requireAlpha();
        int pairs = 0;
        for (TensorInfo tensor : adapter.tensors()) {
            if (tensor.name().endsWith(A)) {
                requirePair(tensor, tensor.name().substring(0, tensor.name().length() - A.length()));
                pairs++;
            } else if (tensor.name().endsWith(B)) {
                String a = tensor.name().substring(0, tensor.name().length() - B.length()) + A;
                present(adapter.tensor(a), a, "a tensor of this name beside " + tensor.name(), "the file is incomplete");
            } else if (!tensor.name().endsWith("_norm.weight")) {
                throw bad(tensor, "a name ending in %s or %s".formatted(A, B), "this name", null);
            }
        }
        if (pairs == 0) {
            throw new InvalidFileException(adapter.path(), "tensors", "at least one pair of %s and %s".formatted(A, B), "none");
        }
    }

    /** What the file is instead, and what for. */
    private String kind() {
        return switch (adapter.metadata().string("general.type", "model")) {
            case "imatrix" -> "this is an importance matrix: quantize takes it as --imatrix";
            case "mmproj" -> "this is an image or audio encoder, which belongs to a model";
            case "training-state" -> "this is the state of a training, not the adapter that was trained";
            default -> "this is no adapter: load it as a model";
        };
    }

    private void requireText(String key, String expected, String hint) {
        String got = adapter.metadata().string(key, "nothing");
        if (!got.equals(expected)) {
            throw new InvalidFileException(adapter.path(), "metadata key '" + key + "'", "'" + expected + "'", "'" + got + "'", hint);
        }
    }

    /** A missing alpha means that the scale is not divided by the rank; one of another type is an assertion. */
    private void requireAlpha() {
        Metadata.Value alpha = adapter.metadata().get(ALPHA);
        if (alpha != null && (alpha.type() != GgufType.FLOAT32 || !Double.isFinite((Double) alpha.value()))) {
            throw adapter.metadata().wrong(ALPHA, "a finite f32", alpha.type().label() + " " + alpha.value());
        }
    }

    private void requirePair(TensorInfo a, String name) {
        if (name.equals(OUTPUT) && base.tensor(OUTPUT).isEmpty()) {
            throw tied(a);
        }
        TensorInfo weight = present(base.tensor(name), a.name(), "a tensor '" + name + "' in " + base.path(), OTHER_MODEL);
        TensorInfo b = present(adapter.tensor(name + B), name + B, "a tensor of this name beside " + a.name(),
                "the file is incomplete");
        requireType(a);
        requireType(b);
        boolean embedding = name.endsWith("token_embd.weight");
        if (embedding && base.tensor(OUTPUT).isEmpty()) {
            throw tied(a);
        }
        long rank = embedding ? a.ne(0) : a.ne(1);
        if (rank == 0) {
            throw bad(a, "a rank above 0", a.shapeText(), null);
        }
        if (embedding) {
            requireShape(a, rank, weight.ne(1), weight);
            requireShape(b, rank, weight.ne(0), weight);
        } else {
            requireShape(a, weight.ne(0), rank, weight);
            requireShape(b, rank, weight.ne(1), weight);
        }
    }

    /** One of the two changes in training, both would here. */
    private UnsupportedModelException tied(TensorInfo a) {
        return new UnsupportedModelException(adapter.path(), "tensor '" + a.name() + "'", "a model with an output.weight of its own",
                base.path() + ", whose token embedding is its output too", "merge the adapter into the model before converting it");
    }

    private TensorInfo present(Optional<TensorInfo> tensor, String name, String expected, String hint) {
        return tensor.orElseThrow(() ->
                new InvalidFileException(adapter.path(), "tensor '" + name + "'", expected, "none", hint));
    }

    private void requireType(TensorInfo tensor) {
        if (!TensorRole.MATRIX.takes(tensor.type())) {
            throw new UnsupportedModelException(adapter.path(), "tensor '" + tensor.name() + "', type",
                    TensorRole.MATRIX.expected(), tensor.type().label());
        }
    }

    private void requireShape(TensorInfo tensor, long ne0, long ne1, TensorInfo weight) {
        if (tensor.ne(0) != ne0 || tensor.ne(1) != ne1 || tensor.ne(2) != weight.ne(2) || tensor.ne(3) != weight.ne(3)) {
            String more = weight.ne(2) == 1 && weight.ne(3) == 1 ? "" : ", %d, %d".formatted(weight.ne(2), weight.ne(3));
            throw bad(tensor, "[%d, %d%s] for the model's %s".formatted(ne0, ne1, more, weight.shapeText()), tensor.shapeText(),
                    OTHER_MODEL);
        }
    }

    private InvalidFileException bad(TensorInfo tensor, String expected, String got, String hint) {
        return new InvalidFileException(adapter.path(), "tensor '" + tensor.name() + "'", expected, got, hint);
    }
}
