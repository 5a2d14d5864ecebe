package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the tensors of a {@code torch.save} file: the zip format (torch 1.6 and later) and the one before it.
 *
 * <p><i>Source</i>: torch/serialization.py, {@code _load} and {@code _legacy_load} (BSD-3). Zip: {@code NAME/data.pkl} with the object,
 * {@code NAME/data/KEY} with the raw little-endian storages. Legacy: five pickles in a row (magic, protocol, system information, object,
 * storage keys), then for each key its element count as i64 and the raw data.
 */
public final class PyTorchFile {

    private static final BigInteger LEGACY_MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
    /** Elements that a tensor may have beyond those of its storage: masks are sometimes saved as one row, repeated by a stride of zero. */
    private static final long MOST_REPEATED = 1 << 24;
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Keys under which trainers put the state dictionary of a model. */
    private static final List<String> WRAPPERS = List.of("state_dict", "model_state_dict", "model", "module");

    private PyTorchFile() {}

    /** The tensors in the order in which they were saved. */
    public static List<StoredTensor> read(MappedFile mapped) throws IOException {
        return StoredZip.looksLike(mapped) ? readZip(mapped) : readLegacy(mapped);
    }

    private static List<StoredTensor> readZip(MappedFile mapped) throws IOException {
        Path file = mapped.path();
        Map<String, MemorySegment> entries = StoredZip.entries(mapped);
        String name = entries.keySet().stream().filter(n -> n.endsWith("/data.pkl")).findFirst()
                .orElseThrow(() -> new InvalidFileException(file, "zip directory", "an entry NAME/data.pkl", "none"));
        String prefix = name.substring(0, name.length() - "data.pkl".length());
        MemorySegment order = entries.get(prefix + "byteorder");
        if (order != null && (order.byteSize() != 6 || !new String(order.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII).equals("little"))) {
            throw new InvalidFileException(file, "byteorder", "little", "another byte order");
        }
        Object state = new TensorUnpickler(file, new SegmentStream(entries.get(name))).next();
        return tensors(file, state, key -> entries.get(prefix + "data/" + key));
    }

    private static List<StoredTensor> readLegacy(MappedFile mapped) throws IOException {
        Path file = mapped.path();
        var data = new SegmentStream(mapped.segment());
        Object magic = new TensorUnpickler(file, data).next();
        if (!LEGACY_MAGIC.equals(magic)) {
            throw new InvalidFileException(file, "start", "a torch.save file", "no zip file and not torch's magic number");
        }
        new TensorUnpickler(file, data).next(); // protocol version
        new TensorUnpickler(file, data).next(); // sys_info
        Object state = new TensorUnpickler(file, data).next();
        if (!(new TensorUnpickler(file, data).next() instanceof List<?> keys)) {
            throw new InvalidFileException(file, "storage keys", "a list", "another object");
        }
        var types = new HashMap<String, DType>();
        stateTensors(file, state, 0).forEach((name, tensor) -> types.put(tensor.storage().key(), tensor.storage().type()));
        var storages = new HashMap<String, MemorySegment>();
        for (Object key : keys) {
            long count = data.remaining() < 8 ? -1 : data.take(8).get(I64, 0);
            DType type = key instanceof String ? types.get(key) : null;
            if (type == null || count < 0 || count > data.remaining() / type.bytes()) {
                throw new InvalidFileException(file, "storage " + (key instanceof String ? key : "keys"), "its elements inside the file",
                        type == null ? "no tensor that uses it" : count + " elements, " + data.remaining() + " bytes left");
            }
            storages.put((String) key, data.take(count * type.bytes()));
        }
        return tensors(file, state, storages::get);
    }

    private interface Storages {
        MemorySegment find(String key);
    }

    private static List<StoredTensor> tensors(Path file, Object state, Storages storages) {
        var list = new ArrayList<StoredTensor>();
        stateTensors(file, state, 0).forEach((name, tensor) -> {
            var wanted = tensor.storage();
            MemorySegment bytes = storages.find(wanted.key());
            DType type = wanted.type();
            if (bytes == null || type == null || wanted.start() < 0 || wanted.count() < 0
                    || wanted.start() > bytes.byteSize() / type.bytes() - wanted.count() || tensor.shape().length != tensor.strides().length) {
                throw new InvalidFileException(file, "tensor '" + name + "'", "a storage inside the file",
                        bytes == null ? "no storage " + wanted.key() : wanted.count() + " elements of storage " + wanted.key());
            }
            for (int d = 0; d < tensor.shape().length; d++) {
                if (tensor.shape()[d] < 0 || tensor.strides()[d] < 0) {
                    throw new InvalidFileException(file, "tensor '" + name + "'", "sizes and strides from 0", "a negative one");
                }
            }
            requireBounded(file, name, tensor.shape(), wanted.count());
            long size = type.bytes();
            list.add(new StoredTensor(name, type, tensor.shape(), tensor.strides(), tensor.offset(),
                    bytes.asSlice(wanted.start() * size, wanted.count() * size), file));
        });
        return list;
    }

    /** A stride of zero makes any number of elements out of one. */
    private static void requireBounded(Path file, String name, long[] shape, long stored) {
        long count = 1;
        for (long size : shape) {
            count = size != 0 && count > Long.MAX_VALUE / size ? Long.MAX_VALUE : count * size;
        }
        if (count > Math.max(stored, MOST_REPEATED)) {
            throw new InvalidFileException(file, "tensor '" + name + "'", "at most as many elements as its storage has, " + stored,
                    "shape " + java.util.Arrays.toString(shape));
        }
    }

    /** The tensors of a state dictionary, or of the only dictionary inside one that trainers wrap around it. */
    private static Map<String, TensorUnpickler.Tensor> stateTensors(Path file, Object state, int depth) {
        var tensors = new java.util.LinkedHashMap<String, TensorUnpickler.Tensor>();
        if (state instanceof Map<?, ?> map) {
            for (String wrapper : WRAPPERS) {
                if (map.get(wrapper) instanceof Map<?, ?> inner && depth < WRAPPERS.size()) {
                    return stateTensors(file, inner, depth + 1);
                }
            }
            map.forEach((key, value) -> {
                if (key instanceof String name && value instanceof TensorUnpickler.Tensor tensor) {
                    tensors.put(name, tensor);
                }
            });
        }
        if (tensors.isEmpty()) {
            throw new InvalidFileException(file, "pickle", "a dictionary of tensors by name", "no tensor in it");
        }
        return tensors;
    }
}
