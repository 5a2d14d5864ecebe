package ai.luciferai.llama.gguf;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Makes damaged files out of a sound one, each from a seed: a third by changing bytes of the header, the others by changing what the
 * header says and laying the file out anew, so that the damage gets past the checks of the format to those of the meaning.
 */
public final class GgufMutator {

    private static final String[] ARCHITECTURES = {
            "clip", "llama", "llama4", "deci", "falcon", "grok", "gpt2", "gptj", "gptneox", "mpt", "baichuan", "starcoder",
            "refact", "bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3",
            "eurobert", "bloom", "stablelm", "qwen", "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "qwen3next",
            "qwen3vl", "qwen3vlmoe", "qwen35", "qwen35moe", "qwen4exp", "phi2", "phi3", "phimoe", "plamo", "plamo2", "plamo3",
            "codeshell", "orion", "internlm2", "minicpm", "minicpm3", "gemma", "gemma2", "gemma3", "gemma3n", "gemma4",
            "gemma4-assistant", "gemma-embedding", "starcoder2", "mamba", "mamba2", "maple", "jamba", "falcon-h1", "xverse",
            "command-r", "cohere2", "cohere2moe", "dbrx", "olmo", "olmo2", "olmoe", "muse-glimmer", "openelm", "arctic",
            "deepseek", "deepseek2", "deepseek2-ocr", "deepseek32", "deepseek4", "chatglm", "glm4", "glm4moe", "glm-dsa",
            "bitnet", "t5", "t5encoder", "jais", "jais2", "nemotron", "nemotron_h", "nemotron_h_moe", "exaone", "exaone4",
            "exaone-moe", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7", "granite", "granitemoe", "granitehybrid", "graniteswitch",
            "granite_swa", "chameleon", "wavtokenizer-dec", "plm", "bailingmoe", "bailingmoe2", "bailingmoe3", "dots1",
            "dots3note", "arcee", "afmoe", "laguna", "ernie4_5", "ernie4_5-moe", "hunyuan-moe", "hunyuan-dense", "hunyuan_vl",
            "hy_v3", "hy_v4", "smollm3", "gpt-oss", "lfm2", "lfm2moe", "dream", "smallthinker", "llada", "llada-moe",
            "seed_oss", "grovemoe", "apertus", "minimax-01", "hrm_text", "minimax-m2", "minimax-m3", "cogvlm", "rnd1",
            "pangu-embedded", "mistral3", "eagle3", "dflash", "mistral4", "paddleocr", "mimo2", "step35", "spark2_5",
            "llama-embed", "maincoder", "kimi-linear", "kimi-k3", "talkie", "mellum", "nanbeige", "qwen3tts", "pockettts",
            "(unknown)"};

