package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.ffi.DeviceDescription;
import ai.luciferai.llama.ffi.KvOverrides;
import ai.luciferai.llama.ffi.ModelHandle;
import ai.luciferai.llama.ffi.ModelParams;
import ai.luciferai.llama.ffi.NativeDevices;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.ModelPreflight;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Checks a model's file and options, then loads it. */
final class ModelLoader {

    private ModelLoader() {}

    static ModelHandle load(Path path, ModelOptions options, Progress progress, Cancel cancel) {
        cancel.check("load of " + path);
        List<Path> parts = check(path, options);
        ModelParams params = params(options, parts);
        return ModelHandle.load(params, progress, cancel);
    }

    /** The file's parts, when it is a sound model with enough layers. */
    private static List<Path> check(Path path, ModelOptions options) {
        try (GgufFile file = GgufReader.read(path)) {
            requireLoadable(file, options);
            requireLayers(file, options.placement().gpuLayers());
            return file.parts().stream().map(GgufFile.Part::path).toList();
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    /** What llama.cpp takes for granted must hold for the metadata that it will see. */
    private static void requireLoadable(GgufFile file, ModelOptions options) {
        if (options.vocabOnly()) {
            ModelPreflight.checkVocabulary(file);
            return;
        }
        Metadata.Builder metadata = file.metadata().toBuilder();
        for (KvOverride override : options.kvOverrides()) {
            Metadata.Value old = file.metadata().get(override.key());
            // llama.cpp ignores an override of another kind than the key's, and cuts numbers to 32 bits.
            if (old == null || old.value().getClass() == override.value().getClass()) {
                switch (override.value()) {
                    case Long number -> metadata.uint32(override.key(), number & 0xFFFF_FFFFL);
                    case Double number -> metadata.float64(override.key(), number);
                    case Boolean bool -> metadata.bool(override.key(), bool);
                    default -> metadata.string(override.key(), override.value().toString());
                }
            }
        }
        ModelPreflight.check(file, metadata.build());
    }

    static InvalidFileException unreadable(Path path, IOException e) {
        return new InvalidFileException(path, "file", "a readable file", e.toString(), null, e);
    }

    /** One more than the model's blocks can be offloaded: the output layer counts too. */
    private static void requireLayers(GgufFile file, GpuLayers wanted) {
        String architecture = file.metadata().string("general.architecture", "");
        long blocks = file.metadata().integer(architecture + ".block_count", Integer.MAX_VALUE);
        if (wanted.isNumber() && wanted.count() > blocks + 1) {
            throw new InvalidOptionException("gpu-layers", "auto, all or 0 to " + (blocks + 1) + " for " + file.path(),
                    wanted.count(), "use all");
        }
    }

    private static ModelParams params(ModelOptions options, List<Path> parts) {
        ModelParams p = ModelParams.defaults();
        p.paths = parts;
        p.loadMode = options.loadMode().code();
        p.vocabOnly = options.vocabOnly();
        p.checkTensors = options.checkTensors();
        p.useExtraBufts = options.repack();
        p.kvOverrides = options.kvOverrides().stream().map(o -> new KvOverrides.Entry(o.key(), o.value())).toList();
        place(p, options.placement());
        return p;
    }

    private static void place(ModelParams p, Placement placement) {
        List<DeviceDescription> all = NativeDevices.list();
        List<String> offload = offloadDevices(placement.devices(), all);
        int usable = offload == null ? (int) all.stream().filter(ModelLoader::isOffload).count() : offload.size();
        p.nGpuLayers = placement.gpuLayers().count();
        p.devices = offload;
        p.tensorSplit = tensorSplit(placement.tensorSplit(), usable);
        p.splitMode = (usable == 0 ? SplitMode.LAYER : placement.splitMode()).code();
        p.mainGpu = usable == 0 ? 0 : mainGpu(placement, usable);
        p.fitMargin = placement.fitMarginBytes() > 0 ? placement.fitMarginBytes() : p.fitMargin;
        p.fitNCtx = placement.fitContextSize();
    }

    /** Names without the CPU, which always takes part; null: all devices. */
    private static List<String> offloadDevices(List<String> names, List<DeviceDescription> all) {
        if (names.isEmpty()) {
            return null;
        }
        List<String> known = all.stream().map(DeviceDescription::name).toList();
        for (String name : names) {
            if (!known.contains(name)) {
                throw new InvalidOptionException("device", "one of " + String.join(", ", known), name,
                        "the command devices lists them");
            }
        }
        return all.stream().filter(ModelLoader::isOffload).map(DeviceDescription::name).filter(names::contains)
                .sorted(java.util.Comparator.comparingInt(names::indexOf)).toList();
    }

    private static boolean isOffload(DeviceDescription device) {
        return device.type() != Device.Type.CPU.ordinal();
    }

    private static float[] tensorSplit(List<Float> shares, int devices) {
        if (shares.isEmpty()) {
            return null;
        }
        Check.require(shares.size() <= Math.max(1, devices), "tensor-split", "at most one share for each of " + devices
                + " devices", shares);
        float[] array = new float[shares.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = shares.get(i);
        }
        return array;
    }

    private static int mainGpu(Placement placement, int devices) {
        Check.require(placement.mainGpu() < devices, "main-gpu", "0 to " + (devices - 1), placement.mainGpu());
        return placement.mainGpu();
    }

    /** Refuses what is no adapter, and an adapter that does not fit the model. */
    static void checkAdapter(Path path, Path model) {
        try (GgufFile adapter = GgufReader.read(path); GgufFile base = GgufReader.read(model)) {
            AdapterCheck.check(adapter, base);
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }
}
