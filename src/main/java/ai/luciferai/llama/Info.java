package ai.luciferai.llama;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.gguf.FileType;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.GgufType;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.ModelPreflight;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeSet;

/**
 * Says what a GGUF file holds. Plain Java: reads the header only, so a file may be larger than the memory, of another byte order, an
 * adapter, or a model that llama.cpp cannot run.
 */
public final class Info {

    private static final int MOST_DATASETS = 100;

    private Info() {}

    /**
     * Reads a file.
     *
     * @throws ai.luciferai.llama.core.InvalidFileException when it is not a sound GGUF file
     */
    public static InfoReport run(InfoOptions options) {
        try (GgufFile file = GgufReader.read(options.model())) {
            return report(file, options);
        } catch (IOException e) {
            throw LoadCheck.unreadable(options.model(), e);
        }
    }

    private static InfoReport report(GgufFile file, InfoOptions options) {
        long parameters = 0;
        long tensorBytes = 0;
        for (TensorInfo tensor : file.tensors()) {
            parameters = Math.addExact(parameters, tensor.elements());
            tensorBytes = Math.addExact(tensorBytes, tensor.bytes());
        }
        InfoReport.Contents contents = contents(file);
        return new InfoReport(options, contents, new InfoReport.Format(file.version(), file.byteOrder(), file.alignment(), file.parts()),
                text(file, Metadata.ARCHITECTURE), text(file, "general.name"), parameters, fileType(file), file.bytes(), tensorBytes,
                tensors(file), metadata(file, options.arrayElements()), text(file, "tokenizer.chat_template"),
                contents == InfoReport.Contents.MODEL || contents == InfoReport.Contents.VOCABULARY ? problem(file) : "", adapter(file),
                activations(file));
    }

    /** By what the file says of itself, a projector's by its architecture, too: older ones say nothing else. */
    private static InfoReport.Contents contents(GgufFile file) {
        return switch (text(file, "general.type")) {
            case "adapter" -> InfoReport.Contents.ADAPTER;
            case "imatrix" -> InfoReport.Contents.IMPORTANCE_MATRIX;
            case "mmproj" -> InfoReport.Contents.PROJECTOR;
            default -> text(file, Metadata.ARCHITECTURE).equals("clip") ? InfoReport.Contents.PROJECTOR
                    : file.tensors().isEmpty() ? InfoReport.Contents.VOCABULARY : InfoReport.Contents.MODEL;
        };
    }

    private static Optional<InfoReport.Adapter> adapter(GgufFile file) {
        if (contents(file) != InfoReport.Contents.ADAPTER) {
            return Optional.empty();
        }
        var ranks = new TreeSet<Long>();
        var weights = new ArrayList<String>();
        for (TensorInfo tensor : file.tensors()) {
            if (tensor.name().endsWith(LoraMerge.B)) {
                ranks.add(tensor.ne(0));
                weights.add(tensor.name().substring(0, tensor.name().length() - LoraMerge.B.length()));
            }
        }
        Metadata.Value alpha = file.metadata().get("adapter.lora.alpha");
        return Optional.of(new InfoReport.Adapter(text(file, "adapter.type"), List.copyOf(ranks),
                alpha != null && alpha.value() instanceof Double number ? OptionalDouble.of(number) : OptionalDouble.empty(), weights,
                text(file, "general.base_model.0.name")));
    }

    private static Optional<InfoReport.Activations> activations(GgufFile file) {
        if (contents(file) != InfoReport.Contents.IMPORTANCE_MATRIX) {
            return Optional.empty();
        }
        Metadata.Value names = file.metadata().get("imatrix.datasets");
        List<String> datasets = names != null && names.value() instanceof GgufArray array && array.type() == GgufType.STRING
                ? head(array, Math.min(array.length(), MOST_DATASETS)).stream().map(String::valueOf).toList() : List.of();
        return Optional.of(new InfoReport.Activations(datasets, whole(file, "imatrix.chunk_count"), whole(file, "imatrix.chunk_size"),
                (int) file.tensors().stream().filter(tensor -> tensor.name().endsWith(".in_sum2")).count()));
    }

    private static long whole(GgufFile file, String key) {
        Metadata.Value value = file.metadata().get(key);
        return value != null && value.value() instanceof Long number ? number : 0;
    }

    /** A text of the file, or "" when it has none: Info shows also what a loader would refuse. */
    private static String text(GgufFile file, String key) {
        Metadata.Value value = file.metadata().get(key);
        return value != null && value.value() instanceof String text ? text : "";
    }

    private static String fileType(GgufFile file) {
        Metadata.Value value = file.metadata().get("general.file_type");
        if (value != null && value.value() instanceof Long id) {
            FileType type = FileType.ofId(id);
            return type != null ? type.label() : "unknown, may not work";
        }
        return guessedFileType(file);
    }

    /** As llama.cpp guesses: the type of most tensors. Only a model should have said it itself. */
    private static String guessedFileType(GgufFile file) {
        InfoReport.Contents contents = contents(file);
        boolean ofModel = contents == InfoReport.Contents.MODEL || contents == InfoReport.Contents.VOCABULARY;
        Map<GgmlType, Integer> counts = new EnumMap<>(GgmlType.class);
        file.tensors().forEach(tensor -> counts.merge(tensor.type(), 1, Integer::sum));
        return counts.entrySet().stream().max(Map.Entry.comparingByValue())
                .map(most -> (ofModel ? "(guessed) " : "") + most.getKey().name()).orElse("");
    }

    private static List<InfoReport.Tensor> tensors(GgufFile file) {
        var rows = new ArrayList<InfoReport.Tensor>();
        for (TensorInfo tensor : file.tensors()) {
            long offset = file.parts().get(tensor.part()).dataOffset() + tensor.offset();
            rows.add(new InfoReport.Tensor(tensor.name(), tensor.type().label(), tensor.shape(), tensor.bytes(), tensor.part(), offset));
        }
        return rows;
    }

    private static List<InfoReport.Pair> metadata(GgufFile file, int arrayElements) {
        var rows = new ArrayList<InfoReport.Pair>();
        file.metadata().values().forEach((key, value) -> {
            if (value.value() instanceof GgufArray array) {
                rows.add(new InfoReport.Pair(key, array.toString(), head(array, arrayElements)));
            } else if (value.type() == GgufType.UINT64) {
                rows.add(new InfoReport.Pair(key, value.type().label(), new java.math.BigInteger(
                        Long.toUnsignedString((Long) value.value()))));
            } else {
                rows.add(new InfoReport.Pair(key, value.type().label(), value.value()));
            }
        });
        return rows;
    }

    /** The first elements, texts cut at some length. */
    private static List<Object> head(GgufArray array, int elements) {
        var head = new ArrayList<>();
        for (int i = 0; i < Math.min(elements, array.length()); i++) {
            head.add(switch (array.type()) {
                case STRING -> array.string(i, InfoReport.MAX_TEXT_BYTES);
                case ARRAY -> array.array(i).toString();
                default -> array.get(i);
            });
        }
        return head;
    }

    /** Why llama.cpp would not be given this file as a model, or "". */
    private static String problem(GgufFile file) {
        try {
            if (file.tensors().isEmpty()) {
                ModelPreflight.checkVocabulary(file);
            } else {
                ModelPreflight.check(file);
            }
            return "";
        } catch (BridgeException e) {
            return e.getMessage();
        }
    }
}
