package ai.luciferai.llama.convert;

import ai.luciferai.llama.gguf.GgufArray;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The vocabulary of the output: text, score and type of each token, by id. */
final class TokenTable {

    static final int NORMAL = 1;
    static final int UNKNOWN = 2;
    static final int CONTROL = 3;
    static final int USER_DEFINED = 4;
    static final int UNUSED = 5;
    static final int BYTE = 6;

    private final List<byte[]> texts = new ArrayList<>();
    private final List<Float> scores = new ArrayList<>();
    private final List<Integer> types = new ArrayList<>();

    /** A table of holes, {@code [PAD0]} …, with a score. */
    static TokenTable ofHoles(long size, float score) {
        var table = new TokenTable();
        for (long i = 0; i < size; i++) {
            table.add("[PAD" + i + "]", score, UNUSED);
        }
        return table;
    }

    void add(String text, float score, int type) {
        add(text.getBytes(StandardCharsets.UTF_8), score, type);
    }

    void add(byte[] text, float score, int type) {
        texts.add(text);
        scores.add(score);
        types.add(type);
    }

    void set(int id, byte[] text, float score, int type) {
        texts.set(id, text);
        scores.set(id, score);
        types.set(id, type);
    }

    void set(int id, String text, float score, int type) {
        set(id, text.getBytes(StandardCharsets.UTF_8), score, type);
    }

    int size() {
        return texts.size();
    }

    int type(int id) {
        return types.get(id);
    }

    String text(int id) {
        return new String(texts.get(id), StandardCharsets.UTF_8);
    }

    float score(int id) {
        return scores.get(id);
    }

    /** Takes the last token off. */
    void removeLast() {
        texts.removeLast();
        scores.removeLast();
        types.removeLast();
    }

    /** Writes tokens, scores where the model has them, and types. */
    void write(KeyValues keys, boolean withScores) {
        keys.array("tokenizer.ggml.tokens", GgufArray.ofByteStrings(texts));
        if (withScores) {
            float[] numbers = new float[scores.size()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = scores.get(i);
            }
            keys.array("tokenizer.ggml.scores", GgufArray.ofFloat32(numbers));
        }
        keys.array("tokenizer.ggml.token_type", GgufArray.ofInt32(types.stream().mapToInt(Integer::intValue).toArray()));
    }

    /** Whether a token that is not marked as special is one by its looks. */
    static boolean looksSpecial(String token) {
        return List.of("<pad>", "<mask>", "<2mass>", "[@BOS@]").contains(token)
                || token.startsWith("<|") && token.endsWith("|>")
                || token.startsWith("<｜") && token.endsWith("｜>")
                || token.startsWith("<unused") && token.endsWith(">");
    }
}