    /** Keys that llama.cpp v0.5.0 reads, without the architecture's prefix. */
    private static final String[] ARCHITECTURE_KEYS = {
            "vocab_size", "context_length", "embedding_length", "embedding_length_out", "embedding_length_per_layer_input",
            "features_length", "block_count", "leading_dense_block_count", "attn_res.block_size", "activation.situ_beta",
            "activation.situ_linear_beta", "feed_forward_length", "expert_feed_forward_length",
            "expert_shared_feed_forward_length", "expert_chunk_feed_forward_length", "swiglu_clamp_exp", "swiglu_clamp_shexp",
            "use_parallel_residual", "tensor_data_layout", "expert_count", "expert_used_count", "expert_shared_count",
            "expert_group_count", "expert_group_used_count", "expert_weights_scale", "expert_weights_norm",
            "expert_latent_length", "expert_gating_func", "expert_group_scale", "experts_per_group", "moe_every_n_layers",
            "moe_latent_size", "nextn_predict_layers", "n_deepstack_layers", "deepstack_mapping", "hidden_activation",
            "pooling_type", "logit_scale", "decoder_start_token_id", "decoder_block_count", "attn_logit_softcapping",
            "router_logit_softcapping", "final_logit_softcapping", "swin_norm", "rescale_every_n_layers", "time_mix_extra_dim",
            "time_decay_extra_dim", "residual_scale", "embedding_scale", "adapters.count", "adapters.token_ids_activate",
            "adapters.token_ids_substitute", "adapters.lora_rank", "adapters.router_gain", "token_shift_count",
            "interleave_moe_layer_step", "full_attention_interval", "num_loops", "skip_loop_final_norm",
            "hrm.layers_per_stack", "hrm.h_cycles", "hrm.l_cycles", "hrm.prefix_lm", "attention.head_count",
            "attention.head_count_kv", "attention.max_alibi_bias", "attention.clamp_kqv", "attention.key_length",
            "attention.value_length", "attention.layer_norm_epsilon", "attention.layer_norm_rms_epsilon",
            "attention.group_norm_epsilon", "attention.group_norm_groups", "attention.causal", "attention.q_lora_rank",
            "attention.kv_lora_rank", "attention.decay_lora_rank", "attention.iclr_lora_rank",
            "attention.value_residual_mix_lora_rank", "attention.gate_lora_rank", "attention.relative_buckets_count",
            "attention.sliding_window", "attention.sliding_window_pattern", "attention.rope_pattern", "attention.scale",
            "attention.output_scale", "attention.value_scale", "attention.temperature_length", "attention.temperature_scale",
            "attention.key_length_mla", "attention.value_length_mla", "attention.key_length_swa", "attention.value_length_swa",
            "attention.key_length_mla_swa", "attention.value_length_mla_swa", "attention.kv_lora_rank_swa",
            "attention.indexer.head_count", "attention.indexer.key_length", "attention.indexer.top_k",
            "attention.indexer.block_size", "attention.indexer.local_blocks", "attention.indexer.types",
            "attention.output_group_count", "attention.output_lora_rank", "attention.compress_rope_freq_base",
            "attention.compress_ratios", "attention.shared_kv_layers", "attention.recurrent_layers", "hyper_connection.count",
            "hyper_connection.sinkhorn_iterations", "hyper_connection.epsilon", "hyper_connection.magnitude",
            "hyper_connection.low_rank", "ple.layers", "ple.ngram_size", "ple.heads_per_ngram", "ple.conv_kernel",
            "ple.layer_multipliers", "ple.head_offsets", "ple.head_vocab_sizes", "ple.eos_token_id", "ple.image_token_id",
            "hash_layer_count", "rope.dimension_count", "rope.dimension_count_swa", "rope.dimension_sections",
            "rope.freq_base", "rope.freq_base_swa", "rope.scale_linear", "rope.scaling.type", "rope.scaling.factor",
            "rope.scaling.alpha", "rope.scaling.attn_factor", "rope.scaling.original_context_length", "rope.scaling.finetuned",
            "rope.scaling.yarn_log_multiplier", "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_attn_factor",
            "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow", "ssm.conv_kernel", "ssm.inner_size",
            "ssm.state_size", "ssm.time_step_rank", "ssm.group_count", "ssm.dt_b_c_rms", "kda.head_dim", "kda.safe_gate",
            "kda.gate_lower_bound", "wkv.head_size", "posnet.embedding_length", "posnet.block_count",
            "convnext.embedding_length", "convnext.block_count", "classifier.output_labels", "target_layers",
            "target_hidden_size", "norm_before_residual", "norm_before_fc", "block_size", "conv_kernel_size",
            "conv_group_size", "selector_rank", "selector_top_k", "shortconv.l_cache", "dense_2_feat_in", "dense_2_feat_out",
            "dense_3_feat_in", "dense_3_feat_out"};

    private static final String[] TOKENIZER_KEYS = {
            "tokenizer.chat_template", "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_eos_token",
            "tokenizer.ggml.add_sep_token", "tokenizer.ggml.add_space_prefix", "tokenizer.ggml.bos_token_id",
            "tokenizer.ggml.cls_token_id", "tokenizer.ggml.eom_token_id", "tokenizer.ggml.eos_token_id",
            "tokenizer.ggml.eot_token_id", "tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.fim_pad_token_id",
            "tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.fim_rep_token_id", "tokenizer.ggml.fim_sep_token_id",
            "tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.mask_token_id", "tokenizer.ggml.merges",
            "tokenizer.ggml.middle_token_id", "tokenizer.ggml.model", "tokenizer.ggml.normalizer.lowercase",
            "tokenizer.ggml.normalizer.strip_accents", "tokenizer.ggml.padding_token_id", "tokenizer.ggml.pre",
            "tokenizer.ggml.precompiled_charsmap", "tokenizer.ggml.prefix_token_id", "tokenizer.ggml.remove_extra_whitespaces",
            "tokenizer.ggml.scores", "tokenizer.ggml.seperator_token_id", "tokenizer.ggml.suffix_token_id",
            "tokenizer.ggml.suppress_tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.token_type_count",
            "tokenizer.ggml.tokens", "tokenizer.ggml.unknown_token_id", "tokenizer.huggingface.json", "tokenizer.rwkv.world"};

