package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Predicate;

/**
 * What must hold before llama.cpp is given a model: everything that it takes for granted and would end the process over, such as a
 * division by a number of the file that is 0, an element type without a kernel, or a failed assertion on a worker thread, where
 * nothing can catch it. What llama.cpp checks itself, with an error that can be caught, is left to it.
 *
 * <p>Found by reading llama.cpp v0.5.0 and by fuzzing it with damaged models of all its architectures. A rule may refuse a file
 * that llama.cpp would load only where no converter writes such a file.
 *
 * <p><i>Errors</i>: {@link InvalidFileException} for what no sound file has, {@link UnsupportedModelException} for what llama.cpp
 * v0.5.0 cannot run.
 */
public final class ModelPreflight {

    /** gguf.cpp looks for duplicates by comparing each with each; the largest models have some thousands. */
    private static final int MAX_PAIRS = 1 << 15;
    private static final int MAX_TENSORS = 1 << 16;
    /** TENSOR_ALIGNMENT of ggml-impl.h, asserted on mapped tensors. */
    private static final int MIN_ALIGNMENT = 32;

    private ModelPreflight() {}

    /** Checks a model as the file has it. */
    public static void check(GgufFile file) {
        check(file, file.metadata());
    }

    /**
     * Checks a model with other metadata than the file's, for overridden keys.
     *
     * @param file     the model
     * @param metadata what llama.cpp will see
     */
    public static void check(GgufFile file, Metadata metadata) {
        requireReadableByLlama(file);
        String architecture = architecture(file, metadata);
        new HparamsCheck(file.path(), name -> file.tensor(name).isPresent(), metadata, architecture).run();
        new VocabularyCheck(metadata).run();
        for (TensorInfo tensor : file.tensors()) {
            requireUsable(file, tensor);
        }
    }

    /**
     * Checks a model that is not written yet.
     *
     * @param path     what errors name
     * @param metadata its pairs
     * @param tensors  whether it will have a tensor of this name
     */
    public static void checkPlanned(Path path, Metadata metadata, Predicate<String> tensors) {
        new HparamsCheck(path, tensors, metadata, metadata.string(Metadata.ARCHITECTURE)).run();
        new VocabularyCheck(metadata).run();
    }

    /** Checks a file of which only the vocabulary is loaded. */
    public static void checkVocabulary(GgufFile file) {
        requireReadableByLlama(file);
        architecture(file, file.metadata());
        new VocabularyCheck(file.metadata()).run();
    }

    /** What llama.cpp's own GGUF reader does not read. */
    static void requireReadableByLlama(GgufFile file) {
        if (file.byteOrder() != ByteOrder.nativeOrder()) {
            throw new UnsupportedModelException(file.path(), "byte order", ByteOrder.nativeOrder() + ", that of this machine",
                    file.byteOrder().toString(), "convert the original model on a machine like this one");
        }
        if (file.metadata().keys().size() > MAX_PAIRS || file.tensors().size() > MAX_TENSORS) {
            throw new InvalidFileException(file.path(), "header",
                    "at most %d metadata pairs and %d tensors".formatted(MAX_PAIRS, MAX_TENSORS),
                    "%d and %d".formatted(file.metadata().keys().size(), file.tensors().size()));
        }
        for (Map.Entry<String, Metadata.Value> pair : file.metadata().values().entrySet()) {
            if (pair.getValue().value() instanceof GgufArray array && array.type() == GgufType.ARRAY) {
                throw new UnsupportedModelException(file.path(), "metadata key '" + pair.getKey() + "'", "arrays of plain values",
                        "an array of arrays");
            }
        }
        if (!file.tensors().isEmpty() && file.alignment() < MIN_ALIGNMENT) {
            throw new UnsupportedModelException(file.path(), "metadata key '" + Metadata.ALIGNMENT + "'",
                    "an alignment of at least " + MIN_ALIGNMENT, Long.toString(file.alignment()));
        }
    }

    private static String architecture(GgufFile file, Metadata metadata) {
        String type = metadata.string("general.type", "model");
        if (type.equals("adapter")) {
            throw new UnsupportedModelException(file.path(), "general.type", "a model", "a LoRA adapter",
                    "load the base model and give this file as its adapter");
        }
        if (type.equals("imatrix")) {
            throw new UnsupportedModelException(file.path(), "general.type", "a model", "an importance matrix",
                    "quantize the model and give this file as --imatrix");
        }
        if (type.equals("training-state")) {
            throw new UnsupportedModelException(file.path(), "general.type", "a model", "the state of a training",
                    "the adapter that was trained lies beside it");
        }
        String architecture = metadata.string(Metadata.ARCHITECTURE);
        if (architecture.equals("clip") || type.equals("mmproj")) {
            throw new UnsupportedModelException(file.path(), "architecture", "a language model", "an image or audio encoder (mmproj)",
                    "give the language model that it belongs to");
        }
        if (Architectures.of(architecture) == null) {
            throw new UnsupportedModelException(file.path(), "architecture", "one that llama.cpp v0.5.0 knows",
                    "'" + architecture + "'");
        }
        return architecture;
    }

    private static void requireUsable(GgufFile file, TensorInfo tensor) {
        if (tensor.elements() == 0) {
            throw new InvalidFileException(file.path(), "tensor '" + tensor.name() + "', shape", "at least one element",
                    tensor.shapeText());
        }
        TensorRole role = TensorRole.of(tensor.name());
        if (!role.takes(tensor.type())) {
            throw new UnsupportedModelException(file.path(), "tensor '" + tensor.name() + "', type",
                    role.expected(), tensor.type().label());
        }
    }
}
