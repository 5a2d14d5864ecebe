package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.hf.Checkpoint;
import ai.luciferai.llama.hf.DType;
import ai.luciferai.llama.hf.ModelConfig;
import ai.luciferai.llama.hf.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Converts a Hugging Face or PyTorch model into GGUF: reads tables, plans every tensor and key, then streams the data.
 *
 * <p><i>Threads</i>: one conversion is one call; several may run at once.
 */
public final class Converter {

    private static final System.Logger LOG = System.getLogger(Converter.class.getName());

    /** Tensors that the reference leaves out of every model. */
    private static final List<String> DROPPED = List.of(".attention.masked_bias", ".attention.bias", ".rotary_emb.inv_freq");
    /** Kinds of tensors that are F32 whatever the output type. */
    private static final List<String> ALWAYS_F32 = List.of("FFN_GATE_INP", "FFN_GATE_INP_SHEXP", "POS_EMBD", "TOKEN_TYPES", "SSM_CONV1D",
            "SHORTCONV_CONV", "TIME_MIX_FIRST", "TIME_MIX_W1", "TIME_MIX_W2", "TIME_MIX_DECAY_W1", "TIME_MIX_DECAY_W2", "TIME_MIX_LERP_FUSED",
            "POSNET_NORM1", "POSNET_NORM2", "V_ENC_EMBD_POS", "A_ENC_EMBD_POS", "ALTUP_CORRECT_COEF", "ALTUP_PREDICT_COEF",
            "SSM_CONV1D_Q", "SSM_CONV1D_K", "SSM_CONV1D_V", "INDEXER_PROJ");

    /**
     * What to convert and how.
     *
     * @param input          folder of the model, or one of its weight files
     * @param output         file to write, or a folder for a name made of the model's; null for the model's own folder
     * @param type           type of the matrices
     * @param chatTemplate   name or file of a chat template that replaces the model's, or null
     * @param modelName      name of the model, or null
     * @param metadata       JSON file with GGUF keys that win over what is found, or null
     * @param preTokenizer   name of the pre-tokenizer, or null to recognise it
     * @param base           folder of an adapter's base model, or null
     * @param vocabularyOnly whether only keys and tokenizer are written
     * @param splitBytes     most bytes of tensor data per file, 0 for one file
     * @param dryRun         whether only the plan is made
     * @param force          whether existing files may be replaced
     */
    public record Request(Path input, Path output, OutputType type, String chatTemplate, String modelName, Path metadata, String preTokenizer,
            Path base, boolean vocabularyOnly, long splitBytes, boolean dryRun, boolean force) {}

    /**
     * What was made.
     *
     * @param files        the files, in order
     * @param architecture GGUF name of the architecture
     * @param name         name of the model
     * @param type         type of the matrices
     * @param tensors      number of tensors
     * @param parameters   number of parameters
     * @param inputBytes   size of the weight files
     * @param outputBytes  size of the output files
     * @param millis       time taken
     */
    public record Result(List<Path> files, String architecture, String name, OutputType type, int tensors, long parameters, long inputBytes,
            long outputBytes, long millis) {}

    private final Request request;
    private final Progress progress;
    private final Cancel cancel;
    private final Path folder;
    /** Text of the template that replaces the model's, or null. */
    private final String chatTemplate;

    private Converter(Request request, Progress progress, Cancel cancel) throws IOException {
        this.request = request;
        this.progress = progress;
        this.cancel = cancel;
        this.chatTemplate = ChatTemplates.find(request.chatTemplate());
        Path input = request.input();
        this.folder = Files.isDirectory(input) ? input : input.toAbsolutePath().getParent();
    }

    /** Converts a folder or weight file. */
    static Result run(Request request, Progress progress, Cancel cancel) throws IOException {
        var converter = new Converter(request, progress, cancel);
        try {
            return converter.run();
        } catch (ArithmeticException odd) {
            throw new InvalidFileException(converter.folder.resolve("config.json"), "sizes", "numbers that can be divided by each other", odd.getMessage(),
                    null, odd);
        }
    }

