package ai.luciferai.llama;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.ImportanceMatrix;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Small models of architectures for which llama.cpp chooses types by rules of their own, with importance matrices of made-up numbers. The
 * same seeds give the same bytes. They stand in one place, because a quantized file names its importance matrix as it was given.
 */
final class QuantizeModels {

    static final Path FOLDER = Path.of("target/quantize-models");
    static final List<String> NAMES = List.of("mixtral", "falcon", "odd", "mamba");

    private static final int WIDTH = 256;
    private static final int LAYERS = 2;
    private static final int WORDS = 1024;

    private QuantizeModels() {}

    /** Makes what is missing. */
    public static void main(String[] args) throws IOException {
        for (String name : NAMES) {
            model(name);
        }
        split();
    }

    static synchronized Path model(String name) throws IOException {
        Files.createDirectories(FOLDER);
        Path file = FOLDER.resolve(name + ".gguf");
        if (!Files.exists(file)) {
            Map<TensorInfo, Float> tensors = tensors(name);
            imatrix(importance(name), tensors.keySet());
            try (GgufFile tiny = GgufReader.read(EmbeddedModel.path())) { // its vocabulary
                TestFiles.write(file, metadata(name, tiny), tensors, 11);
            }
        }
        return file;
    }

    static Path importance(String name) {
        return FOLDER.resolve(name + ".imatrix.gguf");
    }

    /** A model in three parts; the first of them. */
    static synchronized Path split() throws IOException {
        Path first = FOLDER.resolve("odd-00001-of-00003.gguf");
        return Files.exists(first) ? first : TestFiles.split(model("odd"), FOLDER.resolve("odd"));
    }

    private static Metadata metadata(String name, GgufFile tiny) {
        String arch = switch (name) {
            case "mixtral" -> "llama";
            case "odd" -> "qwen2";
            default -> name;
        };
        Metadata.Builder m = tiny.metadata().toBuilder().string(Metadata.ARCHITECTURE, arch).uint32(arch + ".context_length", 512)
                .uint32(arch + ".embedding_length", WIDTH).uint32(arch + ".block_count", LAYERS)
                .uint32(arch + ".feed_forward_length", columns(name)).uint32(arch + ".attention.head_count", 4)
                .uint32(arch + ".attention.head_count_kv", name.equals("mixtral") ? 1 : 4).uint32(arch + ".rope.dimension_count", 64)
                .float32(arch + ".attention.layer_norm_rms_epsilon", 1e-5f).float32(arch + ".attention.layer_norm_epsilon", 1e-5f);
        if (name.equals("mixtral")) {
            m.uint32("llama.expert_count", 8).uint32("llama.expert_used_count", 2);
        }
        if (name.equals("mamba")) {
            m.uint32("mamba.ssm.conv_kernel", 4).uint32("mamba.ssm.inner_size", 2 * WIDTH).uint32("mamba.ssm.state_size", 16)
                    .uint32("mamba.ssm.time_step_rank", 16);
        }
        return m.build();
    }

    /** Of ffn_down's rows: 288 is no multiple of 256, so that K-quants fall back to other types. */
    private static int columns(String name) {
        return name.equals("odd") ? 288 : name.equals("falcon") ? 1024 : 256;
    }

    private static Map<TensorInfo, Float> tensors(String name) {
        var tensors = new LinkedHashMap<TensorInfo, Float>();
        matrix(tensors, "token_embd", WIDTH, WORDS);
        norm(tensors, "output_norm");
        if (name.equals("mixtral")) {
            matrix(tensors, "output", WIDTH, WORDS);
        }
        for (int i = 0; i < LAYERS; i++) {
            String block = "blk." + i + ".";
            norm(tensors, block + "attn_norm");
            switch (name) {
                case "mamba" -> mamba(tensors, block);
                case "falcon" -> falcon(tensors, block);
                default -> attention(tensors, block, name);
            }
        }
        return tensors;
    }

    private static void attention(Map<TensorInfo, Float> tensors, String block, String name) {
        boolean experts = name.equals("mixtral");
        matrix(tensors, block + "attn_q", WIDTH, WIDTH);
        matrix(tensors, block + "attn_k", WIDTH, experts ? 64 : WIDTH);
        matrix(tensors, block + "attn_v", WIDTH, experts ? 64 : WIDTH);
        matrix(tensors, block + "attn_output", WIDTH, WIDTH);
        norm(tensors, block + "ffn_norm");
        int columns = columns(name);
        if (experts) {
            matrix(tensors, block + "ffn_gate_inp", WIDTH, 8);
            matrix(tensors, block + "ffn_gate_exps", WIDTH, columns, 8);
            matrix(tensors, block + "ffn_down_exps", columns, WIDTH, 8);
            matrix(tensors, block + "ffn_up_exps", WIDTH, columns, 8);
        } else {
            matrix(tensors, block + "ffn_gate", WIDTH, columns);
            matrix(tensors, block + "ffn_down", columns, WIDTH);
            matrix(tensors, block + "ffn_up", WIDTH, columns);
            matrix(tensors, block + "ffn_extra", 40, 8); // no multiple of 32 either: it becomes F16
        }
    }

    private static void falcon(Map<TensorInfo, Float> tensors, String block) {
        matrix(tensors, block + "attn_qkv", WIDTH, 3 * WIDTH);
        matrix(tensors, block + "attn_output", WIDTH, WIDTH);
        matrix(tensors, block + "ffn_down", columns("falcon"), WIDTH);
        matrix(tensors, block + "ffn_up", WIDTH, columns("falcon"));
    }

    private static void mamba(Map<TensorInfo, Float> tensors, String block) {
        matrix(tensors, block + "ssm_in", WIDTH, 4 * WIDTH);
        matrix(tensors, block + "ssm_conv1d", 4, 2 * WIDTH);
        matrix(tensors, block + "ssm_x", 2 * WIDTH, 16 + 2 * 16);
        matrix(tensors, block + "ssm_dt", 16, 2 * WIDTH);
        matrix(tensors, block + "ssm_out", 2 * WIDTH, WIDTH);
    }

    private static void matrix(Map<TensorInfo, Float> tensors, String name, long... shape) {
        tensors.put(TensorInfo.of(name + ".weight", GgmlType.F32, shape), 0.02f);
    }

    private static void norm(Map<TensorInfo, Float> tensors, String name) {
        tensors.put(TensorInfo.of(name + ".weight", GgmlType.F32, WIDTH), 1f);
    }

    private static void imatrix(Path file, Iterable<TensorInfo> tensors) throws IOException {
        var random = new Random(13);
        var matrix = new ImportanceMatrix(512);
        for (TensorInfo tensor : tensors) {
            if (tensor.shape().size() > 1 && tensor.name().startsWith("blk.")) {
                int experts = (int) tensor.ne(2);
                var sums = new float[(int) tensor.ne(0) * experts];
                for (int i = 0; i < sums.length; i++) {
                    sums[i] = 1 + 100 * random.nextFloat();
                }
                var counts = new long[experts];
                Arrays.fill(counts, 512 * 3);
                matrix.put(tensor.name(), new ImportanceMatrix.Entry(sums, counts));
            }
        }
        try (AtomicFile out = AtomicFile.create(file, true, List.of())) {
            matrix.write(out, "made-up.txt");
            out.commit();
        }
    }
}
