package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * All tensors of a checkpoint, in the order that the reference converter gives them, as views of mapped files.
 *
 * <p><i>Ownership</i>: owns the mapped files; {@link #close} ends every view.
 */
public final class Checkpoint implements AutoCloseable {

    private final List<MappedFile> files = new ArrayList<>();
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

    private Checkpoint() {}

    /**
     * Opens the weights of a folder: {@code model*.safetensors}, else {@code pytorch_model*.bin}, each by its index where there is one,
     * else {@code *.pt} and {@code *.pth}.
     */
    public static Checkpoint openFolder(Path folder) throws IOException {
        String prefix = "model";
        String suffix = ".safetensors";
        List<Path> parts = list(folder, prefix, suffix);
        String indexName = "model.safetensors.index.json";
        if (parts.isEmpty() && !Files.isRegularFile(folder.resolve(indexName))) {
            parts = list(folder, "pytorch_model", ".bin");
            indexName = "pytorch_model.bin.index.json";
        }
        Path indexFile = folder.resolve(indexName);
        if (Files.isRegularFile(indexFile)) {
            return openIndexed(folder, JsonObject.read(indexFile).requireObject("weight_map"));
        }
        for (String other : List.of(".pt", ".pth")) {
            parts = parts.isEmpty() ? list(folder, "", other) : parts;
        }
        if (parts.isEmpty()) {
            throw new InvalidFileException(folder, "weights",
                    "model*.safetensors, pytorch_model*.bin, *.pt or *.pth", "none of them", "give the folder that holds config.json and the weights");
        }
        return openFiles(parts);
    }

    /** Opens weight files, each of a format that its name tells. */
    public static Checkpoint openFiles(Collection<Path> parts) throws IOException {
        var checkpoint = new Checkpoint();
        try {
            for (Path part : parts) {
                checkpoint.add(part);
            }
            return checkpoint;
        } catch (Throwable fault) {
            checkpoint.close();
            throw fault;
        }
    }

    private static Checkpoint openIndexed(Path folder, JsonObject weightMap) throws IOException {
        Path index = weightMap.file();
        var names = new TreeSet<String>(Safetensors::byCodePoint);
        for (var entry : weightMap.values().entrySet()) {
            if (!(entry.getValue() instanceof String name)) {
                throw new InvalidFileException(index, "tensor '" + entry.getKey() + "'", "a file name", JsonObject.kind(entry.getValue()));
            }
            names.add(name);
        }
        var parts = new ArrayList<Path>();
        var missing = new ArrayList<String>();
        for (String name : names) {
            Path part = inside(folder, index, name);
            if (Files.isRegularFile(part)) {
                parts.add(part);
            } else {
                missing.add(name);
            }
        }
        if (!missing.isEmpty()) {
            throw new InvalidFileException(index, "weight_map", "files that are in the folder", "no " + String.join(", ", missing), "download them");
        }
        Checkpoint checkpoint = openFiles(parts);
        Set<String> wanted = weightMap.values().keySet();
        Set<String> found = checkpoint.tensors.keySet();
        if (!wanted.equals(found)) {
            String absent = some(wanted, found);
            String extra = some(found, wanted);
            checkpoint.close();
            throw new InvalidFileException(index, "weight_map", "exactly the tensors of the files",
                    (absent.isEmpty() ? "" : "not in the files: " + absent) + (absent.isEmpty() || extra.isEmpty() ? "" : "; ")
                            + (extra.isEmpty() ? "" : "not in the index: " + extra), "the download may be incomplete");
        }
        return checkpoint;
    }

    /** A file of the folder, never one outside. */
    private static Path inside(Path folder, Path index, String name) {
        Path part;
        try {
            part = folder.resolve(name).normalize();
        } catch (java.nio.file.InvalidPathException odd) {
            part = null;
        }
        if (part == null || !part.startsWith(folder.normalize()) || Path.of(name).isAbsolute()) {
            throw new InvalidFileException(index, "weight_map", "names of files in this folder", "'" + name + "'");
        }
        return part;
    }

    private static String some(Set<String> of, Set<String> without) {
        var rest = new ArrayList<String>();
        for (String name : new TreeSet<>(of)) {
            if (!without.contains(name)) {
                rest.add(name);
            }
        }
        int n = rest.size();
        return String.join(", ", rest.subList(0, Math.min(n, 8))) + (n > 8 ? " and " + (n - 8) + " more" : "");
    }

    private static List<Path> list(Path folder, String prefix, String suffix) throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith(prefix) && f.getFileName().toString().endsWith(suffix))
                    .filter(Files::isRegularFile)
                    .sorted((a, b) -> Safetensors.byCodePoint(a.getFileName().toString(), b.getFileName().toString()))
                    .toList();
        }
    }

    private void add(Path part) throws IOException {
        MappedFile mapped = MappedFile.open(part);
        files.add(mapped);
        List<StoredTensor> found = part.getFileName().toString().endsWith(".safetensors") ? Safetensors.read(mapped) : PyTorchFile.read(mapped);
        var here = new HashSet<String>();
        for (StoredTensor tensor : found) {
            if (!here.add(tensor.name())) {
                throw new InvalidFileException(part, "tensor '" + tensor.name() + "'", "each name once", "it twice");
            }
            tensors.put(tensor.name(), tensor); // a name of an earlier part keeps its place and gets the later data, as in the reference
        }
    }

    /** The tensors by name, in order. */
    public Map<String, StoredTensor> tensors() {
        return tensors;
    }

    /** The weight files, mapped. */
    public List<MappedFile> files() {
        return List.copyOf(files);
    }

    /** The weight files. */
    public List<Path> paths() {
        return files.stream().map(MappedFile::path).toList();
    }

    @Override
    public void close() {
        files.forEach(MappedFile::close);
    }
}