    private static final String[] TEXTS = {
            "", "llama", "gpt2", "bert", "t5", "rwkv", "plamo2", "gemma4", "none", "no_vocab", "test", "hybriddna", "whitespace",
            "linear", "yarn", "longrope", "qwen2", "llama-bpe", "deepseek-v3", "default", "kimi-k2", "gpt-4o", "adapter", "gelu",
            "\u0000", "\\uFFFD", "{% for x in y %}", "{{ 1/0 }}", "{%- if", "<|im_end|>", " ", "▁▁▁"};

    private static final long[] NUMBERS = {0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 257, 511,
            512, 513, 1023, 1024, 1025, 4096, 65535, 65536, 1 << 20, 1 << 30, Integer.MAX_VALUE, 0x80000000L, 0xFFFFFFFFL, -1, -2,
            Long.MAX_VALUE, Long.MIN_VALUE};

    private static final double[] FLOATS = {0, -0.0, 1, -1, 0.5, 1e-5, -1e-5, 1e-38, 1e38, -1e38, 1e6, Double.NaN,
            Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};

    private final Map<String, Metadata.Value> pairs;
    private final List<TensorInfo> tensors;
    private final Map<String, byte[]> data = new LinkedHashMap<>();
    private final Random random;
    private final StringBuilder what = new StringBuilder();

    private GgufMutator(GgufFile base, Random random) {
        this.pairs = new LinkedHashMap<>(base.metadata().values());
        this.tensors = new ArrayList<>(base.tensors());
        for (TensorInfo tensor : tensors) {
            data.put(tensor.name(), base.data(tensor).toArray(ValueLayout.JAVA_BYTE));
        }
        this.random = random;
    }

    /**
     * Writes a mutant.
     *
     * @param base   a sound file
     * @param seed   decides everything
     * @param target where the mutant goes; replaced
     * @return what was done, for a report
     */
    public static String mutate(Path base, long seed, Path target) throws IOException {
        var random = new Random(seed);
        if (random.nextInt(3) == 0) {
            return mutateBytes(base, random, target);
        }
        try (GgufFile file = GgufReader.read(base)) {
            var mutator = new GgufMutator(file, random);
            for (int i = 0, n = 1 + random.nextInt(3); i < n; i++) {
                mutator.change();
            }
            mutator.write(target);
            return mutator.what.toString();
        }
    }

    // --- bytes ---------------------------------------------------------------------------------------------------------

