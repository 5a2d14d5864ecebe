package ai.luciferai.llama;

import java.util.List;

/**
 * Where a model's weights live.
 *
 * @param gpuLayers   how many layers leave the CPU
 * @param devices     names of {@link Device}s to use, in order; empty: all
 * @param splitMode   how several devices share
 * @param tensorSplit share of each device, any scale; empty: by free memory
 * @param mainGpu     index of the device that {@link SplitMode#NONE} uses
 * @param fitMarginBytes bytes that {@link GpuLayers#AUTO} leaves free on each device; 0: llama.cpp's own margin
 * @param fitContextSize context that {@link GpuLayers#AUTO} leaves room for; 0: the model's own, shrunk if need be
 */
public record Placement(GpuLayers gpuLayers, List<String> devices, SplitMode splitMode, List<Float> tensorSplit, int mainGpu,
        long fitMarginBytes, int fitContextSize) {

    public Placement {
        Check.present("gpu-layers", gpuLayers);
        Check.present("split-mode", splitMode);
        devices = List.copyOf(devices);
        tensorSplit = List.copyOf(tensorSplit);
        devices.forEach(d -> Check.notEmpty("device", d));
        tensorSplit.forEach(f -> Check.atLeast("tensor-split", f, 0f));
        Check.atLeast("main-gpu", mainGpu, 0);
        Check.atLeast("fit-margin", fitMarginBytes, 0);
        Check.atLeast("fit-context-size", fitContextSize, 0);
    }

    public static Placement defaults() {
        return new Placement(GpuLayers.AUTO, List.of(), SplitMode.LAYER, List.of(), 0, 0, 0);
    }

    public Placement withGpuLayers(GpuLayers v) {
        return new Placement(v, devices, splitMode, tensorSplit, mainGpu, fitMarginBytes, fitContextSize);
    }

    public Placement withDevices(List<String> v) {
        return new Placement(gpuLayers, v, splitMode, tensorSplit, mainGpu, fitMarginBytes, fitContextSize);
    }

    public Placement withSplitMode(SplitMode v) {
        return new Placement(gpuLayers, devices, v, tensorSplit, mainGpu, fitMarginBytes, fitContextSize);
    }

    public Placement withTensorSplit(List<Float> v) {
        return new Placement(gpuLayers, devices, splitMode, v, mainGpu, fitMarginBytes, fitContextSize);
    }

    public Placement withMainGpu(int v) {
        return new Placement(gpuLayers, devices, splitMode, tensorSplit, v, fitMarginBytes, fitContextSize);
    }

    public Placement withFitMarginBytes(long v) {
        return new Placement(gpuLayers, devices, splitMode, tensorSplit, mainGpu, v, fitContextSize);
    }

    public Placement withFitContextSize(int v) {
        return new Placement(gpuLayers, devices, splitMode, tensorSplit, mainGpu, fitMarginBytes, v);
    }
}