    private Result run() throws IOException {
        long start = System.nanoTime();
        ModelConfig config = readConfig();
        String className = config.architecture();
        Architectures.Entry entry = Architectures.find(folder, className);
        if (entry.rawConfig()) {
            config = ModelConfig.read(folder, true);
        }
        config.flattenTextConfig();
        try (Checkpoint checkpoint = request.vocabularyOnly() ? Checkpoint.openFiles(List.of()) : openWeights()) {
            prepare(checkpoint, config);
            var keys = new KeyValues(entry.gguf(), config.raw().file());
            OutputType type = request.type() == OutputType.AUTO ? guess(checkpoint) : request.type();
            var source = new ModelSource(new TokenizerFiles(folder), config, className, entry, keys, fileType(type, config), checkpoint.tensors().keySet());
            Architecture architecture = Architectures.create(source);
            List<PlannedTensor> tensors = request.vocabularyOnly() ? List.of() : plan(architecture, checkpoint, type);
            var counter = new SizeLabel.Counter();
            tensors.forEach(tensor -> counter.add(tensor.info().name(), tensor.tensor().shape()));
            SizeLabel size = counter.count();
            VocabularySize.complete(config, VocabularySize.rows(tensors));
            String name = writeKeys(architecture, keys, size);
            requireLoadable(architecture, checkpoint, keys, tensors);
            List<Path> inputs = new ArrayList<>(checkpoint.paths());
            Path target = OutputName.resolve(request, folder, keys.build(), type);
            List<Path> outputs = OutputFiles.write(request, keys.build(), tensors, target, inputs, checkpoint.files(), progress, cancel);
            return new Result(outputs, entry.gguf(), name, type, tensors.size(), Math.abs(size.total()), OutputFiles.bytes(inputs),
                    request.dryRun() ? 0 : OutputFiles.bytes(outputs), (System.nanoTime() - start) / 1_000_000);
        }
    }

    /** Takes away what a training or a conversion left over; both are said. */
    private void prepare(Checkpoint checkpoint, ModelConfig config) {
        String wrapper = checkpoint.unwrap();
        if (!wrapper.isEmpty()) {
            LOG.log(System.Logger.Level.INFO, "{0}: taken off the names of all tensors: {1}", folder, wrapper);
        }
        if (!request.vocabularyOnly() && config.values().has("quantization_config") && !Dequantizer.isQuantized(checkpoint.tensors().values())) {
            LOG.log(System.Logger.Level.WARNING, "{0}: the weights are not quantized: quantization_config is left over, and not used", config.raw().file());
            config.values().values().remove("quantization_config");
        }
    }

    private void requireLoadable(Architecture architecture, Checkpoint checkpoint, KeyValues keys, List<PlannedTensor> tensors) {
        if (request.vocabularyOnly()) {
            Loadable.checkVocabulary(folder, keys.checkable());
            return;
        }
        VocabularySize.fit(folder, keys, VocabularySize.rows(tensors), architecture.config.get("vocab_size"));
        Loadable.check(folder, keys.checkable(), tensors, name -> architecture.names.inCheckpoint(name, checkpoint.tensors().keySet()));
        requireHead(architecture, checkpoint, tensors);
    }

    /** Without an output of its own llama.cpp takes the embedding for it: of a model that has one, that would be another model. */
    private void requireHead(Architecture architecture, Checkpoint checkpoint, List<PlannedTensor> tensors) {
        boolean untied = Boolean.FALSE.equals(architecture.config.get("tie_word_embeddings"));
        boolean generates = architecture.source.architecture().endsWith("ForCausalLM");
        boolean has = tensors.stream().anyMatch(tensor -> tensor.info().name().equals("output.weight"));
        if (untied && generates && !has && architecture.names.has("OUTPUT") && !checkpoint.tensors().containsKey("lm_head.weight")) {
            throw new InvalidFileException(folder, "weights", "lm_head.weight, as tie_word_embeddings is false", "none",
                    "a file of the model is missing, or \"tie_word_embeddings\": true is missing in config.json");
        }
    }

    private ModelConfig readConfig() throws IOException {
        Path file = folder.resolve("config.json");
        if (!Files.isRegularFile(file)) {
            throw new InvalidFileException(file, "configuration", "config.json beside the weights", "nothing at this path",
                    "a checkpoint in another layout (params.json, consolidated.*) has a Hugging Face version: convert that");
        }
        return ModelConfig.read(folder, false);
    }

    private Checkpoint openWeights() throws IOException {
        return Files.isDirectory(request.input()) ? Checkpoint.openFolder(folder) : Checkpoint.openFile(request.input());
    }

    /** The type of the first matrix that is BF16 or F16. */
    private static OutputType guess(Checkpoint checkpoint) {
        for (StoredTensor tensor : checkpoint.tensors().values()) {
            if (tensor.shape().length >= 2 && (tensor.type() == DType.BF16 || tensor.type() == DType.F16)) {
                return tensor.type() == DType.BF16 ? OutputType.BF16 : OutputType.F16;
            }
        }
        return OutputType.F16;
    }

    private static int fileType(OutputType type, ModelConfig config) {
        boolean mxfp4 = "mxfp4".equals(config.values().objectOrEmpty("quantization_config").get("quant_method"));
        return mxfp4 && type != OutputType.Q8_0 ? 38 : type.fileType();
    }

    // --- the plan ------------------------------------------------------------------------------------------------------

