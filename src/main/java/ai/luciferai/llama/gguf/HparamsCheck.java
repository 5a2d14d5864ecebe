package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.InvalidFileException;
import java.nio.file.Path;
import java.util.function.Predicate;

/** The part of {@link ModelPreflight} for the numbers that describe the network. */
final class HparamsCheck {

    /** LLAMA_MAX_LAYERS of llama-hparams.h. */
    private static final int MAX_LAYERS = 512;
    /** LLAMA_MAX_EXPERTS of llama-hparams.h. */
    private static final int MAX_EXPERTS = 1024;
    /** Keeps products of two sizes, and sizes in bytes of one layer, far from overflow. */
    private static final long MAX_SIZE = 1 << 24;

    private static final String SECTIONS = "rope.dimension_sections";
    private static final String[] EPSILONS = {"attention.layer_norm_epsilon", "attention.layer_norm_rms_epsilon",
            "attention.group_norm_epsilon", "hyper_connection.epsilon"};

    private final Path path;
    private final Predicate<String> tensors;
    private final Metadata metadata;
    private final String architecture;

    /** @param tensors whether the model has a tensor of this name */
    HparamsCheck(Path path, Predicate<String> tensors, Metadata metadata, String architecture) {
        this.path = path;
        this.tensors = tensors;
        this.metadata = metadata;
        this.architecture = architecture;
    }

    void run() {
        long layers = requireWithin("block_count", 1, MAX_LAYERS);
        requireWithin("context_length", 1, Integer.MAX_VALUE);
        requireWithin("embedding_length", 1, MAX_SIZE);
        if (metadata.has(key("nextn_predict_layers"))) {
            requireWithin("nextn_predict_layers", 0, layers - 1);
        }
        requireNonZero();
        requireCompanions(layers);
        requireEpsilons();
        requireExperts(layers);
        requireRope();
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private long requireWithin(String name, long min, long max) {
        long value = metadata.integer(key(name));
        if (value < min || value > max) {
            throw metadata.wrong(key(name), "a number from %d to %d".formatted(min, max), Long.toString(value));
        }
        return value;
    }

    private void requireNonZero() {
        for (String name : Architectures.of(architecture).nonZero()) {
            if (!name.equals(SECTIONS) && element(name, 0, 0) == 0) {
                throw metadata.wrong(key(name), "a number above 0", metadata.has(key(name)) ? "0" : "no such key");
            }
        }
    }

    private void requireCompanions(long layers) {
        for (Architectures.Companion companion : Architectures.of(architecture).companions()) {
            for (int i = 0; i < layers; i++) {
                String present = "blk." + i + "." + companion.present();
                String needed = "blk." + i + "." + companion.needed();
                if (tensors.test(present) && !tensors.test(needed)) {
                    throw new InvalidFileException(path, "tensor '" + needed + "'", "a tensor of this name beside " + present,
                            "none");
                }
            }
        }
    }

    /** A number, or the one for layer {@code i} where the file has a number per layer. */
    private long element(String name, int i, long fallback) {
        Metadata.Value value = metadata.get(key(name));
        if (value == null) {
            return fallback;
        }
        if (!(value.value() instanceof GgufArray array)) {
            return metadata.integer(key(name));
        }
        if (array.type() == GgufType.BOOL) {
            return i < array.length() && array.bool(i) ? 1 : 0;
        }
        if (!array.type().isInteger()) {
            throw metadata.wrong(key(name), "whole numbers", "array " + array);
        }
        return i < array.length() ? array.integer(i) : fallback;
    }

    /** Asserted by the kernels of the norms, on a worker thread. */
    private void requireEpsilons() {
        for (String name : EPSILONS) {
            if (metadata.has(key(name))) {
                double value = metadata.number(key(name));
                if (!(value >= 0) || Double.isInfinite(value)) {
                    throw metadata.wrong(key(name), "a number of at least 0", Double.toString(value));
                }
            }
        }
    }

    /** A layer with a router and no experts to route to builds a graph with a hole. */
    private void requireExperts(long layers) {
        long experts = metadata.has(key("expert_count")) ? requireWithin("expert_count", 0, MAX_EXPERTS) : 0;
        for (int i = 0; i < layers; i++) {
            long used = element("expert_used_count", i, 0);
            if (tensors.test("blk." + i + ".ffn_gate_inp.weight") && (used < 1 || used > experts)) {
                throw metadata.wrong(key("expert_used_count"), "1 to %d experts for layer %d".formatted(experts, i),
                        Long.toString(used));
            }
        }
    }

    /** The kernel of RoPE asserts pairs of dimensions within the head, on a worker thread, and never ends with no dimensions. */
    private void requireRope() {
        long heads = element("attention.head_count", 0, 0);
        if (heads == 0) {
            return;
        }
        long keyLength = metadata.integer(key("attention.key_length"), metadata.integer(key("embedding_length")) / heads);
        long rotated = metadata.integer(key("rope.dimension_count"), keyLength);
        requireRotated("rope.dimension_count", rotated, keyLength);
        long keyLengthSwa = metadata.integer(key("attention.key_length_swa"), keyLength);
        requireRotated("rope.dimension_count_swa", metadata.integer(key("rope.dimension_count_swa"), rotated), keyLengthSwa);
        long indexerLength = metadata.integer(key("attention.indexer.key_length"), 0);
        if (indexerLength > 0) {
            requireRotated("rope.dimension_count", rotated, indexerLength);
        }
        requireSections(keyLength);
    }

    private void requireRotated(String name, long rotated, long keyLength) {
        if (rotated % 2 != 0 || rotated < 2 || rotated > keyLength) {
            throw metadata.wrong(key(name), "an even number from 2 to %d, the length of a key".formatted(keyLength),
                    Long.toString(rotated));
        }
    }

    /** The kernel of RoPE for images takes positions modulo their sum, and asserts that one of the first three is there. */
    private void requireSections(long keyLength) {
        String name = key(SECTIONS);
        boolean required = Architectures.of(architecture).nonZero().contains(SECTIONS);
        if (!metadata.has(name) || !(metadata.get(name).value() instanceof GgufArray sections)) {
            if (required) {
                throw metadata.wrong(name, "an array of section sizes", metadata.has(name) ? "another value" : "no such key");
            }
            return;
        }
        long sum = 0;
        long firstThree = 0;
        for (int i = 0; i < sections.length(); i++) {
            long section = sections.type().isInteger() ? sections.integer(i) : -1;
            if (section < 0 || section > MAX_SIZE) {
                throw new InvalidFileException(path, "metadata key '" + name + "'", "whole numbers of at least 0",
                        sections.list().toString());
            }
            sum += section;
            firstThree += i < 3 ? section : 0;
        }
        if (required && (firstThree == 0 || sum > keyLength)) {
            throw new InvalidFileException(path, "metadata key '" + name + "'",
                    "one of the first three above 0, and a sum of at most %d, the length of a key".formatted(keyLength),
                    sections.list().toString());
        }
    }
}
