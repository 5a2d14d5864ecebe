package ai.luciferai.llama.bench;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.GgufWriter;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Makes a Llama of random weights, of about 100 million in Q8_0 or of 1.1 billion in F16: speed depends on shapes and types, not on what a
 * model knows. The same seed gives the same file.
 */
public final class RandomModel {

    private static final int VOCABULARY = 32_000;
    private static final int CONTEXT = 2048;

    /** Sizes of a model; the second has those of TinyLlama 1.1B. */
    private enum Shape {
        SMALL(768, 12, 12, 12, 2048, GgmlType.Q8_0, 7),
        LARGE(2048, 22, 32, 4, 5632, GgmlType.F16, 1);

        private final int embedding;
        private final int layers;
        private final int heads;
        private final int headsKv;
        private final int feedForward;
        private final GgmlType type;
        private final int fileType;

        Shape(int embedding, int layers, int heads, int headsKv, int feedForward, GgmlType type, int fileType) {
            this.embedding = embedding;
            this.layers = layers;
            this.heads = heads;
            this.headsKv = headsKv;
            this.feedForward = feedForward;
            this.type = type;
            this.fileType = fileType;
        }
    }

    /** Q8_0: a half-precision scale, then 32 bytes. */
    private static final int BLOCK = 34;

    /** Scale with which uniform bytes get a standard deviation of 0.02, as after a usual initialisation. */
    private static final float SCALE = 0.02f / 74f;

    private RandomModel() {}

    /** {@code RandomModel OUT.gguf [large]} */
    public static void main(String[] args) throws IOException {
        write(Path.of(args[0]), args.length > 1 ? Shape.valueOf(args[1].toUpperCase(Locale.ROOT)) : Shape.SMALL, 1);
    }

    private static void write(Path path, Shape shape, long seed) throws IOException {
        var random = new SplittableRandom(seed);
        try (var out = AtomicFile.create(path, true, List.of())) {
            var writer = new GgufWriter(out.channel(), metadata(shape), tensors(shape));
            for (TensorInfo tensor : writer.tensors()) {
                writer.write(tensor.name(), 0, MemorySegment.ofArray(data(tensor, random)));
            }
            writer.finish();
            out.commit(Cancel.NONE);
        }
    }

    private static List<TensorInfo> tensors(Shape s) {
        int kv = s.embedding / s.heads * s.headsKv;
        var tensors = new ArrayList<TensorInfo>();
        tensors.add(TensorInfo.of("token_embd.weight", s.type, s.embedding, VOCABULARY));
        for (int i = 0; i < s.layers; i++) {
            String block = "blk." + i + ".";
            tensors.add(TensorInfo.of(block + "attn_norm.weight", GgmlType.F32, s.embedding));
            tensors.add(TensorInfo.of(block + "attn_q.weight", s.type, s.embedding, s.embedding));
            tensors.add(TensorInfo.of(block + "attn_k.weight", s.type, s.embedding, kv));
            tensors.add(TensorInfo.of(block + "attn_v.weight", s.type, s.embedding, kv));
            tensors.add(TensorInfo.of(block + "attn_output.weight", s.type, s.embedding, s.embedding));
            tensors.add(TensorInfo.of(block + "ffn_norm.weight", GgmlType.F32, s.embedding));
            tensors.add(TensorInfo.of(block + "ffn_gate.weight", s.type, s.embedding, s.feedForward));
            tensors.add(TensorInfo.of(block + "ffn_up.weight", s.type, s.embedding, s.feedForward));
            tensors.add(TensorInfo.of(block + "ffn_down.weight", s.type, s.feedForward, s.embedding));
        }
        tensors.add(TensorInfo.of("output_norm.weight", GgmlType.F32, s.embedding));
        if (s == Shape.LARGE) {
            tensors.add(TensorInfo.of("output.weight", s.type, s.embedding, VOCABULARY));
        }
        return tensors;
    }

    private static byte[] data(TensorInfo tensor, SplittableRandom random) {
        var bytes = new byte[Math.toIntExact(tensor.bytes())];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (tensor.type() == GgmlType.F32) {
            while (buffer.hasRemaining()) {
                buffer.putFloat(1f);
            }
            return bytes;
        }
        if (tensor.type() == GgmlType.F16) {
            while (buffer.hasRemaining()) { // uniform, with the same deviation
                buffer.putShort(Float.floatToFloat16((random.nextInt() >> 8) * (0.02f * 1.732f / (1 << 23))));
            }
            return bytes;
        }
        random.nextBytes(bytes);
        short scale = Float.floatToFloat16(SCALE);
        for (int at = 0; at < bytes.length; at += BLOCK) {
            buffer.putShort(at, scale);
        }
        return bytes;
    }

    private static Metadata metadata(Shape s) {
        return Metadata.builder()
                .string("general.architecture", "llama")
                .string("general.name", "random weights")
                .uint32("llama.block_count", s.layers)
                .uint32("llama.context_length", CONTEXT)
                .uint32("llama.embedding_length", s.embedding)
                .uint32("llama.feed_forward_length", s.feedForward)
                .uint32("llama.attention.head_count", s.heads)
                .uint32("llama.attention.head_count_kv", s.headsKv)
                .uint32("llama.rope.dimension_count", s.embedding / s.heads)
                .float32("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .uint32("llama.vocab_size", VOCABULARY)
                .uint32("general.file_type", s.fileType)
                .uint32("general.quantization_version", 2)
                .string("tokenizer.ggml.model", "llama")
                .array("tokenizer.ggml.tokens", GgufArray.ofStrings(pieces()))
                .array("tokenizer.ggml.scores", GgufArray.ofFloat32(new float[VOCABULARY]))
                .array("tokenizer.ggml.token_type", GgufArray.ofInt32(types()))
                .uint32("tokenizer.ggml.bos_token_id", 1)
                .uint32("tokenizer.ggml.eos_token_id", 2)
                .build();
    }

    /** Three control tokens, the 256 bytes, the printable ASCII characters, then invented words. */
    private static List<String> pieces() {
        var pieces = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        for (int i = 0; i < 256; i++) {
            pieces.add("<0x%02X>".formatted(i));
        }
        pieces.add("\u2581");
        for (byte c = '!'; c <= '~'; c++) {
            pieces.add(new String(new byte[] {c}, StandardCharsets.US_ASCII));
        }
        while (pieces.size() < VOCABULARY) {
            pieces.add("\u2581w" + pieces.size());
        }
        return pieces;
    }

    private static int[] types() {
        var types = new int[VOCABULARY];
        for (int i = 0; i < VOCABULARY; i++) {
            types[i] = i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1; // unknown, control, byte, normal
        }
        return types;
    }
}
