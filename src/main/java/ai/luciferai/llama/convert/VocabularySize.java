package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.hf.JsonObject;
import ai.luciferai.llama.hf.ModelConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Makes the vocabulary as long as the embedding, which llama.cpp asks for: the embedding has a row for each token. Where config.json says
 * less or nothing, the rows are counted; tokens without a name are filled in, as {@code vocab_size} would have had them filled in.
 */
final class VocabularySize {

    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String SCORES = "tokenizer.ggml.scores";
    private static final String TYPES = "tokenizer.ggml.token_type";
    private static final System.Logger LOG = System.getLogger(VocabularySize.class.getName());

    private VocabularySize() {}

    /** Rows of the embedding, 0 where there is none. */
    static long rows(List<PlannedTensor> tensors) {
        return tensors.stream().filter(tensor -> tensor.info().name().equals("token_embd.weight")).mapToLong(tensor -> tensor.info().ne(1))
                .findFirst().orElse(0);
    }

    /** Puts {@code vocab_size} right before the tokenizer is read: by the embedding, where the file has less or nothing. */
    static void complete(ModelConfig config, long rows) {
        JsonObject raw = config.raw();
        Object given = raw.objectOrEmpty("text_config").has("vocab_size") ? raw.objectOrEmpty("text_config").get("vocab_size") : raw.get("vocab_size");
        Object used = config.values().get("vocab_size");
        if (rows < 1 || Long.valueOf(rows).equals(used) || given instanceof Long size && size > rows) {
            return;
        }
        LOG.log(System.Logger.Level.WARNING, "{0}: {1}, the embedding has {2} rows: taken as the size of the vocabulary", raw.file(),
                given == null ? "no vocab_size" : "vocab_size is " + given, String.valueOf(rows));
        config.values().values().put("vocab_size", rows);
    }

    /** Fills the written vocabulary up to the rows of the embedding, or takes away what stands for no row and no token. */
    static void fit(Path folder, KeyValues keys, long rows, Object given) {
        Metadata metadata = keys.build();
        if (rows < 1 || !metadata.has(TOKENS)) {
            return;
        }
        GgufArray tokens = metadata.strings(TOKENS);
        int named = metadata.has(TYPES) ? named(tokens, metadata.array(TYPES)) : tokens.length();
        if (named > rows) {
            throw new InvalidFileException(folder, "embedding", "a row for each of the " + named + " tokens of the tokenizer", rows + " rows",
                    Vocabulary.OTHER_TOKENIZER);
        }
        if (tokens.length() != rows) {
            if (given instanceof Long size && size > rows) {
                LOG.log(System.Logger.Level.WARNING, "{0}: vocab_size is {1}, the embedding has {2} rows: the rows count", folder.resolve("config.json"),
                        String.valueOf(size), String.valueOf(rows));
            }
            if (named < rows) {
                LOG.log(System.Logger.Level.WARNING, "{0}: the tokenizer has {1} tokens, the embedding {2} rows: {2} tokens are written, those without a name as [PADn]",
                        folder, String.valueOf(named), String.valueOf(rows));
            }
            resize(keys, metadata, Math.toIntExact(rows));
        }
    }

    /** How many tokens there are up to the last that is not only a filler. */
    private static int named(GgufArray tokens, GgufArray types) {
        int n = tokens.length();
        while (n > 0 && types.integer(n - 1) == TokenTable.UNUSED && tokens.string(n - 1).startsWith("[PAD")) {
            n--;
        }
        return n;
    }

    private static void resize(KeyValues keys, Metadata metadata, int rows) {
        GgufArray tokens = metadata.strings(TOKENS);
        var texts = new ArrayList<byte[]>(rows);
        for (int id = 0; id < rows; id++) {
            texts.add(id < tokens.length() ? tokens.bytes(id) : ("[PAD" + id + "]").getBytes(StandardCharsets.UTF_8));
        }
        keys.array(TOKENS, GgufArray.ofByteStrings(texts));
        if (metadata.has(SCORES)) {
            float[] scores = Arrays.copyOf(metadata.array(SCORES).toFloats(), rows);
            Arrays.fill(scores, Math.min(tokens.length(), rows), rows, -10000);
            keys.array(SCORES, GgufArray.ofFloat32(scores));
        }
        if (metadata.has(TYPES)) {
            int[] types = Arrays.copyOf(metadata.array(TYPES).toInts(), rows);
            Arrays.fill(types, Math.min(tokens.length(), rows), rows, TokenTable.UNUSED);
            keys.array(TYPES, GgufArray.ofInt32(types));
        }
    }
}
