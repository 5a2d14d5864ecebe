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
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Makes models of random weights in the shapes of known ones: speed depends on shapes and types, not on what a model knows. The same
 * arguments give the same file. Values repeat after {@link #PERIOD} bytes, so that a large model is written as fast as the disk takes it.
 */
public final class RandomModel {

    private static final int CONTEXT = 8192;

    /** Bytes of one type after which its values repeat: odd, so that no two rows of a matrix are the same for long. */
    private static final int PERIOD = 16_000_003;

    /** Standard deviation of the weights, as after a usual initialisation. */
    private static final float DEVIATION = 0.02f;

    /** Sizes; {@code experts} 0: a dense Llama, else a Qwen3 mixture of experts, of which 8 are used. */
    private enum Shape {
        SMALL(768, 12, 12, 12, 64, 2048, 32_000, 0, true),
        /** Of TinyLlama 1.1B. */
        LARGE(2048, 22, 32, 4, 64, 5632, 32_000, 0, false),
        /** Of Llama 3 8B. */
        LLAMA_8B(4096, 32, 32, 8, 128, 14_336, 128_256, 0, false),
        /** Of Qwen3 30B-A3B, a quarter of its layers. */
        QWEN3_MOE(2048, 12, 32, 4, 128, 768, 151_936, 128, false);

        private final int embedding;
        private final int layers;
        private final int heads;
        private final int headsKv;
        private final int headSize;
        private final int feedForward;
        private final int vocabulary;
        private final int experts;
        private final boolean tied;

        Shape(int embedding, int layers, int heads, int headsKv, int headSize, int feedForward, int vocabulary, int experts, boolean tied) {
            this.embedding = embedding;
            this.layers = layers;
            this.heads = heads;
            this.headsKv = headsKv;
            this.headSize = headSize;
            this.feedForward = feedForward;
            this.vocabulary = vocabulary;
            this.experts = experts;
            this.tied = tied;
        }

        private String architecture() {
            return experts > 0 ? "qwen3moe" : "llama";
        }
    }

    /** Types of a file: the usual one, that of half of the value and down projections, and the output's. */
    private enum Types {
        Q8_0(GgmlType.Q8_0, GgmlType.Q8_0, 7),
        F16(GgmlType.F16, GgmlType.F16, 1),
        BF16(GgmlType.BF16, GgmlType.BF16, 32),
        /** As llama-quantize mixes them. */
        Q4_K_M(GgmlType.Q4_K, GgmlType.Q6_K, 15);

        private final GgmlType usual;
        private final GgmlType better;
        private final int fileType;

        Types(GgmlType usual, GgmlType better, int fileType) {
            this.usual = usual;
            this.better = better;
            this.fileType = fileType;
        }

        /** llama-quantize: the first and last eighth of the layers, and every third between. */
        private GgmlType inLayer(int i, int layers) {
            return i < layers / 8 || i >= 7 * layers / 8 || (i - layers / 8) % 3 == 2 ? better : usual;
        }
    }

    private final Shape shape;
    private final Types types;
    private final SplittableRandom random = new SplittableRandom(1);
    private final Map<GgmlType, byte[]> values = new EnumMap<>(GgmlType.class);

    private RandomModel(Shape shape, Types types) {
        this.shape = shape;
        this.types = types;
    }

    /** {@code RandomModel OUT.gguf [small|large|llama-8b|qwen3-moe [TYPE]]}; without a type Q8_0, of large F16. */
    public static void main(String[] args) throws IOException {
        Shape shape = args.length > 1 ? Shape.valueOf(args[1].toUpperCase(Locale.ROOT).replace('-', '_')) : Shape.SMALL;
        Types types = args.length > 2 ? Types.valueOf(args[2].toUpperCase(Locale.ROOT)) : shape == Shape.LARGE ? Types.F16 : Types.Q8_0;
        new RandomModel(shape, types).write(Path.of(args[0]));
    }

    private void write(Path path) throws IOException {
        try (var out = AtomicFile.create(path, true, List.of())) {
            var writer = new GgufWriter(out.channel(), metadata(), tensors());
            for (TensorInfo tensor : writer.tensors()) {
                byte[] source = tensor.name().endsWith("ffn_gate_inp.weight") ? router() : values.computeIfAbsent(tensor.type(), this::values);
                int unit = tensor.type().blockBytes();
                for (long at = 0; at < tensor.bytes(); ) {
                    int from = at == 0 ? random.nextInt(source.length / unit) * unit : 0;
                    int length = (int) Math.min(source.length - from, tensor.bytes() - at);
                    writer.write(tensor.name(), at, MemorySegment.ofArray(source).asSlice(from, length));
                    at += length;
                }
            }
            writer.finish();
            out.commit(Cancel.NONE);
        }
    }

    private List<TensorInfo> tensors() {
        Shape s = shape;
        var tensors = new ArrayList<TensorInfo>();
        tensors.add(TensorInfo.of("token_embd.weight", s.tied ? types.better : types.usual, s.embedding, s.vocabulary));
        for (int i = 0; i < s.layers; i++) {
            layer(tensors, "blk." + i + ".", types.inLayer(i, s.layers));
        }
        tensors.add(TensorInfo.of("output_norm.weight", GgmlType.F32, s.embedding));
        if (!s.tied) {
            tensors.add(TensorInfo.of("output.weight", types.better, s.embedding, s.vocabulary));
        }
        return tensors;
    }

    private void layer(List<TensorInfo> tensors, String block, GgmlType better) {
        Shape s = shape;
        GgmlType type = types.usual;
        int queries = s.heads * s.headSize;
        int keys = s.headsKv * s.headSize;
        tensors.add(TensorInfo.of(block + "attn_norm.weight", GgmlType.F32, s.embedding));
        tensors.add(TensorInfo.of(block + "attn_q.weight", type, s.embedding, queries));
        tensors.add(TensorInfo.of(block + "attn_k.weight", type, s.embedding, keys));
        tensors.add(TensorInfo.of(block + "attn_v.weight", better, s.embedding, keys));
        tensors.add(TensorInfo.of(block + "attn_output.weight", type, queries, s.embedding));
        tensors.add(TensorInfo.of(block + "ffn_norm.weight", GgmlType.F32, s.embedding));
        if (s.experts == 0) {
            tensors.add(TensorInfo.of(block + "ffn_gate.weight", type, s.embedding, s.feedForward));
            tensors.add(TensorInfo.of(block + "ffn_up.weight", type, s.embedding, s.feedForward));
            tensors.add(TensorInfo.of(block + "ffn_down.weight", better, s.feedForward, s.embedding));
        } else {
            tensors.add(TensorInfo.of(block + "attn_q_norm.weight", GgmlType.F32, s.headSize));
            tensors.add(TensorInfo.of(block + "attn_k_norm.weight", GgmlType.F32, s.headSize));
            tensors.add(TensorInfo.of(block + "ffn_gate_inp.weight", GgmlType.F32, s.embedding, s.experts));
            tensors.add(TensorInfo.of(block + "ffn_gate_exps.weight", type, s.embedding, s.feedForward, s.experts));
            tensors.add(TensorInfo.of(block + "ffn_up_exps.weight", type, s.embedding, s.feedForward, s.experts));
            tensors.add(TensorInfo.of(block + "ffn_down_exps.weight", better, s.feedForward, s.embedding, s.experts));
        }
    }

    /** Random, so that tokens choose different experts. */
    private byte[] router() {
        var bytes = new byte[shape.embedding * shape.experts * Float.BYTES];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        fill(buffer, () -> buffer.putFloat(uniform()));
        return bytes;
    }

    /** Whole blocks of a type; norms, which are F32, are all ones. */
    private byte[] values(GgmlType type) {
        var bytes = new byte[PERIOD / type.blockBytes() * type.blockBytes()];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        switch (type) {
            case F32 -> fill(buffer, () -> buffer.putFloat(1f));
            case F16 -> fill(buffer, () -> buffer.putShort(Float.floatToFloat16(uniform())));
            case BF16 -> fill(buffer, () -> buffer.putShort((short) (Float.floatToRawIntBits(uniform()) >>> 16)));
            default -> blocks(type, buffer);
        }
        return bytes;
    }

    private static void fill(ByteBuffer buffer, Runnable put) {
        while (buffer.hasRemaining()) {
            put.run();
        }
    }

    private float uniform() {
        return (random.nextInt() >> 8) * (DEVIATION * 1.732f / (1 << 23));
    }

    /** Random bytes, and scales with which they get the deviation: of a byte, of 4 bits times 6 bits, of 6 bits times a byte. */
    private void blocks(GgmlType type, ByteBuffer buffer) {
        random.nextBytes(buffer.array());
        for (int at = 0; at < buffer.capacity(); at += type.blockBytes()) {
            switch (type) {
                case Q8_0 -> buffer.putShort(at, Float.floatToFloat16(DEVIATION / 74));
                case Q4_K -> { // d, dmin; value = d*scale*q - dmin*min, both of 0 to 63, q of 0 to 15
                    buffer.putShort(at, Float.floatToFloat16(DEVIATION / 180));
                    buffer.putShort(at + 2, Float.floatToFloat16(DEVIATION / 24));
                }
                case Q6_K -> buffer.putShort(at + 208, Float.floatToFloat16(DEVIATION / 1370));
                default -> throw new IllegalArgumentException("no random values of type " + type);
            }
        }
    }

    private Metadata metadata() {
        Shape s = shape;
        String a = s.architecture();
        Metadata.Builder builder = Metadata.builder()
                .string("general.architecture", a)
                .string("general.name", "random weights")
                .uint32(a + ".block_count", s.layers)
                .uint32(a + ".context_length", CONTEXT)
                .uint32(a + ".embedding_length", s.embedding)
                .uint32(a + ".feed_forward_length", s.feedForward)
                .uint32(a + ".attention.head_count", s.heads)
                .uint32(a + ".attention.head_count_kv", s.headsKv)
                .uint32(a + ".attention.key_length", s.headSize)
                .uint32(a + ".attention.value_length", s.headSize)
                .uint32(a + ".rope.dimension_count", s.headSize)
                .float32(a + ".attention.layer_norm_rms_epsilon", 1e-5f)
                .uint32(a + ".vocab_size", s.vocabulary);
        if (s.experts > 0) {
            builder.uint32(a + ".expert_count", s.experts).uint32(a + ".expert_used_count", 8)
                    .uint32(a + ".expert_feed_forward_length", s.feedForward);
        }
        return builder.uint32("general.file_type", types.fileType)
                .uint32("general.quantization_version", 2)
                .string("tokenizer.ggml.model", "llama")
                .array("tokenizer.ggml.tokens", GgufArray.ofStrings(pieces()))
                .array("tokenizer.ggml.scores", GgufArray.ofFloat32(new float[s.vocabulary]))
                .array("tokenizer.ggml.token_type", GgufArray.ofInt32(tokenTypes()))
                .uint32("tokenizer.ggml.bos_token_id", 1)
                .uint32("tokenizer.ggml.eos_token_id", 2)
                .build();
    }

    /** Three control tokens, the 256 bytes, the printable ASCII characters, then invented words. */
    private List<String> pieces() {
        var pieces = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        for (int i = 0; i < 256; i++) {
            pieces.add("<0x%02X>".formatted(i));
        }
        pieces.add("\u2581");
        for (byte c = '!'; c <= '~'; c++) {
            pieces.add(new String(new byte[] {c}, StandardCharsets.US_ASCII));
        }
        while (pieces.size() < shape.vocabulary) {
            pieces.add("\u2581w" + pieces.size());
        }
        return pieces;
    }

    private int[] tokenTypes() {
        var types = new int[shape.vocabulary];
        for (int i = 0; i < types.length; i++) {
            types[i] = i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1; // unknown, control, byte, normal
        }
        return types;
    }
}
