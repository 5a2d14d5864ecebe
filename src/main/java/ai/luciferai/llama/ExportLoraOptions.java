package ai.luciferai.llama;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Which adapters to merge into which model.
 *
 * @param base     the model; for a split one its first file
 * @param adapters LoRA adapters, added in this order: GGUF files, or folders as PEFT writes them
 * @param output   the merged model, one file
 * @param type     of the tensors that change
 * @param verify   whether the merged model is compared with the base and its adapters before it appears
 * @param force    whether an existing output may be replaced
 * @param baseConfig folder with the configuration of a PEFT adapter's base model, where the adapter does not name one
 */
public record ExportLoraOptions(Path base, List<AdapterSource> adapters, Path output, ExportType type, boolean verify, boolean force,
        Optional<Path> baseConfig) {

    public ExportLoraOptions {
        Check.present("model-base", base);
        adapters = List.copyOf(adapters);
        Check.require(!adapters.isEmpty(), "lora", "at least one adapter", "none");
        Check.present("model-out", output);
        Check.present("outtype", type);
        Check.present("base", baseConfig);
    }

    /** Types as llama-export-lora chooses them, verified, no replacing. */
    public static ExportLoraOptions of(Path base, List<AdapterSource> adapters, Path output) {
        return new ExportLoraOptions(base, adapters, output, ExportType.AUTO, true, false, Optional.empty());
    }

    public ExportLoraOptions withType(ExportType v) {
        return new ExportLoraOptions(base, adapters, output, v, verify, force, baseConfig);
    }

    public ExportLoraOptions withVerify(boolean v) {
        return new ExportLoraOptions(base, adapters, output, type, v, force, baseConfig);
    }

    public ExportLoraOptions withForce(boolean v) {
        return new ExportLoraOptions(base, adapters, output, type, verify, v, baseConfig);
    }

    public ExportLoraOptions withBaseConfig(Path v) {
        return new ExportLoraOptions(base, adapters, output, type, verify, force, Optional.of(v));
    }

    ExportLoraOptions withAdapters(List<AdapterSource> v) {
        return new ExportLoraOptions(base, v, output, type, verify, force, baseConfig);
    }
}
