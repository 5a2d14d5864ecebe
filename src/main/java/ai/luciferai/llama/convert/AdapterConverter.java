package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.hf.DType;
import ai.luciferai.llama.hf.ModelConfig;
import ai.luciferai.llama.hf.PeftAdapter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A PEFT adapter as a LoRA GGUF. What the base model's family does to the rows of a weight is done to the rows of its factor B.
 *
 * <p>llama.cpp multiplies with alpha / rank. PEFT has two more ways to scale, rsLoRA (alpha / √rank) and an alpha per module: they are
 * folded into factor B, so that the adapter acts as it was trained to. The reference ignores them, and writes norms that llama.cpp does not
 * read from an adapter.
 *
 * <p><i>Source</i>: llama.cpp, convert_lora_to_gguf.py.
 */
final class AdapterConverter {

    private AdapterConverter() {}

    static Converter.Result run(Converter.Request request, Progress progress, Cancel cancel) throws IOException {
        long start = System.nanoTime();
        Path folder = request.input();
        try (PeftAdapter adapter = PeftAdapter.open(folder)) {
            Path base = request.base() != null ? request.base() : adapter.base();
            if (base == null) {
                throw new InvalidFileException(folder.resolve("adapter_config.json"), "base_model_name_or_path",
                        "a folder with the base model's config.json", "none here", "--base DIR names it");
            }
            ModelConfig config = ModelConfig.read(base, false);
            String className = config.architecture();
            Architectures.Entry entry = Architectures.find(base, className);
            config.flattenTextConfig();
            var keys = new KeyValues(entry.gguf(), config.raw().file());
            OutputType type = request.type() == OutputType.AUTO ? guess(adapter) : request.type();
            Supplier<Architecture> family = () -> Architectures.create(
                    new ModelSource(new TokenizerFiles(base), config, className, entry, keys, type.fileType(), Set.of()));
            List<PlannedTensor> tensors = planned(folder, adapter, family, type);
            var counter = new SizeLabel.Counter();
            tensors.forEach(tensor -> counter.add(tensor.info().name(), tensor.tensor().shape()));
            SizeLabel size = counter.count();
            ModelMetadata metadata = ModelMetadata.gather(folder, request.metadata(), request.modelName(), size);
            keys.string("general.type", "adapter");
            keys.string("adapter.type", "lora");
            metadata.write(keys);
            keys.f32("adapter.lora.alpha", adapter.alpha());
            keys.u32("general.quantization_version", 2L);
            Path target = OutputName.resolve(request, folder, keys.build(), type);
            List<Path> files = OutputFiles.write(request, keys.build(), tensors, target, adapter.paths(), List.of(), progress, cancel);
            return new Converter.Result(files, entry.gguf(), metadata.name(), type, tensors.size(), Math.abs(size.total()),
                    OutputFiles.bytes(adapter.paths()), request.dryRun() ? 0 : OutputFiles.bytes(files), (System.nanoTime() - start) / 1_000_000);
        }
    }

    private static OutputType guess(PeftAdapter adapter) {
        for (PeftAdapter.Factors pair : adapter.factors().values()) {
            if (pair.a().type() == DType.BF16 || pair.a().type() == DType.F16) {
                return pair.a().type() == DType.BF16 ? OutputType.BF16 : OutputType.F16;
            }
        }
        return OutputType.F16;
    }

    /** What the base's family says of a name is about the adapter here: the base's own tensors are not even read. */
    private static List<PlannedTensor> planned(Path folder, PeftAdapter adapter, Supplier<Architecture> family, OutputType type) {
        Architecture architecture = family.get();
        try {
            return plan(folder, adapter, architecture, family.get(), type);
        } catch (UnsupportedModelException e) {
            if (!e.model().equals(String.valueOf(architecture.source.folder()))) {
                throw e;
            }
            throw new UnsupportedModelException(folder, e.where(), e.supported(), e.got(), trainedOn(architecture));
        } catch (InvalidFileException e) { // the base's configuration may be right: the adapter has a layer that it has not
            if (e.path() == null || !e.path().startsWith(architecture.source.folder())) {
                throw e;
            }
            throw new UnsupportedModelException(folder, "base model's " + e.where(), e.expected(), e.got(), trainedOn(architecture));
        }
    }

