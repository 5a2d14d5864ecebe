package ai.luciferai.llama;

import java.nio.file.Path;
import java.util.List;

/**
 * Which adapters to merge into which model.
 *
 * @param base     the model; for a split one its first file
 * @param adapters LoRA adapters, added in this order
 * @param output   the merged model, one file
 * @param type     of the tensors that change
 * @param verify   whether the merged model is compared with the base and its adapters before it appears
 * @param force    whether an existing output may be replaced
 */
public record ExportLoraOptions(Path base, List<AdapterSource> adapters, Path output, ExportType type, boolean verify, boolean force) {

    public ExportLoraOptions {
        Check.present("model-base", base);
        adapters = List.copyOf(adapters);
        Check.require(!adapters.isEmpty(), "lora", "at least one adapter", "none");
        Check.present("model-out", output);
        Check.present("outtype", type);
    }

    /** Types as llama-export-lora chooses them, verified, no replacing. */
    public static ExportLoraOptions of(Path base, List<AdapterSource> adapters, Path output) {
        return new ExportLoraOptions(base, adapters, output, ExportType.AUTO, true, false);
    }

    public ExportLoraOptions withType(ExportType v) {
        return new ExportLoraOptions(base, adapters, output, v, verify, force);
    }

    public ExportLoraOptions withVerify(boolean v) {
        return new ExportLoraOptions(base, adapters, output, type, v, force);
    }

    public ExportLoraOptions withForce(boolean v) {
        return new ExportLoraOptions(base, adapters, output, type, verify, v);
    }
}
