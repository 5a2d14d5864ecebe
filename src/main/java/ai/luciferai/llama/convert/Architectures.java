package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Similar;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.hf.JsonObject;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The table of model classes (architectures.json). A plain decoder whose tensors are only renamed is one line there:
 * {@code {"names": ["NewForCausalLM"], "gguf": "new"}}, given that llama.cpp knows the architecture {@code new}.
 */
final class Architectures {

    private static final Map<String, Entry> TABLE = new LinkedHashMap<>();

    /**
     * One row.
     *
     * @param gguf       name of the architecture in GGUF
     * @param family     class that converts it; "Text" for {@link Architecture} itself
     * @param vocabulary kind of tokenizer
     * @param rawConfig  whether config.json counts as it stands, without class defaults
     * @param keys       further keys: key, type, configuration key
     */
    record Entry(String gguf, String family, String vocabulary, boolean rawConfig, List<List<String>> keys) {

        /** Writes the further keys that the configuration has. */
        void writeKeys(JsonObject config, KeyValues output) {
            for (List<String> key : keys) {
                Object value = config.get(key.get(2));
                if (value != null) {
                    switch (key.get(1)) {
                        case "u32" -> output.u32OrList(key.get(0), value);
                        case "f32" -> output.f32(key.get(0), value);
                        case "bool" -> output.bool(key.get(0), value);
                        default -> output.string(key.get(0), value);
                    }
                }
            }
        }
    }

    static {
        JsonObject file = JsonObject.resource(Architectures.class, "architectures.json");
        for (JsonObject row : SpecialTokens.parts(file, "architectures")) {
            var entry = new Entry(row.requireText("gguf"), row.has("family") ? row.text("family") : "Text",
                    row.has("vocabulary") ? row.text("vocabulary") : "bpe", Boolean.TRUE.equals(row.get("raw_config")),
                    row.has("keys") ? row.list("keys").stream().map(key -> ((List<?>) key).stream().map(String::valueOf).toList()).toList()
                            : List.of());
            row.texts("names").forEach(name -> TABLE.put(name, entry));
        }
    }

    private Architectures() {}

    /** Has the table read, which is done once, before this returns. */
    static void readTable() {}

    /** The row of a model class. */
    static Entry find(Path folder, String architecture) {
        Entry entry = TABLE.get(architecture);
        if (entry == null) {
            throw new UnsupportedModelException(folder, "architecture", "one of " + TABLE.size() + " known classes; nearest: "
                    + String.join(", ", Similar.nearest(architecture, TABLE.keySet(), 5)), architecture,
                    "when the model is a fine-tune, set \"architectures\" in config.json to the class of its base");
        }
        return entry;
    }

    /** The model classes that can be converted. */
    static TreeSet<String> names() {
        return new TreeSet<>(TABLE.keySet());
    }

    /** The converter of a family. */
    static Architecture create(ModelSource source) {
        return switch (source.entry().family()) {
            case "Text" -> new Architecture(source);
            case "Llama" -> new LlamaArchitecture(source);
            case "Granite" -> new LlamaFamily.Granite(source);
            case "Olmo" -> new LlamaFamily.Olmo(source);
            case "Olmo2" -> new LlamaFamily.Olmo2(source);
            case "InternLm2" -> new LlamaFamily.InternLm2(source);
            case "Nemotron" -> new LlamaFamily.Nemotron(source);
            case "Exaone" -> new LlamaFamily.Exaone(source);
            case "Glm4" -> new LlamaFamily.Glm4(source);
            case "Ernie" -> new LlamaFamily.Ernie(source);
            case "Llama4" -> new LlamaFamily.Llama4(source);
            case "Apertus" -> new LlamaFamily.Apertus(source);
            case "Orion" -> new LlamaFamily.Orion(source);
            case "ChatGlm" -> new LlamaFamily.ChatGlm(source);
            case "Hunyuan" -> new LlamaFamily.Hunyuan(source);
            case "Mistral3" -> new PermutedFamily.Mistral3(source);
            case "MiniCpm" -> new PermutedFamily.MiniCpm(source);
            case "Baichuan" -> new PermutedFamily.Baichuan(source);
            case "Xverse" -> new PermutedFamily.Xverse(source);
            case "InternLm3" -> new PermutedFamily.InternLm3(source);
            case "DeepSeek1" -> new PermutedFamily.DeepSeek1(source);
            case "Dots1" -> new ExpertFamily.Dots1(source);
            case "GraniteMoe" -> new ExpertFamily.GraniteMoe(source);
            case "ErnieMoe" -> new ExpertFamily.ErnieMoe(source);
            case "PhiMoe" -> new ExpertFamily.PhiMoe(source);
            case "Glm4Moe" -> new ExpertFamily.Glm4Moe(source);
            case "Lfm2" -> new HybridFamily.Lfm2(source);
            case "Jamba" -> new HybridFamily.Jamba(source);
            case "T5" -> new T5Family(source);
            case "Cohere" -> new LlamaFamily.Cohere(source);
            case "Qwen" -> new QwenFamily.Dense(source);
            case "QwenVision" -> new QwenFamily.Vision(source);
            case "QwenVisionExperts" -> new QwenFamily.VisionExperts(source);
            case "Qwen3Next" -> new Qwen3NextFamily(source);
            case "QwenExperts" -> new QwenFamily.Experts(source);
            case "Olmoe" -> new QwenFamily.Olmoe(source);
            case "Phi2" -> new PhiFamily.Phi2(source);
            case "Phi3" -> new PhiFamily.Phi3(source);
            case "Gemma" -> new GemmaFamily.Gemma(source);
            case "Gemma3" -> new GemmaFamily.Gemma3(source);
            case "Gpt2" -> new GptFamily.Gpt2(source);
            case "StarCoder" -> new GptFamily.StarCoder(source);
            case "Neox" -> new GptFamily.Neox(source);
            case "Bloom" -> new GptFamily.Bloom(source);
            case "Falcon" -> new GptFamily.Falcon(source);
            case "Mpt" -> new GptFamily.Mpt(source);
            case "StableLm" -> new GptFamily.StableLm(source);
            case "DeepSeek" -> new DeepSeekFamily(source);
            case "Mamba" -> new MambaFamily(source);
            case "GptOss" -> new GptOssFamily(source);
            case "Bert" -> new BertFamily(source);
            case "ModernBert" -> new BertFamily.Modern(source);
            case "DistilBert" -> new BertFamily.Distil(source);
            case "Roberta" -> new BertFamily.Roberta(source);
            case "NomicBert" -> new BertFamily.Nomic(source);
            default -> throw new IllegalStateException("architectures.json names the family " + source.entry().family());
        };
    }
}
