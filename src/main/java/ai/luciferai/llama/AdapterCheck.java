package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.TensorInfo;
import java.util.Optional;

/**
 * Compares a LoRA adapter with the model that it is to change: A is [n_in, rank], B is [rank, n_out], innermost dimension first, for a
 * weight [n_in, n_out].
 */
final class AdapterCheck {

    private static final String A = ".lora_a";
    private static final String B = ".lora_b";

    private AdapterCheck() {}

    static void check(GgufFile adapter, GgufFile model) {
        requireValue(adapter, "general.type", "adapter");
        requireValue(adapter, "adapter.type", "lora");
        String architecture = model.metadata().string("general.architecture", "");
        requireValue(adapter, "general.architecture", architecture);
        for (TensorInfo tensor : adapter.tensors()) {
            if (tensor.name().endsWith(A)) {
                checkPair(adapter, model, tensor, tensor.name().substring(0, tensor.name().length() - A.length()));
            }
        }
    }

    private static void requireValue(GgufFile adapter, String key, String expected) {
        String got = adapter.metadata().string(key, "nothing");
        if (!got.equals(expected)) {
            throw new InvalidFileException(adapter.path(), "metadata key '" + key + "'", "'" + expected + "'", "'" + got + "'",
                    key.equals("general.architecture") ? "the adapter was made for another model" : "this is no LoRA adapter");
        }
    }

    private static void checkPair(GgufFile adapter, GgufFile model, TensorInfo a, String name) {
        TensorInfo base = present(model.tensor(name), adapter, a.name(), "a tensor '" + name + "' in " + model.path());
        TensorInfo b = present(adapter.tensor(name + B), adapter, name + B, "a tensor of this name");
        if (name.endsWith("token_embd.weight")) {
            // an embedding is looked up, not multiplied: A and B change places
            requireSize(adapter, a, a.ne(1) == base.ne(1), base);
            requireSize(adapter, b, b.ne(1) == base.ne(0), base);
            return;
        }
        requireSize(adapter, a, a.ne(0) == base.ne(0), base);
        requireSize(adapter, b, b.ne(0) == a.ne(1) && b.ne(1) == base.ne(1), base);
    }

    private static TensorInfo present(Optional<TensorInfo> tensor, GgufFile adapter, String name, String expected) {
        return tensor.orElseThrow(() -> new InvalidFileException(adapter.path(), "tensor '" + name + "'", expected, "none",
                "the adapter was made for another model"));
    }

    private static void requireSize(GgufFile adapter, TensorInfo tensor, boolean fits, TensorInfo base) {
        if (!fits) {
            throw new InvalidFileException(adapter.path(), "tensor '" + tensor.name() + "'",
                    "a shape that fits the model's " + base.shapeText(), tensor.shapeText(),
                    "the adapter was made for another model");
        }
    }
}
