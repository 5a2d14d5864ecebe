package ai.luciferai.llama.gguf;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Whole models of a few KB that llama.cpp loads and generates with: a Llama with random weights and a made-up vocabulary. What they
 * say means nothing; what they are is complete, so that every check has something to check.
 */
public final class TinyModel {

    static final int N_EMBD = 16;
    static final int N_HEAD = 2;
    static final int N_FF = 32;
    static final int N_LAYER = 2;
    static final int N_CTX = 64;

    private TinyModel() {}

    /** A model with a SentencePiece vocabulary: byte tokens, some pieces, scores. */
    public static void writeSpm(Path target) throws IOException {
        write(target, spm().build(), tensors(spmTokens().size()));
    }

    /** A model with a vocabulary of these tokens for the given tokenizer. */
    public static void writeVocabulary(Path target, String tokenizer, String... tokens) throws IOException {
        write(target, vocabulary(tokenizer, tokens).build(), tensors(tokens.length));
    }

    /** A LoRA adapter of two matrices, for either model. */
    public static void writeAdapter(Path target) throws IOException {
        write(target, Metadata.builder()
                .string("general.type", "adapter")
                .string(Metadata.ARCHITECTURE, "llama")
                .string("adapter.type", "lora")
                .float32("adapter.lora.alpha", 8)
                .build(), List.of(
                TensorInfo.of("blk.0.attn_q.weight.lora_a", GgmlType.F16, N_EMBD, 4),
                TensorInfo.of("blk.0.attn_q.weight.lora_b", GgmlType.F16, 4, N_EMBD),
                TensorInfo.of("blk.1.ffn_down.weight.lora_a", GgmlType.F32, N_FF, 2),
                TensorInfo.of("blk.1.ffn_down.weight.lora_b", GgmlType.F32, 2, N_EMBD)));
    }

    /** The pairs of the model with a SentencePiece vocabulary. */
    static Metadata.Builder spm() {
        return llama().array("tokenizer.ggml.tokens", GgufArray.ofStrings(spmTokens()))
                .string("tokenizer.ggml.model", "llama")
                .array("tokenizer.ggml.scores", GgufArray.ofFloat32(scores(spmTokens().size())))
                .array("tokenizer.ggml.token_type", GgufArray.ofInt32(spmTypes()))
                .uint32("tokenizer.ggml.bos_token_id", 1)
                .uint32("tokenizer.ggml.eos_token_id", 2)
                .uint32("tokenizer.ggml.unknown_token_id", 0)
                .bool("tokenizer.ggml.add_bos_token", true);
    }

