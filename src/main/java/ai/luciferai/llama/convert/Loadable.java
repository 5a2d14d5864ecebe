package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.ModelPreflight;
import ai.luciferai.llama.gguf.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** Whether llama.cpp will load what is about to be written: no conversion ends well with a file that nothing can use. */
final class Loadable {

    private static final System.Logger LOG = System.getLogger(Loadable.class.getName());
    private static final String TOKENS = "tokenizer.ggml.tokens";
    /** A float of a key has one of these ends where only a number above 0 makes sense. */
    private static final Set<String> POSITIVE = Set.of("epsilon", "freq_base", "freq_base_swa", "scaling.factor");

    private Loadable() {}

    /** Checks a model with its tensors. */
    static void check(Path folder, Metadata metadata, List<PlannedTensor> planned) {
        check(folder, metadata, planned, name -> null);
    }

    /** @param original what a tensor of GGUF is called in the checkpoint, or null */
    static void check(Path folder, Metadata metadata, List<PlannedTensor> planned, UnaryOperator<String> original) {
        requireNumbers(metadata);
        requireHeads(metadata);
        requireExperts(metadata);
        checkVocabulary(folder, metadata);
        Map<String, TensorInfo> tensors = planned.stream().map(PlannedTensor::info).collect(Collectors.toMap(TensorInfo::name, info -> info));
        ModelPreflight.checkPlanned(folder, metadata, tensors::containsKey);
        LoadRules.check(folder, metadata, planned.stream().map(PlannedTensor::info).toList(), original);
    }

    /** Checks the part that a file without tensors has. */
    static void checkVocabulary(Path folder, Metadata metadata) {
        String model = metadata.string("tokenizer.ggml.model", "none");
        if (metadata.has(TOKENS)) {
            requireDifferent(folder, metadata.strings(TOKENS));
            requireTokensOfPhi3(folder, metadata);
            tellOfIds(folder, metadata);
        } else if (!model.equals("none") && !model.equals("no_vocab")) {
            throw new InvalidFileException(folder, "tokenizer", "at least one token", "none");
        }
        if (model.equals("gpt2") && !metadata.has("tokenizer.ggml.merges")) {
            throw new InvalidFileException(folder, "tokenizer", "merges, in tokenizer.json or merges.txt", "none",
                    "llama.cpp loads no byte-level vocabulary without them");
        }
    }

    /** llama.cpp passes over an id that no token has, in a line that nobody sees, and takes the one of another model in its place. */
    private static void tellOfIds(Path folder, Metadata metadata) {
        int tokens = metadata.strings(TOKENS).length();
        metadata.values().forEach((key, value) -> {
            if (key.startsWith("tokenizer.ggml.") && key.endsWith("_token_id") && value.value() instanceof Long id && id >= tokens) {
                LOG.log(System.Logger.Level.WARNING, "{0}: {1} is {2}, and there are {3} tokens: llama.cpp will not use it", folder, key, id.toString(),
                        String.valueOf(tokens));
            }
        });
    }

    /** llama.cpp knows Phi-3's tokenizer by the model's name, and then takes these tokens for granted. */
    private static void requireTokensOfPhi3(Path folder, Metadata metadata) {
        String name = metadata.string("general.name", "").toLowerCase(Locale.ROOT);
        if (name.contains("phi-3") || name.contains("phi3")) {
            List<String> lacking = new ArrayList<>(List.of("</s>", "<unk>", "<s>", "<|endoftext|>"));
            lacking.removeAll(metadata.strings(TOKENS).strings());
            if (!lacking.isEmpty()) {
                throw new InvalidFileException(folder, "tokenizer", String.join(", ", lacking) + ", which llama.cpp asks of a model with this name",
                        "a vocabulary without, and the name '" + metadata.string("general.name") + "'", "give another name with --model-name");
            }
        }
    }

    /** llama.cpp ends over a token with two ids. */
    private static void requireDifferent(Path folder, GgufArray tokens) {
        var ids = new HashMap<ByteBuffer, Integer>(2 * tokens.length());
        for (int id = 0; id < tokens.length(); id++) {
            Integer other = ids.put(ByteBuffer.wrap(tokens.bytes(id)), id);
            if (other != null && tokens.byteLength(id) > 0) { // empty ones get names of their own
                throw new InvalidFileException(folder, "tokens " + other + " and " + id, "a text of its own for each id",
                        "'" + tokens.string(id) + "' for both", "rename one of them in the tokenizer's files; llama.cpp loads no vocabulary with a token twice");
            }
        }
    }

    private static void requireNumbers(Metadata metadata) {
        metadata.values().forEach((key, value) -> {
            if (value.value() instanceof Double number && !Double.isFinite(number)) {
                throw metadata.wrong(key, "a finite number", number.toString());
            }
            if (value.value() instanceof Double number && number <= 0 && POSITIVE.stream().anyMatch(key::endsWith)) {
                throw metadata.wrong(key, "a number above 0", number.toString());
            }
        });
    }

    /** Asserted by llama.cpp's load_hparams. */
    private static void requireExperts(Metadata metadata) {
        String name = metadata.string(Metadata.ARCHITECTURE) + ".expert_";
        if (!(metadata.get(name + "count") instanceof Metadata.Value(_, Long experts)) || experts == 0) {
            return;
        }
        long groups = metadata.integer(name + "group_count", 0);
        long used = metadata.integer(name + "group_used_count", 0);
        if (groups >= experts || groups > 1 && experts % groups != 0) {
            throw metadata.wrong(name + "group_count", "a divisor of the " + experts + " experts, and below it", Long.toString(groups));
        }
        if (groups > 1 && (used < 1 || used >= groups)) {
            throw metadata.wrong(name + "group_used_count", "1 to " + (groups - 1) + " of the " + groups + " groups of experts", Long.toString(used));
        }
    }

    /** Each head of keys serves as many heads of queries; the kernel asserts it on a worker thread. */
    private static void requireHeads(Metadata metadata) {
        String name = metadata.string(Metadata.ARCHITECTURE) + ".attention.head_count";
        if (metadata.get(name) instanceof Metadata.Value(_, Long heads) && metadata.get(name + "_kv") instanceof Metadata.Value(_, Long kv)
                && kv > 0 && heads % kv != 0) {
            throw metadata.wrong(name + "_kv", "a divisor of " + heads + ", the number of heads", kv.toString());
        }
    }
}
