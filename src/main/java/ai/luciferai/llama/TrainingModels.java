package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import java.util.ArrayList;
import java.util.List;

/** The model of a training: once, or with {@link FinetuneOptions#dataParallel()} a copy on each device. */
final class TrainingModels implements AutoCloseable {

    private final List<Model> copies = new ArrayList<>();

    private TrainingModels() {}

    static TrainingModels load(FinetuneOptions options, Progress progress, Cancel cancel) {
        var models = new TrainingModels();
        try {
            for (Placement placement : placements(options)) {
                models.copies.add(load(options, placement, progress, cancel));
            }
            return models;
        } catch (RuntimeException fault) {
            models.close();
            throw fault;
        }
    }

    /** The first copy alone, to look at. */
    static Model loadFirst(FinetuneOptions options, Progress progress, Cancel cancel) {
        return load(options, placements(options).getFirst(), progress, cancel);
    }

    private static Model load(FinetuneOptions options, Placement placement, Progress progress, Cancel cancel) {
        return Model.load(options.base(), LoraTrainer.MODEL_OPTIONS.withPlacement(placement), progress, cancel);
    }

    /** Where each copy lies. */
    static List<Placement> placements(FinetuneOptions options) {
        Placement placement = options.placement();
        if (!options.dataParallel()) {
            return List.of(placement);
        }
        List<String> devices = placement.devices().isEmpty() ? Devices.list().stream().filter(Device::isGpu).map(Device::name).toList()
                : placement.devices();
        if (devices.stream().distinct().count() < 2) {
            throw new InvalidOptionException("data-parallel", "two devices or more, a copy of the model goes to each",
                    devices.isEmpty() ? "none" : String.join(", ", devices), "--device CUDA0,CUDA1; lucifer-llama devices lists them");
        }
        return devices.stream().distinct().map(device -> placement.withDevices(List.of(device))).toList();
    }

    Model first() {
        return copies.getFirst();
    }

    List<Model> all() {
        return copies;
    }

    @Override
    public void close() {
        copies.reversed().forEach(Model::close);
    }
}
