package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.MappedFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A GGUF file that passed {@link GgufReader}'s checks; for a split model, all its parts as one.
 *
 * <p><i>Ownership</i>: owns the mappings of its parts. Metadata arrays and {@link #data} are views that die with {@link #close};
 * using them later throws {@link IllegalStateException}. <i>Threads</i>: any.
 */
public final class GgufFile implements AutoCloseable {

    /**
     * One file of a split model; a model in one file has one part.
     *
     * @param path        the file
     * @param bytes       its size
     * @param dataOffset  where its data section starts
     * @param tensorCount tensors in it
     */
    public record Part(Path path, long bytes, long dataOffset, int tensorCount) {}

    private final int version;
    private final ByteOrder order;
    private final Metadata metadata;
    private final List<Part> parts;
    private final List<MappedFile> mappings;
    private final Map<String, TensorInfo> tensors;

    GgufFile(int version, ByteOrder order, Metadata metadata, List<Part> parts, List<MappedFile> mappings,
            LinkedHashMap<String, TensorInfo> tensors) {
        this.version = version;
        this.order = order;
        this.metadata = metadata;
        this.parts = List.copyOf(parts);
        this.mappings = List.copyOf(mappings);
        this.tensors = tensors;
    }

    /** The same under another name, for messages about a file that was made from it; takes over the mappings. */
    public GgufFile as(Path shown) {
        var named = new ArrayList<>(parts);
        Part first = named.getFirst();
        named.set(0, new Part(shown, first.bytes(), first.dataOffset(), first.tensorCount()));
        return new GgufFile(version, order, metadata, named, mappings, new LinkedHashMap<>(tensors));
    }

    /** The file, or the first part. */
    public Path path() {
        return parts.getFirst().path();
    }

    /** GGUF version: 2 or 3. */
    public int version() {
        return version;
    }

    /** Byte order of metadata and tensor data. */
    public ByteOrder byteOrder() {
        return order;
    }

    /** The key-value pairs (of the first part, which has the model's). */
    public Metadata metadata() {
        return metadata;
    }

    /** The files that make up the model, in order. */
    public List<Part> parts() {
        return parts;
    }

    /** Alignment of tensor data in bytes. */
    public long alignment() {
        return metadata.integer(Metadata.ALIGNMENT, Metadata.DEFAULT_ALIGNMENT);
    }

    /** All tensors in the files' order. */
    public List<TensorInfo> tensors() {
        return List.copyOf(tensors.values());
    }

    /** The tensor with this name. */
    public Optional<TensorInfo> tensor(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    /** Size of all parts in bytes. */
    public long bytes() {
        return parts.stream().mapToLong(Part::bytes).sum();
    }

    /** Data of a tensor of this file, in the file's byte order. A view: pages are read when touched. */
    public MemorySegment data(TensorInfo tensor) {
        long start = parts.get(tensor.part()).dataOffset() + tensor.offset();
        return mappings.get(tensor.part()).segment().asSlice(start, tensor.bytes());
    }

    /**
     * Unmaps the files; a second call does nothing.
     *
     * @throws ai.luciferai.llama.core.BusyException when a native call is using a view at this moment
     */
    @Override
    public void close() {
        mappings.forEach(MappedFile::close);
    }
}