    private static String mutateBytes(Path base, Random random, Path target) throws IOException {
        byte[] bytes = Files.readAllBytes(base);
        int header;
        try (GgufFile file = GgufReader.read(base)) {
            header = (int) file.parts().getFirst().dataOffset();
        }
        var what = new StringBuilder("bytes:");
        for (int i = 0, n = 1 + random.nextInt(4); i < n; i++) {
            int at = random.nextInt(Math.min(header, bytes.length - 9));
            int kind = random.nextInt(7);
            what.append(' ').append(kind).append('@').append(at);
            switch (kind) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt();
                case 2 -> putLittle(bytes, at, pick(random, NUMBERS), 4);
                case 3 -> putLittle(bytes, at, pick(random, NUMBERS), 8);
                case 4 -> bytes = cut(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(16)));
                case 5 -> bytes = cut(bytes, random.nextBoolean() ? at : header + random.nextInt(bytes.length - header), bytes.length);
                default -> System.arraycopy(bytes, random.nextInt(header), bytes, at, Math.min(8, bytes.length - Math.max(at, header)));
            }
            if (bytes.length < 32) {
                break;
            }
            header = Math.min(header, bytes.length - 10);
            if (header < 10) {
                break;
            }
        }
        Files.write(target, bytes);
        return what.toString();
    }

    private static void putLittle(byte[] bytes, int at, long value, int width) {
        for (int i = 0; i < width; i++) {
            bytes[at + i] = (byte) (value >>> 8 * i);
        }
    }

    private static byte[] cut(byte[] bytes, int from, int to) {
        byte[] rest = Arrays.copyOf(bytes, bytes.length - (to - from));
        System.arraycopy(bytes, to, rest, from, bytes.length - to);
        return rest;
    }

    private static long pick(Random random, long[] values) {
        return values[random.nextInt(values.length)];
    }

    private static <T> T pick(Random random, T[] values) {
        return values[random.nextInt(values.length)];
    }

    // --- meaning -------------------------------------------------------------------------------------------------------

    private void change() {
        switch (random.nextInt(12)) {
            case 0, 1, 2 -> changeValue(pick(random, pairs.keySet().toArray(String[]::new)));
            case 3 -> removePair();
            case 4, 5 -> addPair();
            case 6 -> changeArray();
            case 7 -> changeShape();
            case 8 -> changeType();
            case 9 -> changeName();
            case 10 -> changeData();
            default -> {
                if (random.nextInt(4) == 0) {
                    renameArchitecture();
                } else {
                    changeValue(pick(random, pairs.keySet().toArray(String[]::new)));
                }
            }
        }
    }

    private void note(String text) {
        what.append(what.isEmpty() ? "" : "; ").append(text);
    }

    private void changeValue(String key) {
        Metadata.Value old = pairs.get(key);
        if (old == null) {
            return;
        }
        if (random.nextInt(6) == 0) {
            Metadata.Value value = random(key);
            note(key + " := " + value);
            pairs.put(key, value);
            return;
        }
        Object value = switch (old.value()) {
            case Long number -> fit(old.type(), random.nextInt(3) == 0 ? near(number) : pick(random, NUMBERS));
            case Double number -> FLOATS[random.nextInt(FLOATS.length)];
            case Boolean bool -> !bool;
            case String text -> pick(random, key.equals(Metadata.ARCHITECTURE) ? ARCHITECTURES : TEXTS);
            case GgufArray array -> mutated(array);
            default -> throw new AssertionError(old);
        };
        note(key + ": " + old.value() + " -> " + value);
        pairs.put(key, new Metadata.Value(old.type(), value));
    }

    private long near(long number) {
        return switch (random.nextInt(4)) {
            case 0 -> number + 1;
            case 1 -> number - 1;
            case 2 -> number * 2;
            default -> number / 2;
        };
    }

    private static long fit(GgufType type, long value) {
        int unused = 64 - 8 * type.bytes();
        return switch (type) {
            case INT8, INT16, INT32 -> value << unused >> unused;
            default -> value << unused >>> unused;
        };
    }

    private Metadata.Value random(String key) {
        return switch (random.nextInt(8)) {
            case 0 -> new Metadata.Value(GgufType.STRING, pick(random, TEXTS));
            case 1 -> new Metadata.Value(GgufType.FLOAT32, FLOATS[random.nextInt(FLOATS.length)]);
            case 2 -> new Metadata.Value(GgufType.BOOL, random.nextBoolean());
            case 3 -> new Metadata.Value(GgufType.ARRAY, GgufArray.ofUint32(ints()));
            case 4 -> new Metadata.Value(GgufType.ARRAY, GgufArray.ofFloat32(random.nextFloat(), Float.NaN, -1f));
            case 5 -> new Metadata.Value(GgufType.ARRAY, GgufArray.ofBools(true, false));
            default -> new Metadata.Value(GgufType.UINT32, fit(GgufType.UINT32, pick(random, NUMBERS)));
        };
    }

    private int[] ints() {
        int[] values = new int[new int[] {0, 1, 2, 3, 4, 64, 512, 513}[random.nextInt(8)]];
        for (int i = 0; i < values.length; i++) {
            values[i] = (int) pick(random, NUMBERS);
        }
        return values;
    }

    private void removePair() {
        String key = pick(random, pairs.keySet().toArray(String[]::new));
        note("without " + key);
        pairs.remove(key);
        if (pairs.isEmpty()) {
            addPair();
        }
    }

    private void addPair() {
        String key = random.nextInt(4) == 0 ? pick(random, TOKENIZER_KEYS) : architecture() + "." + pick(random, ARCHITECTURE_KEYS);
        if (pairs.containsKey(key)) {
            changeValue(key);
            return;
        }
        Metadata.Value value = random.nextBoolean()
                ? new Metadata.Value(GgufType.UINT32, fit(GgufType.UINT32, pick(random, NUMBERS))) : random(key);
        note(key + " := " + value);
        pairs.put(key, value);
    }

    private String architecture() {
        Metadata.Value value = pairs.get(Metadata.ARCHITECTURE);
        return value != null && value.value() instanceof String text ? text.replace("\0", "") : "llama";
    }

    /** Another architecture, its keys renamed along with it. */
    private void renameArchitecture() {
        String from = architecture();
        String to = pick(random, ARCHITECTURES);
        note("architecture " + from + " -> " + to);
        var renamed = new LinkedHashMap<String, Metadata.Value>();
        pairs.forEach((key, value) -> renamed.put(key.startsWith(from + ".") ? to + key.substring(from.length()) : key, value));
        renamed.put(Metadata.ARCHITECTURE, new Metadata.Value(GgufType.STRING, to));
        pairs.clear();
        pairs.putAll(renamed);
    }

    private void changeArray() {
        String[] arrays = pairs.entrySet().stream().filter(pair -> pair.getValue().value() instanceof GgufArray)
                .map(Map.Entry::getKey).toArray(String[]::new);
        if (arrays.length > 0) {
            String key = pick(random, arrays);
            GgufArray array = (GgufArray) pairs.get(key).value();
            GgufArray changed = mutated(array);
            note(key + ": " + array + " -> " + changed);
            pairs.put(key, new Metadata.Value(GgufType.ARRAY, changed));
        }
    }

    private GgufArray mutated(GgufArray array) {
        if (array.type() == GgufType.STRING) {
            return mutatedStrings(array);
        }
        if (random.nextInt(5) == 0 || array.type() == GgufType.ARRAY) {
            return GgufArray.ofArrays(List.of(GgufArray.ofInt32(1)));
        }
        int length = switch (random.nextInt(5)) {
            case 0 -> 0;
            case 1 -> Math.max(0, array.length() - 1);
            case 2 -> array.length() + 1;
            default -> array.length();
        };
        if (array.type().isFloat()) {
            float[] values = Arrays.copyOf(array.toFloats(), length);
            if (length > 0) {
                values[random.nextInt(length)] = (float) FLOATS[random.nextInt(FLOATS.length)];
            }
            return GgufArray.ofFloat32(values);
        }
        if (array.type() == GgufType.BOOL) {
            return GgufArray.ofBools(new boolean[length]);
        }
        int[] values = Arrays.copyOf(array.toInts(), length);
        if (length > 0) {
            values[random.nextInt(length)] = (int) pick(random, NUMBERS);
        }
        return array.type() == GgufType.INT32 && random.nextInt(4) > 0 ? GgufArray.ofInt32(values) : GgufArray.ofUint32(values);
    }

    private GgufArray mutatedStrings(GgufArray array) {
        List<byte[]> values = new ArrayList<>();
        for (int i = 0; i < array.length(); i++) {
            values.add(array.bytes(i));
        }
        for (int i = 0, n = 1 + random.nextInt(3); i < n && !values.isEmpty(); i++) {
            int at = random.nextInt(values.size());
            switch (random.nextInt(7)) {
                case 0 -> values.remove(at);
                case 1 -> values.add(at, values.get(random.nextInt(values.size())));
                case 2 -> values.set(at, new byte[0]);
                case 3 -> values.set(at, new byte[] {(byte) 0xC3, (byte) 0x28, (byte) random.nextInt()});
                case 4 -> values.set(at, pick(random, TEXTS).getBytes(StandardCharsets.UTF_8));
                case 5 -> values.set(at, "x".repeat(random.nextInt(300)).getBytes(StandardCharsets.UTF_8));
                default -> values.subList(random.nextInt(values.size()), values.size()).clear();
            }
        }
        return GgufArray.ofByteStrings(values);
    }

    // --- tensors -------------------------------------------------------------------------------------------------------

    private void replace(int i, TensorInfo tensor) {
        byte[] old = data.remove(tensors.get(i).name());
        tensors.set(i, tensor);
        data.put(tensor.name(), old);
    }

    private void changeShape() {
        if (tensors.isEmpty()) {
            return;
        }
        int i = random.nextInt(tensors.size());
        TensorInfo tensor = tensors.get(i);
        var shape = new ArrayList<>(tensor.shape());
        switch (random.nextInt(6)) {
            case 0 -> java.util.Collections.shuffle(shape, random);
            case 1 -> shape.add(1L + random.nextInt(2));
            case 2 -> shape.removeLast();
            case 3 -> shape.set(random.nextInt(shape.size()), 0L);
            case 4 -> shape.set(shape.size() - 1, shape.getLast() + 1);
            default -> shape.set(random.nextInt(shape.size()), (long) (1 + random.nextInt(64)));
        }
        note(tensor.name() + ": " + tensor.shape() + " -> " + shape);
        fitted(i, tensor.name(), tensor.type(), shape);
    }

    private void changeType() {
        if (tensors.isEmpty()) {
            return;
        }
        int i = random.nextInt(tensors.size());
        TensorInfo tensor = tensors.get(i);
        GgmlType type = pick(random, GgmlType.values());
        note(tensor.name() + ": " + tensor.type() + " -> " + type);
        fitted(i, tensor.name(), type, tensor.shape());
    }

    /** Puts the tensor in, unless no file could hold it. */
    private void fitted(int i, String name, GgmlType type, List<Long> shape) {
        var tensor = new TensorInfo(name, type, shape, 0, 0);
        if (shape.size() <= 4 && tensor.ne(0) % type.blockElements() == 0 && tensor.bytes() < 64 << 20) {
            replace(i, tensor);
        }
    }

    private void changeName() {
        if (tensors.isEmpty()) {
            return;
        }
        int i = random.nextInt(tensors.size());
        TensorInfo tensor = tensors.get(i);
        if (random.nextBoolean()) {
            note("without tensor " + tensor.name());
            data.remove(tensor.name());
            tensors.remove(i);
            return;
        }
        String[] names = {tensor.name().replace("weight", "bias"), "rope_freqs.weight", "output.weight", "output.bias",
                tensor.name() + "x", tensor.name().replace("blk.0", "blk.1"), "blk.0.attn_qkv.weight", "blk.0.ffn_gate_inp.weight",
                "blk.0.attn_q.bias", "blk.1.attn_rot_embd", "blk.0.attn_q_norm.weight", "blk.0.attn_q.scale", "blk.9.attn_q.weight",
                "cls.weight", "position_embd.weight", "blk.0.rope_freqs.weight", "output_norm.bias"};
        String name = pick(random, names);
        if (!data.containsKey(name)) {
            note(tensor.name() + " is called " + name);
            if (random.nextBoolean()) {
                data.put(name, data.get(tensor.name()));
                tensors.add(new TensorInfo(name, tensor.type(), tensor.shape(), 0, 0));
            } else {
                replace(i, new TensorInfo(name, tensor.type(), tensor.shape(), 0, 0));
            }
        }
    }

    private void changeData() {
        if (tensors.isEmpty()) {
            return;
        }
        TensorInfo tensor = tensors.get(random.nextInt(tensors.size()));
        byte[] bytes = data.get(tensor.name()).clone();
        int fill = new int[] {0, 0xFF, 0x7F, 0x7C, -1}[random.nextInt(5)];
        note(tensor.name() + " filled with " + fill);
        if (fill < 0) {
            random.nextBytes(bytes);
        } else {
            Arrays.fill(bytes, (byte) fill);
        }
        data.put(tensor.name(), bytes);
    }

    private void write(Path target) throws IOException {
        var builder = Metadata.builder();
        pairs.forEach((key, value) -> {
            Metadata.Value kept = key.equals(Metadata.ALIGNMENT) ? new Metadata.Value(GgufType.UINT32, 32L) : value;
            builder.value(key, kept);
        });
        Files.deleteIfExists(target);
        try (var channel = FileChannel.open(target, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ)) {
            var writer = new GgufWriter(channel, builder.build(), tensors);
            for (TensorInfo tensor : writer.tensors()) {
                byte[] bytes = Arrays.copyOf(data.get(tensor.name()), (int) tensor.bytes());
                writer.write(tensor.name(), 0, MemorySegment.ofArray(bytes));
            }
            writer.finish();
        }
    }
}
