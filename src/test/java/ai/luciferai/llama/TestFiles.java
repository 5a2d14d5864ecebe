package ai.luciferai.llama;

import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.GgufType;
import ai.luciferai.llama.gguf.GgufWriter;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.SplitName;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;

/** Small GGUF files that tests make: seeded weights, no download. */
final class TestFiles {

    private static final int WIDTH = 32;
    private static final int FEED_FORWARD = 64;
    private static final int POSITIONS = 64;
    private static final int LAYERS = 2;

    private TestFiles() {}

    /** Tensors of random numbers, with a factor for each. */
    static Path write(Path file, Metadata metadata, Map<TensorInfo, Float> tensors, long seed) {
        Random random = new Random(seed);
        try (FileChannel channel = open(file)) {
            GgufWriter writer = new GgufWriter(channel, metadata, List.copyOf(tensors.keySet()));
            for (Map.Entry<TensorInfo, Float> tensor : tensors.entrySet()) {
                int n = (int) tensor.getKey().elements();
                ByteBuffer values = ByteBuffer.allocate(n * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                for (int i = 0; i < n; i++) {
                    values.putFloat((float) random.nextGaussian() * tensor.getValue());
                }
                writer.write(tensor.getKey().name(), 0, MemorySegment.ofArray(values.array()));
            }
            writer.finish();
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** A copy of a model with other metadata. */
    static Path copy(Path model, Path file, UnaryOperator<Metadata.Builder> change) {
        try (GgufFile from = GgufReader.read(model)) {
            writePart(file, change.apply(from.metadata().toBuilder()).build(), from.tensors(), from);
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A copy of a file with some of its tensors only. */
    static Path copy(Path model, Path file, List<TensorInfo> kept) {
        try (GgufFile from = GgufReader.read(model)) {
            writePart(file, from.metadata(), kept, from);
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An adapter for the query and value projections of the embedded model's layers, which have [256, 256] and [256, 128]. */
    static Path adapter(Path file, int width, String architecture, float strength, long seed) {
        Metadata metadata = Metadata.builder().string("general.type", "adapter").string("adapter.type", "lora")
                .string("general.architecture", architecture).float32("adapter.lora.alpha", 4f).build();
        Map<TensorInfo, Float> tensors = new LinkedHashMap<>();
        for (int layer = 0; layer < 4; layer++) {
            pair(tensors, "blk." + layer + ".attn_q.weight", width, width, strength);
            pair(tensors, "blk." + layer + ".attn_v.weight", width, width / 2, strength);
        }
        return write(file, metadata, tensors, seed);
    }

    private static void pair(Map<TensorInfo, Float> tensors, String name, int in, int out, float strength) {
        tensors.put(TensorInfo.of(name + ".lora_a", GgmlType.F32, in, 4), strength);
        tensors.put(TensorInfo.of(name + ".lora_b", GgmlType.F32, 4, out), strength);
    }

    /** A BERT of one layer with a vocabulary of ten words; {@code pooling} is {@code enum llama_pooling_type}. */
    static Path encoder(Path file, int pooling) {
        List<String> words = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "\u2581red", "\u2581green", "\u2581blue", "\u2581house",
                "\u2581car", "\u2581sky");
        int[] types = {3, 2, 3, 3, 1, 1, 1, 1, 1, 1};
        Metadata metadata = Metadata.builder().string("general.architecture", "bert").string("general.name", "tiny bert")
                .uint32("bert.context_length", POSITIONS).uint32("bert.embedding_length", WIDTH).uint32("bert.block_count", 1)
                .uint32("bert.feed_forward_length", FEED_FORWARD).uint32("bert.attention.head_count", 2)
                .float32("bert.attention.layer_norm_epsilon", 1e-6f).bool("bert.attention.causal", false)
                .uint32("bert.pooling_type", pooling).uint32("tokenizer.ggml.token_type_count", 2)
                .string("tokenizer.ggml.model", "bert").string("tokenizer.ggml.pre", "default")
                .array("tokenizer.ggml.tokens", GgufArray.ofStrings(words)).array("tokenizer.ggml.token_type", GgufArray.ofInt32(types))
                .uint32("tokenizer.ggml.padding_token_id", 0).uint32("tokenizer.ggml.unknown_token_id", 1)
                .uint32("tokenizer.ggml.cls_token_id", 2).uint32("tokenizer.ggml.bos_token_id", 2)
                .uint32("tokenizer.ggml.seperator_token_id", 3).uint32("tokenizer.ggml.eos_token_id", 3).build();
        Map<TensorInfo, Float> tensors = new LinkedHashMap<>();
        matrix(tensors, "token_embd", WIDTH, words.size());
        matrix(tensors, "token_types", WIDTH, 2);
        matrix(tensors, "position_embd", WIDTH, POSITIONS);
        norm(tensors, "token_embd_norm");
        for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
            linear(tensors, "blk.0." + name, WIDTH, WIDTH);
        }
        norm(tensors, "blk.0.attn_output_norm");
        linear(tensors, "blk.0.ffn_up", WIDTH, FEED_FORWARD);
        linear(tensors, "blk.0.ffn_down", FEED_FORWARD, WIDTH);
        norm(tensors, "blk.0.layer_output_norm");
        return write(file, metadata, tensors, 5);
    }

    /** A Mamba of two layers with the embedded model's vocabulary: its memory cannot go back. */
    static Path recurrent(Path file) {
        int inner = 2 * WIDTH;
        UnaryOperator<Metadata.Builder> sizes = m -> m.uint32("mamba.ssm.conv_kernel", 4).uint32("mamba.ssm.inner_size", inner)
                .uint32("mamba.ssm.state_size", 8).uint32("mamba.ssm.time_step_rank", 4)
                .float32("mamba.attention.layer_norm_rms_epsilon", 1e-5f);
        Map<TensorInfo, Float> tensors = new LinkedHashMap<>();
        matrix(tensors, "token_embd", WIDTH, 1024);
        weight(tensors, "output_norm", 1f, WIDTH);
        for (int i = 0; i < LAYERS; i++) {
            String layer = "blk." + i + ".";
            weight(tensors, layer + "attn_norm", 1f, WIDTH);
            weight(tensors, layer + "ssm_in", 0.3f, WIDTH, 2 * inner);
            weight(tensors, layer + "ssm_conv1d", 0.3f, 4, inner);
            tensors.put(TensorInfo.of(layer + "ssm_conv1d.bias", GgmlType.F32, inner), 0.1f);
            weight(tensors, layer + "ssm_x", 0.3f, inner, 4 + 2 * 8);
            weight(tensors, layer + "ssm_dt", 0.3f, 4, inner);
            tensors.put(TensorInfo.of(layer + "ssm_dt.bias", GgmlType.F32, inner), 0.1f);
            // zero, because a positive one would let the state grow without end
            tensors.put(TensorInfo.of(layer + "ssm_a", GgmlType.F32, 8, inner), 0f);
            tensors.put(TensorInfo.of(layer + "ssm_d", GgmlType.F32, inner), 0.3f);
            weight(tensors, layer + "ssm_out", 0.3f, inner, WIDTH);
        }
        return writeWithTinyVocabulary(file, "mamba", sizes, tensors);
    }

    /** A Command R7B of four layers, three of which see only the last {@code window} tokens. */
    static Path windowed(Path file, int window) {
        UnaryOperator<Metadata.Builder> sizes = m -> m.uint32("cohere2.attention.sliding_window", window)
                .uint32("cohere2.attention.head_count", 2).uint32("cohere2.attention.head_count_kv", 2)
                .uint32("cohere2.feed_forward_length", FEED_FORWARD).uint32("cohere2.rope.dimension_count", WIDTH / 2)
                .uint32("cohere2.block_count", 4).float32("cohere2.logit_scale", 1f)
                .float32("cohere2.attention.layer_norm_epsilon", 1e-5f);
        Map<TensorInfo, Float> tensors = new LinkedHashMap<>();
        matrix(tensors, "token_embd", WIDTH, 1024);
        weight(tensors, "output_norm", 1f, WIDTH);
        for (int i = 0; i < 4; i++) {
            String layer = "blk." + i + ".";
            weight(tensors, layer + "attn_norm", 1f, WIDTH);
            for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
                matrix(tensors, layer + name, WIDTH, WIDTH);
            }
            matrix(tensors, layer + "ffn_gate", WIDTH, FEED_FORWARD);
            matrix(tensors, layer + "ffn_up", WIDTH, FEED_FORWARD);
            matrix(tensors, layer + "ffn_down", FEED_FORWARD, WIDTH);
        }
        return writeWithTinyVocabulary(file, "cohere2", sizes, tensors);
    }

    private static Path writeWithTinyVocabulary(Path file, String architecture, UnaryOperator<Metadata.Builder> sizes,
            Map<TensorInfo, Float> tensors) {
        try (GgufFile tiny = GgufReader.read(EmbeddedModel.path())) {
            Metadata.Builder m = tiny.metadata().toBuilder().string("general.architecture", architecture);
            m.uint32(architecture + ".context_length", 512).uint32(architecture + ".embedding_length", WIDTH)
                    .uint32(architecture + ".block_count", LAYERS);
            return write(file, sizes.apply(m).build(), tensors, 7);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void weight(Map<TensorInfo, Float> tensors, String name, float factor, long... shape) {
        tensors.put(TensorInfo.of(name + ".weight", GgmlType.F32, shape), factor);
    }

    /** A model in three files, the metadata in the first one; the path of that. */
    static Path split(Path model, Path folderAndPrefix) {
        int count = 3;
        try (GgufFile from = GgufReader.read(model)) {
            int each = Math.ceilDiv(from.tensors().size(), count);
            for (int part = 0; part < count; part++) {
                List<TensorInfo> own = from.tensors().subList(part * each, Math.min(from.tensors().size(), (part + 1) * each));
                Metadata.Builder m = (part == 0 ? from.metadata().toBuilder() : Metadata.builder())
                        .integer("split.no", GgufType.UINT16, part).integer("split.count", GgufType.UINT16, count)
                        .integer("split.tensors.count", GgufType.INT32, from.tensors().size());
                writePart(SplitName.of(folderAndPrefix, part, count), m.build(), own, from);
            }
            return SplitName.of(folderAndPrefix, 0, count);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void writePart(Path file, Metadata metadata, List<TensorInfo> tensors, GgufFile from) throws IOException {
        try (FileChannel channel = open(file)) {
            GgufWriter writer = new GgufWriter(channel, metadata, tensors);
            for (TensorInfo tensor : tensors) {
                writer.write(tensor.name(), 0, from.data(tensor));
            }
            writer.finish();
        }
    }

    private static void matrix(Map<TensorInfo, Float> tensors, String name, int in, int out) {
        tensors.put(TensorInfo.of(name + ".weight", GgmlType.F32, in, out), 0.3f);
    }

    private static void linear(Map<TensorInfo, Float> tensors, String name, int in, int out) {
        matrix(tensors, name, in, out);
        tensors.put(TensorInfo.of(name + ".bias", GgmlType.F32, out), 0.1f);
    }

    private static void norm(Map<TensorInfo, Float> tensors, String name) {
        tensors.put(TensorInfo.of(name + ".weight", GgmlType.F32, WIDTH), 1f);
        tensors.put(TensorInfo.of(name + ".bias", GgmlType.F32, WIDTH), 0.1f);
    }
}
