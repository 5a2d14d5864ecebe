package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.ffi.DeviceDescription;
import ai.luciferai.llama.ffi.KvOverrides;
import ai.luciferai.llama.ffi.ModelHandle;
import ai.luciferai.llama.ffi.ModelParams;
import ai.luciferai.llama.ffi.NativeDevices;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/** Loads a model, once its file has been checked. */
final class ModelLoader {

    private ModelLoader() {}

    static Model load(Path path, ModelOptions options, Progress progress, Cancel cancel) {
        cancel.check("load of " + path);
        LoadCheck.Checked checked = LoadCheck.model(path, options);
        ModelParams params = params(options, checked);
        try {
            return new Model(ModelHandle.load(params, progress, cancel), options, checked.causal());
        } catch (InvalidFileException | UnsupportedModelException e) {
            throw options.kvOverrides().isEmpty() ? e : LoadCheck.overridden(path, options.kvOverrides(), e);
        }
    }

    private static ModelParams params(ModelOptions options, LoadCheck.Checked checked) {
        ModelParams p = ModelParams.defaults();
        p.paths = checked.parts();
        p.nPositions = checked.positions();
        p.loadMode = options.loadMode().code();
        p.vocabOnly = options.vocabOnly();
        p.checkTensors = options.checkTensors();
        p.useExtraBufts = options.repack();
        p.kvOverrides = options.kvOverrides().stream().map(o -> new KvOverrides.Entry(o.key(), o.value())).toList();
        place(p, options.placement());
        return p;
    }

    private static void place(ModelParams p, Placement placement) {
        p.nGpuLayers = placement.gpuLayers().count();
        p.fitMargin = placement.fitMarginBytes() > 0 ? placement.fitMarginBytes() : p.fitMargin;
        p.fitNCtx = placement.fitContextSize();
        if (choosesDevices(placement)) {
            share(p, placement);
        }
    }

    /** Else llama.cpp's defaults stand, and the devices need not be asked for. */
    private static boolean choosesDevices(Placement placement) {
        Placement defaults = Placement.defaults();
        return !placement.devices().isEmpty() || !placement.tensorSplit().isEmpty() || placement.splitMode() != defaults.splitMode()
                || placement.mainGpu() != defaults.mainGpu();
    }

    private static void share(ModelParams p, Placement placement) {
        List<DeviceDescription> all = NativeDevices.list();
        List<String> offload = offloadDevices(placement.devices(), all);
        int usable = offload == null ? (int) all.stream().filter(ModelLoader::isOffload).count() : offload.size();
        p.devices = offload;
        p.tensorSplit = tensorSplit(placement.tensorSplit(), usable);
        p.splitMode = (usable == 0 ? SplitMode.LAYER : placement.splitMode()).code();
        p.mainGpu = usable == 0 ? 0 : mainGpu(placement, usable);
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
                .sorted(Comparator.comparingInt(names::indexOf)).toList();
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
}
