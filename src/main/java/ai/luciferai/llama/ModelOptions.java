package ai.luciferai.llama;

import java.util.List;

/**
 * How a model is loaded.
 *
 * @param placement    which devices hold which part
 * @param loadMode     how the weights are read
 * @param kvOverrides  metadata to replace
 * @param adapters     LoRA adapters that every session starts with
 * @param checkTensors whether every weight is checked for being a valid number
 * @param vocabOnly    whether only the vocabulary is loaded, for tokenizing
 * @param repack       whether weights may be rearranged for this CPU, which is faster and takes memory of its own
 */
public record ModelOptions(Placement placement, LoadMode loadMode, List<KvOverride> kvOverrides, List<AdapterSource> adapters,
        boolean checkTensors, boolean vocabOnly, boolean repack) {

    public ModelOptions {
        Check.present("placement", placement);
        Check.present("load-mode", loadMode);
        kvOverrides = List.copyOf(kvOverrides);
        adapters = List.copyOf(adapters);
        Check.require(!vocabOnly || adapters.isEmpty(), "lora", "none with vocab-only", adapters);
    }

    public static ModelOptions defaults() {
        return new ModelOptions(Placement.defaults(), LoadMode.AUTO, List.of(), List.of(), false, false, true);
    }

    public ModelOptions withPlacement(Placement v) {
        return new ModelOptions(v, loadMode, kvOverrides, adapters, checkTensors, vocabOnly, repack);
    }

    public ModelOptions withGpuLayers(GpuLayers v) {
        return withPlacement(placement.withGpuLayers(v));
    }

    public ModelOptions withDevices(List<String> v) {
        return withPlacement(placement.withDevices(v));
    }

    public ModelOptions withLoadMode(LoadMode v) {
        return new ModelOptions(placement, v, kvOverrides, adapters, checkTensors, vocabOnly, repack);
    }

    public ModelOptions withKvOverrides(List<KvOverride> v) {
        return new ModelOptions(placement, loadMode, v, adapters, checkTensors, vocabOnly, repack);
    }

    public ModelOptions withAdapters(List<AdapterSource> v) {
        return new ModelOptions(placement, loadMode, kvOverrides, v, checkTensors, vocabOnly, repack);
    }

    public ModelOptions withCheckTensors(boolean v) {
        return new ModelOptions(placement, loadMode, kvOverrides, adapters, v, vocabOnly, repack);
    }

    public ModelOptions withVocabOnly(boolean v) {
        return new ModelOptions(placement, loadMode, kvOverrides, adapters, checkTensors, v, repack);
    }

    public ModelOptions withRepack(boolean v) {
        return new ModelOptions(placement, loadMode, kvOverrides, adapters, checkTensors, vocabOnly, v);
    }
}