    /** A model with a byte-pair vocabulary: printable characters, some merges. */
    public static void writeBpe(Path target) throws IOException {
        List<String> tokens = bpeTokens();
        write(target, llama().array("tokenizer.ggml.tokens", GgufArray.ofStrings(tokens))
                .string("tokenizer.ggml.model", "gpt2")
                .string("tokenizer.ggml.pre", "gpt-2")
                .array("tokenizer.ggml.merges", GgufArray.ofStrings(List.of("h e", "l l", "he ll", "hell o", "o r")))
                .array("tokenizer.ggml.token_type", GgufArray.ofInt32(bpeTypes(tokens.size())))
                .uint32("tokenizer.ggml.bos_token_id", tokens.size() - 1)
                .uint32("tokenizer.ggml.eos_token_id", tokens.size() - 1)
                .string("tokenizer.chat_template", "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
                .build(), tensors(tokens.size()));
    }

    /** The pairs of a model with a vocabulary of these tokens for the given tokenizer. */
    static Metadata.Builder vocabulary(String tokenizer, String... tokens) {
        return llama().string("tokenizer.ggml.model", tokenizer).array("tokenizer.ggml.tokens", GgufArray.ofStrings(List.of(tokens)));
    }

    /** Pairs of a Llama without vocabulary. */
    static Metadata.Builder llama() {
        return Metadata.builder()
                .string(Metadata.ARCHITECTURE, "llama")
                .string("general.name", "tiny")
                .uint32("general.file_type", 0)
                .uint32("llama.block_count", N_LAYER)
                .uint32("llama.context_length", N_CTX)
                .uint32("llama.embedding_length", N_EMBD)
                .uint32("llama.feed_forward_length", N_FF)
                .uint32("llama.attention.head_count", N_HEAD)
                .uint32("llama.attention.head_count_kv", 1)
                .uint32("llama.rope.dimension_count", N_EMBD / N_HEAD)
                .float32("llama.rope.freq_base", 10000f)
                .float32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    }

    static List<TensorInfo> tensors(long nVocab) {
        var tensors = new ArrayList<TensorInfo>();
        tensors.add(TensorInfo.of("token_embd.weight", GgmlType.F16, N_EMBD, nVocab));
        tensors.add(TensorInfo.of("output_norm.weight", GgmlType.F32, N_EMBD));
        for (int i = 0; i < N_LAYER; i++) {
            String block = "blk." + i + ".";
            tensors.add(TensorInfo.of(block + "attn_norm.weight", GgmlType.F32, N_EMBD));
            tensors.add(TensorInfo.of(block + "attn_q.weight", GgmlType.F16, N_EMBD, N_EMBD));
            tensors.add(TensorInfo.of(block + "attn_k.weight", GgmlType.F16, N_EMBD, N_EMBD / N_HEAD));
            tensors.add(TensorInfo.of(block + "attn_v.weight", GgmlType.F16, N_EMBD, N_EMBD / N_HEAD));
            tensors.add(TensorInfo.of(block + "attn_output.weight", GgmlType.F16, N_EMBD, N_EMBD));
            tensors.add(TensorInfo.of(block + "ffn_norm.weight", GgmlType.F32, N_EMBD));
            tensors.add(TensorInfo.of(block + "ffn_gate.weight", GgmlType.F16, N_EMBD, N_FF));
            tensors.add(TensorInfo.of(block + "ffn_up.weight", GgmlType.F16, N_EMBD, N_FF));
            tensors.add(TensorInfo.of(block + "ffn_down.weight", GgmlType.Q4_0, N_FF, N_EMBD));
        }
        return tensors;
    }

    static List<String> spmTokens() {
        var tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        for (int i = 0; i < 256; i++) {
            tokens.add("<0x%02X>".formatted(i));
        }
        tokens.addAll(List.of("▁", "h", "e", "l", "o", "he", "ll", "hell", "▁hello", "w", "r", "d"));
        return tokens;
    }

    private static int[] spmTypes() {
        int[] types = new int[spmTokens().size()];
        for (int i = 0; i < types.length; i++) {
            types[i] = i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1;
        }
        return types;
    }

    private static float[] scores(int n) {
        float[] scores = new float[n];
        for (int i = 0; i < n; i++) {
            scores[i] = -i;
        }
        return scores;
    }

    private static List<String> bpeTokens() {
        var tokens = new ArrayList<String>();
        for (char c = '!'; c <= '~'; c++) {
            tokens.add(String.valueOf(c));
        }
        tokens.addAll(List.of("Ġ", "Ċ", "he", "ll", "hell", "hello", "or", "<|end|>"));
        return tokens;
    }

    private static int[] bpeTypes(int n) {
        int[] types = new int[n];
        java.util.Arrays.fill(types, 1);
        types[n - 1] = 3;
        return types;
    }

    /** Writes a file with random data in its tensors. */
    static void write(Path target, Metadata metadata, List<TensorInfo> tensors) throws IOException {
        try (var channel = FileChannel.open(target, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ)) {
            var writer = new GgufWriter(channel, metadata, tensors);
            var random = new Random(1);
            for (TensorInfo tensor : writer.tensors()) {
                writer.write(tensor.name(), 0, MemorySegment.ofArray(data(tensor, random)));
            }
            writer.finish();
        }
    }

    /** The file as bytes. */
    static byte[] bytes(Metadata metadata, List<TensorInfo> tensors) throws IOException {
        Path file = Files.createTempFile("tiny", ".gguf");
        try {
            write(file, metadata, tensors);
            return Files.readAllBytes(file);
        } finally {
            Files.delete(file);
        }
    }

    private static byte[] data(TensorInfo tensor, Random random) {
        ByteBuffer out = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        while (out.hasRemaining()) {
            float value = tensor.shape().size() == 1 ? 1f : (float) random.nextGaussian() * 0.1f;
            switch (tensor.type()) {
                case F32 -> out.putFloat(value);
                case F16 -> out.putShort(Float.floatToFloat16(value));
                case Q4_0 -> {
                    byte[] nibbles = new byte[16];
                    random.nextBytes(nibbles);
                    out.putShort(Float.floatToFloat16(0.02f)).put(nibbles);
                }
                default -> out.put((byte) random.nextInt());
            }
        }
        return out.array();
    }
}
