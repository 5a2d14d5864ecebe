package ai.luciferai.llama.cli;

import ai.luciferai.llama.AdapterSource;
import ai.luciferai.llama.Devices;
import ai.luciferai.llama.GpuLayers;
import ai.luciferai.llama.KvOverride;
import ai.luciferai.llama.LoadMode;
import ai.luciferai.llama.Model;
import ai.luciferai.llama.ModelOptions;
import ai.luciferai.llama.Placement;
import ai.luciferai.llama.SplitMode;
import ai.luciferai.llama.core.InvalidOptionException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;

/** Which model, and where its weights live: {@link ModelOptions} and {@link Placement}. */
final class ModelMixin {

    /** In the order in which llama.cpp lists them. */
    private static final SequencedMap<String, LoadMode> LOAD_MODES = loadModes();

    private ModelMixin() {}

    private static SequencedMap<String, LoadMode> loadModes() {
        var modes = new LinkedHashMap<String, LoadMode>();
        modes.put("auto", LoadMode.AUTO);
        modes.put("none", LoadMode.READ);
        modes.put("mmap", LoadMode.MMAP);
        modes.put("mlock", LoadMode.MLOCK);
        modes.put("mmap+mlock", LoadMode.MMAP_MLOCK);
        modes.put("dio", LoadMode.DIRECT_IO);
        return modes;
    }

    /** All of it. */
    static void declare(Syntax syntax) {
        file(syntax);
        syntax.option("--lora --lora-scaled", "FILE[:SCALE]", "LoRA adapter (GGUF), scale 1 if not said; may be repeated")
                .option("--override-kv", "KEY=TYPE:VALUE", "replace a metadata value; TYPE is int, float, bool or str; may be repeated")
                .choice("-lm --load-mode", List.copyOf(LOAD_MODES.keySet()), "how the file comes into memory; auto: what suits the devices", "auto")
                .toggle("--mmap", "--no-mmap", "map the file instead of reading it (default: what suits the devices)")
                .toggle("--mlock", "--no-mlock", "keep the weights in memory")
                .flag("--check-tensors", "look for invalid numbers in every weight")
                .toggle("--repack", "--no-repack -nr", "rearrange weights for this CPU (default: yes)");
        devices(syntax);
    }

    /** What runs where. */
    static void devices(Syntax syntax) {
        syntax.group("Devices (see: lucifer-llama devices)")
                .option("-ngl --gpu-layers --n-gpu-layers", "N|auto|all", "layers on the GPU; auto: as many as fit", GpuLayers.AUTO)
                .option("-dev --device", "NAME,…", "devices to use, in order; none: CPU only (default: all)")
                .choice("-sm --split-mode", List.of("none", "layer", "row", "tensor"), "how several devices share a model", "layer")
                .option("-ts --tensor-split", "X,…", "share of each device, any scale (default: by free memory)")
                .option("-mg --main-gpu", "INDEX", "the device that holds all with split mode none", Placement.defaults().mainGpu())
                .option("--rpc -rpc", "HOST:PORT,…", "rpc-servers whose devices to use as well");
    }

    /** The model's file alone. */
    static void file(Syntax syntax) {
        syntax.group("Model")
                .option("-m --model", "FILE", "GGUF file; of a split model any part (default: the embedded model)");
    }

    static ModelOptions options(Arguments a) {
        return ModelOptions.defaults()
                .withPlacement(placement(a))
                .withAdapters(adapters(a))
                .withKvOverrides(overrides(a))
                .withCheckTensors(a.has("--check-tensors"))
                .withRepack(a.on("--repack", true))
                .withLoadMode(loadMode(a));
    }

    /** As llama.cpp, one option may name several: {@code --lora A,B:0.5}. A file with a comma in its name is one, where it exists. */
    static List<AdapterSource> adapters(Arguments a) {
        var adapters = new ArrayList<AdapterSource>();
        for (String text : a.texts("--lora")) {
            AdapterSource one = AdapterSource.parse(text);
            boolean several = text.indexOf(',') > 0 && !Files.exists(one.path());
            adapters.addAll(several ? Stream.of(text.split(",")).map(AdapterSource::parse).toList() : List.of(one));
        }
        return adapters;
    }

    /** As llama.cpp, one option may hold several; a comma within a text is one where no further override follows it. */
    static List<KvOverride> overrides(Arguments a) {
        return a.texts("--override-kv").stream().flatMap(text -> Stream.of(text.split(",(?=[^,=]+=(?:int|float|bool|str):)")))
                .map(KvOverride::parse).toList();
    }

    private static LoadMode loadMode(Arguments a) {
        boolean switches = a.has("--mmap") || a.has("--mlock");
        if (!a.has("-lm")) {
            return switches ? LoadMode.of(a.on("--mmap", true), a.on("--mlock", false)) : LoadMode.AUTO;
        }
        if (switches) {
            throw new InvalidOptionException(a.typed("-lm"), "none of --mmap and --mlock beside it", "both");
        }
        return LOAD_MODES.get(a.text("-lm"));
    }

    static Placement placement(Arguments a) {
        Placement placement = Placement.defaults().withMainGpu(a.integer("-mg", 0));
        if (a.has("-ngl")) {
            placement = placement.withGpuLayers(GpuLayers.parse(a.text("-ngl")));
        }
        if (a.has("-sm")) {
            placement = placement.withSplitMode(SplitMode.valueOf(a.text("-sm").toUpperCase(Locale.ROOT)));
        }
        if (a.has("-ts")) {
            // llama-bench writes 3/1, the other tools 3,1.
            placement = placement.withTensorSplit(List.of(a.text("-ts").split("[,/]+")).stream()
                    .map(share -> Arguments.decimalOf(a.typed("-ts"), share)).toList());
        }
        List<String> devices = a.list("-dev", ',');
        return devices.equals(List.of("none")) ? placement.withGpuLayers(GpuLayers.NONE) : placement.withDevices(devices);
    }

    /** The file of -m, or none for the embedded model. */
    static Optional<Path> path(Arguments a) {
        return Optional.ofNullable(a.text("-m")).map(text -> path(a.typed("-m"), text));
    }

    /** A path that a user typed. */
    static Path path(String option, String text) {
        if (text.isEmpty()) {
            throw new InvalidOptionException(option, "a file", "nothing");
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new InvalidOptionException(option, "a file", Arguments.quote(text), e.getReason());
        }
    }

    /** Adds the rpc-servers; to be called before the model is loaded. */
    static void addServers(Arguments a) {
        a.list("--rpc", ',').forEach(Devices::addRpcServer);
    }

    /** Loads what -m and its companions say. */
    static Model load(Optional<Path> path, ModelOptions options, Environment environment) {
        try (ProgressLine progress = environment.progress()) {
            return path.isPresent()
                    ? Model.load(path.get(), options, progress, environment.cancel())
                    : Model.embedded(options, progress, environment.cancel());
        }
    }
}
