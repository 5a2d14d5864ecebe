package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.Enumeration;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * All tensors of a checkpoint, in the order that the reference converter gives them, as views of mapped files.
 *
 * <p><i>Ownership</i>: owns the mapped files; {@link #close} ends every view.
 */
public final class Checkpoint implements AutoCloseable {

    /** model-00001-of-00003.safetensors. */
    private static final Pattern SHARD = Pattern.compile("(.*-)(\\d{1,6})-of-(\\d{1,6})(\\..*)");
    /** DataParallel, torch.compile, PEFT, Lightning with DeepSpeed, FSDP. */
    private static final List<String> WRAPPERS = List.of("module.", "_orig_mod.", "base_model.model.", "_forward_module.", "_fsdp_wrapped_module.");
    private static final int MOST_SHARDS = 10_000;

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
        requireAllShards(parts);
        return openFiles(parts);
    }

    /**
     * Opens one weight file, which has to be all of a model.
     *
     * @throws InvalidFileException for one of several: a model of it alone would lack the tensors of the others
     */
    public static Checkpoint openFile(Path file) throws IOException {
        Matcher shard = SHARD.matcher(file.getFileName().toString());
        if (shard.matches() && !shard.group(3).matches("0*1")) {
            throw new InvalidFileException(file, "input", "all weights of a model", "one of " + Integer.parseInt(shard.group(3)) + " files",
                    "give the folder " + file.toAbsolutePath().getParent());
        }
        return openFiles(List.of(file));
    }

    /** Without an index the names tell how many files there are. */
    private static void requireAllShards(List<Path> parts) {
        var names = parts.stream().map(part -> part.getFileName().toString()).toList();
        var missing = new TreeSet<String>();
        for (String name : names) {
            Matcher shard = SHARD.matcher(name);
            int count = shard.matches() ? Integer.parseInt(shard.group(3)) : 0;
            for (int i = 1; i <= Math.min(count, MOST_SHARDS); i++) {
                String other = shard.group(1) + "%0".concat(shard.group(2).length() + "d").formatted(i) + "-of-" + shard.group(3) + shard.group(4);
                if (!names.contains(other)) {
                    missing.add(other);
                }
            }
        }
        if (!missing.isEmpty()) {
            throw new InvalidFileException(parts.getFirst().toAbsolutePath().getParent(), "weights", "all files that belong together",
                    "no " + some(missing, Set.of()), "download them");
        }
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
        return Enumeration.of(of.stream().filter(name -> !without.contains(name)).sorted().toList(), 8);
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
            StoredTensor other = tensors.putIfAbsent(tensor.name(), tensor);
            if (other != null && !same(tensor, other)) {
                throw new InvalidFileException(part, "tensor '" + tensor.name() + "'", "each tensor in one file",
                        "other values than in " + other.file().getFileName(), "the folder holds files of two models: take those away that are not wanted");
            }
        }
    }

    /** Whether two tensors are the same, as shared ones are that were saved with each file. */
    private static boolean same(StoredTensor a, StoredTensor b) {
        return a.type() == b.type() && Arrays.equals(a.shape(), b.shape()) && Arrays.equals(a.strides(), b.strides())
                && dense(a).mismatch(dense(b)) < 0;
    }

    private static MemorySegment dense(StoredTensor tensor) {
        long elements = 1;
        for (int d = 0; d < tensor.shape().length; d++) {
            elements += Math.max(tensor.shape()[d] - 1, 0) * tensor.strides()[d];
        }
        long size = tensor.type().bytes();
        return tensor.storage().asSlice(tensor.offset() * size, tensor.count() == 0 ? 0 : elements * size);
    }

    /**
     * Takes off what wrappers of training put before the names of a model's tensors, where it stands before all of them.
     *
     * @return what was taken off, empty for nothing
     */
    public String unwrap() {
        var all = new StringBuilder();
        for (boolean found = true; found; ) {
            found = false;
            for (String wrapper : WRAPPERS) {
                if (!tensors.isEmpty() && tensors.keySet().stream().allMatch(name -> name.startsWith(wrapper))) {
                    rename(wrapper.length());
                    all.append(wrapper);
                    found = true;
                }
            }
        }
        return all.toString();
    }

    private void rename(int cut) {
        List<StoredTensor> old = List.copyOf(tensors.values());
        tensors.clear();
        for (StoredTensor t : old) {
            String name = t.name().substring(cut);
            tensors.put(name, new StoredTensor(name, t.type(), t.shape(), t.strides(), t.offset(), t.storage(), t.file()));
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