    private static String trainedOn(Architecture architecture) {
        return "was it trained on the model of " + architecture.source.folder() + "?";
    }

    private static List<PlannedTensor> plan(Path folder, PeftAdapter adapter, Architecture architecture, Architecture ofExperts,
            OutputType type) {
        var planned = new ArrayList<PlannedTensor>();
        var experts = new ExpertPairs(folder, architecture, ofExperts, type, planned);
        adapter.others().forEach((name, stored) -> {
            throw new UnsupportedModelException(adapter.paths().getFirst(), "tensor '" + stored.name() + "'", "factors lora_A and lora_B",
                    "a whole tensor", "new tokens or modules_to_save cannot be in an adapter: merge it into its base with PEFT");
        });
        adapter.factors().forEach((name, pair) -> {
            if (FusedExperts.isFused(name)) {
                FusedExperts.plan(folder, adapter, architecture, name, pair, type, planned);
                return;
            }
            String plain = architecture.filter(name);
            if (plain == null) {
                throw new UnsupportedModelException(adapter.paths().getFirst(), "adapter for '" + name + "'", "a weight of the GGUF model",
                        "one that " + architecture.source.architecture() + " leaves out", "train it without that module");
            }
            long rank = pair.a().shape()[0];
            float fold = (float) (adapter.scale(plain, rank) / (adapter.alpha() / rank));
            if (ExpertPairs.isExpert(plain)) {
                experts.add(plain, Tensor.of(pair.a()), Tensor.of(pair.b()), fold);
            } else {
                addPair(folder, architecture, plain, pair, fold, type, planned);
            }
        });
        experts.finish();
        return planned;
    }

    private static void addPair(Path folder, Architecture architecture, String name, PeftAdapter.Factors pair, float fold, OutputType type,
            List<PlannedTensor> planned) {
        long rank = pair.a().shape()[0];
        Tensor a = Tensor.of(pair.a());
        Tensor b = scaled(Tensor.of(pair.b()), fold);
        Converter.requireFloats(folder, name, a);
        Converter.requireFloats(folder, name, b);
        int before = planned.size();
        try {
            // the family turns it back
            Tensor rowsOfWeight = architecture.liesTransposed(name) ? b.transpose() : b;
            architecture.modify(rowsOfWeight, name, Converter.blockOf(name), (ggufName, rows) -> {
                if (rows.rank() != 2 || rows.dim(1) != rank) {
                    throw new Tensor.ShapeException("rows that are not only reordered");
                }
                Tensor first = ggufName.contains("token_embd.weight") ? a.transpose() : a;
                planned.add(PlannedTensor.of(ggufName + ".lora_a", type.type(), first));
                planned.add(PlannedTensor.of(ggufName + ".lora_b", type.type(), rows));
            });
        } catch (Tensor.ShapeException | ArithmeticException odd) {
            throw onlyReordered(folder, architecture, name);
        }
        if (planned.size() == before) {
            throw new UnsupportedModelException(folder, "adapter for '" + name + "'", "a weight of the GGUF model",
                    "one that " + architecture.source.architecture() + " leaves out or stacks");
        }
    }

    /** Factor B with what PEFT's scale differs from llama.cpp's by. */
    static Tensor scaled(Tensor b, float fold) {
        return fold == 1 ? b : b.map(x -> (float) x * fold);
    }

    static UnsupportedModelException onlyReordered(Path folder, Architecture architecture, String name) {
        return new UnsupportedModelException(folder, "adapter for '" + name + "'", "a weight whose rows are only reordered",
                architecture.source.architecture() + ", which changes it otherwise", "merge the adapter into its base with PEFT");
    }
}