    private List<PlannedTensor> plan(Architecture architecture, Checkpoint checkpoint, OutputType type) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (StoredTensor stored : checkpoint.tensors().values()) {
            String name = architecture.filter(stored.name());
            if (name != null) {
                tensors.put(name, Tensor.of(stored));
            }
        }
        tensors = Dequantizer.dequantized(folder, architecture.config, tensors);
        var planned = new ArrayList<PlannedTensor>();
        Set<String> taken = new HashSet<>();
        tensors.forEach((name, tensor) -> fitting(architecture, "tensor '" + name + "'", tensor, () -> architecture.before(name, tensor,
                (ggufName, packed) -> add(architecture, planned, taken, type, name, ggufName, blockOf(name), packed))));
        fitting(architecture, "rope factors", null, () -> architecture.extra((name, tensor) -> add(architecture, planned, taken, type, name, name, -1, tensor)));
        for (var entry : tensors.entrySet()) {
            String name = entry.getKey();
            cancel.check("convert");
            if (DROPPED.stream().anyMatch(name::endsWith)) {
                continue;
            }
            int block = blockOf(name);
            fitting(architecture, "tensor '" + name + "'", entry.getValue(), () -> architecture.modify(entry.getValue(), name, block,
                    (ggufName, tensor) -> add(architecture, planned, taken, type, name, ggufName, block, tensor)));
        }
        fitting(architecture, "tensors of all layers", null,
                () -> architecture.finish((name, tensor) -> add(architecture, planned, taken, type, name, name, blockOf(name), tensor)));
        return planned;
    }

    /** A step of the plan; where shapes and configuration contradict each other, the error names what was worked on. */
    private void fitting(Architecture architecture, String where, Tensor tensor, Runnable step) {
        try {
            step.run();
        } catch (Tensor.ShapeException | ArithmeticException | IndexOutOfBoundsException odd) {
            String shape = tensor == null ? "" : Arrays.toString(tensor.shape()) + ": ";
            throw new InvalidFileException(folder, where, "shapes that fit config.json", shape + odd.getMessage(), sizes(architecture), odd);
        }
    }

    /** The keys that shapes follow from, with their values: one of them is wrong. */
    private static String sizes(Architecture architecture) {
        var sizes = new ArrayList<String>();
        for (String key : List.of("num_attention_heads", "n_head", "n_heads", "num_heads", "num_key_value_heads", "head_dim", "hidden_size", "n_embd", "d_model")) {
            if (architecture.config.get(key) instanceof Long size) {
                sizes.add(key + " " + size);
            }
        }
        return sizes.isEmpty() ? null : "config.json has " + String.join(", ", sizes) + ": which of them is not this model's?";
    }

    /** The first part of a name that is a number. */
    static int blockOf(String name) {
        for (String part : name.split("\\.")) {
            if (!part.isEmpty() && part.length() < 9 && part.chars().allMatch(c -> c >= '0' && c <= '9')) {
                return Integer.parseInt(part);
            }
        }
        return -1;
    }

    private void add(Architecture architecture, List<PlannedTensor> planned, Set<String> taken, OutputType output, String name,
            String ggufName, int block, Tensor tensor) {
        if (!taken.add(ggufName)) {
            throw new InvalidFileException(folder, "tensor '" + name + "'", "one tensor for each GGUF name", "a second '" + ggufName + "'");
        }
        requireFloats(folder, name, tensor);
        planned.add(PlannedTensor.of(ggufName, typeOf(architecture, name, ggufName, block, tensor, output), tensor));
    }

    /**
     * A weight of whole numbers is packed: without its scales the numbers are not the weights.
     *
     * @throws UnsupportedModelException that names the tensor
     */
    static void requireFloats(Path folder, String name, Tensor tensor) {
        if (tensor.packed() == null) {
            tensor.pieces().stream().map(Tensor.Piece::type).filter(type -> !type.isFloat()).findFirst().ifPresent(type -> {
                throw new UnsupportedModelException(folder, "tensor '" + name + "'", "floats, or whole numbers with scales that config.json describes",
                        type + " without scales", "the checkpoint is quantized: convert the model that it was quantized from");
            });
        }
    }

    private static GgmlType typeOf(Architecture architecture, String name, String ggufName, int block, Tensor tensor, OutputType output) {
        GgmlType forced = architecture.forcedType(name, ggufName, block, tensor.rank());
        if (tensor.rank() <= 1 || ggufName.endsWith("_norm.weight")) {
            return GgmlType.F32;
        }
        if (forced != null) {
            return forced;
        }
        return ggufName.endsWith(".weight") && ALWAYS_F32.stream().noneMatch(kind -> architecture.names.is(ggufName, kind, block))
                ? output.type() : GgmlType.F32;
    }

    // --- the keys ------------------------------------------------------------------------------------------------------

    private String writeKeys(Architecture architecture, KeyValues keys, SizeLabel size) throws IOException {
        ModelMetadata metadata = ModelMetadata.gather(folder, request.metadata(), request.modelName(), size);
        keys.string("general.type", "model");
        metadata.write(keys);
        architecture.parameters();
        keys.u32("general.quantization_version", 2L);
        architecture.vocabulary(new Vocabulary(architecture.source.files(), architecture.config, keys, request.preTokenizer()));
        if (chatTemplate != null) {
            keys.string("tokenizer.chat_template", chatTemplate);
        }
        return metadata.name();
    }
}
