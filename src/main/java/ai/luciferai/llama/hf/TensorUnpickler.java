package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.razorvine.pickle.IObjectConstructor;
import net.razorvine.pickle.Opcodes;
import net.razorvine.pickle.PickleException;
import net.razorvine.pickle.PickleUtils;
import net.razorvine.pickle.Unpickler;

/**
 * Unpickles a PyTorch state dictionary and nothing else: only the opcodes that {@code torch.save} writes, only the constructors that
 * tensors need. Every other name is refused before anything is built; nothing of the file is ever executed.
 *
 * <p>The opcodes that touch names and dictionaries are handled here, because the library's own would accept any name and lose the order
 * of a dictionary; the rest is the library's.
 *
 * <p><i>Source</i>: torch/_weights_only_unpickler.py and torch/serialization.py (BSD-3) for what a file may contain.
 */
final class TensorUnpickler extends Unpickler {

    /** A storage that a tensor names: its elements are found by key. */
    record Storage(DType type, String key, long start, long count) {}

    /** A tensor as pickled. */
    record Tensor(Storage storage, long offset, long[] shape, long[] strides) {}

    /** Marks a storage class or dtype; {@code type} is null for the untyped storage. */
    private record TypeName(DType type) implements IObjectConstructor {
        @Override
        public Object construct(Object[] args) {
            throw new PickleException("a storage class is called");
        }
    }

    private static final Map<String, Object> ALLOWED = new LinkedHashMap<>();
    /** Opcodes of one pickle; a tensor takes some forty, and one opcode can make a dictionary of sixty bytes. */
    private static final int MOST_OPCODES = 4_000_000;
    private static final long MOST_BYTES = 64L << 20;

    static {
        allow("collections.OrderedDict", TensorUnpickler::dictionary);
        allow("torch._utils._rebuild_tensor", args -> tensor(args, 4));
        allow("torch._utils._rebuild_tensor_v2", args -> tensor(args, 6));
        allow("torch._utils._rebuild_tensor_v3", args -> retyped(tensor(args, 7), args[6]));
        allow("torch._utils._rebuild_parameter", args -> args[0]);
        allow("torch._utils._rebuild_parameter_with_state", args -> args[0]);
        allow("torch._tensor._rebuild_from_type_v2", args -> ((IObjectConstructor) args[0]).construct((Object[]) args[2]));
        allow("torch.nn.parameter.Parameter", args -> args[0]);
        allow("torch.Size", args -> args.length == 1 ? args[0] : new Object[0]);
        allow("torch.device", args -> "device");
        allow("torch.serialization._get_layout", args -> "layout");
        String[][] types = {{"Double", "F64", "float64"}, {"Float", "F32", "float32"}, {"Half", "F16", "float16"},
            {"BFloat16", "BF16", "bfloat16"}, {"Long", "I64", "int64"}, {"Int", "I32", "int32"}, {"Short", "I16", "int16"},
            {"Char", "I8", "int8"}, {"Byte", "U8", "uint8"}, {"Bool", "BOOL", "bool"},
            {"Float8_e4m3fn", "F8_E4M3", "float8_e4m3fn"}, {"Float8_e5m2", "F8_E5M2", "float8_e5m2"}};
        for (String[] type : types) {
            ALLOWED.put("torch." + type[0] + "Storage", new TypeName(DType.named(type[1])));
            ALLOWED.put("torch." + type[2], new TypeName(DType.named(type[1])));
        }
        ALLOWED.put("torch.storage.UntypedStorage", new TypeName(null));
        ALLOWED.put("torch.storage.TypedStorage", new TypeName(null));
        ALLOWED.put("torch.Tensor", "Tensor");
    }

    private final Path file;
    private final SegmentStream data;
    private final long start;
    private int opcodes;

    TensorUnpickler(Path file, SegmentStream data) {
        this.file = file;
        this.data = data;
        this.start = data.position();
    }

    private static void allow(String name, IObjectConstructor constructor) {
        ALLOWED.put(name, constructor);
    }

    /** The next object of the stream. */
    Object next() {
        try {
            return load(data);
        } catch (InvalidFileException typed) {
            throw typed;
        } catch (RuntimeException | IOException | StackOverflowError fault) { // the bytes are mapped, so this is never real I/O, but damage: reported by whatever casts and stacks throw
            throw new InvalidFileException(file, "pickle before byte " + data.position(), "a PyTorch state dictionary",
                    fault.getClass().getSimpleName() + (fault.getMessage() == null ? "" : ": " + fault.getMessage()), null, fault);
        }
    }

    @Override
    protected Object dispatch(short opcode) throws IOException {
        if (++opcodes > MOST_OPCODES || data.position() - start > MOST_BYTES) {
            throw new InvalidFileException(file, "pickle", "at most " + MOST_OPCODES + " opcodes in " + MOST_BYTES + " bytes", "more");
        }
        switch (opcode) {
            case Opcodes.GLOBAL -> stack.add(named(PickleUtils.readline(input), PickleUtils.readline(input)));
            case Opcodes.STACK_GLOBAL -> {
                String name = (String) stack.pop();
                stack.add(named((String) stack.pop(), name));
            }
            case Opcodes.EMPTY_DICT -> stack.add(new LinkedHashMap<>());
            case Opcodes.SETITEM -> {
                Object value = stack.pop();
                Object key = stack.pop();
                put(key, value);
            }
            case Opcodes.SETITEMS -> {
                List<Object> items = stack.pop_all_since_marker();
                for (int i = 0; i + 1 < items.size(); i += 2) {
                    put(items.get(i), items.get(i + 1));
                }
            }
            case Opcodes.BUILD -> stack.pop(); // the state of an OrderedDict is its _metadata, of a Parameter its hooks
            case Opcodes.BINUNICODE, Opcodes.BINSTRING, Opcodes.BINBYTES -> {
                if (Integer.toUnsignedLong(data.peekInt()) > Math.min(data.remaining(), MOST_BYTES)) {
                    throw new PickleException("a text longer than the file, or than " + MOST_BYTES + " bytes");
                }
                return super.dispatch(opcode);
            }
            case Opcodes.PROTO, Opcodes.FRAME, Opcodes.MEMOIZE, Opcodes.SHORT_BINUNICODE, Opcodes.SHORT_BINBYTES, Opcodes.SHORT_BINSTRING,
                    Opcodes.EMPTY_LIST, Opcodes.EMPTY_TUPLE, Opcodes.EMPTY_SET, Opcodes.MARK, Opcodes.TUPLE, Opcodes.TUPLE1, Opcodes.TUPLE2,
                    Opcodes.TUPLE3, Opcodes.BININT, Opcodes.BININT1, Opcodes.BININT2, Opcodes.LONG1, Opcodes.BINFLOAT, Opcodes.NONE,
                    Opcodes.NEWTRUE, Opcodes.NEWFALSE, Opcodes.BINPUT, Opcodes.LONG_BINPUT, Opcodes.BINGET, Opcodes.LONG_BINGET,
                    Opcodes.BINPERSID, Opcodes.REDUCE, Opcodes.APPEND, Opcodes.APPENDS, Opcodes.POP, Opcodes.STOP -> {
                return super.dispatch(opcode);
            }
            default -> throw new PickleException("opcode " + opcode + ", which torch.save does not write");
        }
        return NO_RETURN_VALUE;
    }

    private void put(Object key, Object value) {
        @SuppressWarnings("unchecked") // every dictionary here is made by EMPTY_DICT or OrderedDict
        var map = (Map<Object, Object>) stack.peek();
        map.put(plain(key), value);
    }

    /** Keys of state dictionaries are texts; the hash of a nested list can take for ever. */
    private static Object plain(Object key) {
        if (!(key instanceof String || key instanceof Integer || key instanceof Long)) {
            throw new PickleException("a dictionary with something else than a text as key");
        }
        return key;
    }

    private Object named(String module, String name) {
        Object allowed = ALLOWED.get(module + "." + name);
        if (allowed == null) {
            throw new InvalidFileException(file, "pickle", "a PyTorch state dictionary: tensors by name",
                    "the Python object " + module + "." + name + ", which is not allowed",
                    "nothing of the file was executed; save the model's state_dict() as safetensors where you trust it");
        }
        return allowed;
    }

    @Override
    protected Object persistentLoad(Object id) {
        var parts = (Object[]) id;
        if (parts.length < 5 || !"storage".equals(parts[0])) {
            throw new PickleException("a persistent id that is no storage");
        }
        var storage = new Storage(((TypeName) parts[1]).type(), (String) parts[2], 0, whole(parts[4]));
        if (parts.length > 5 && parts[5] instanceof Object[] view) { // legacy files: (key, offset, size) of a part of the storage
            return new Storage(storage.type, storage.key, whole(view[1]), whole(view[2]));
        }
        return storage;
    }

    private static Object dictionary(Object[] args) {
        var map = new LinkedHashMap<>();
        if (args.length == 1) {
            for (Object pair : (List<?>) args[0]) {
                Object[] entry = pair instanceof List<?> list ? list.toArray() : (Object[]) pair;
                map.put(plain(entry[0]), entry[1]);
            }
        }
        return map;
    }

    private static Tensor tensor(Object[] args, int atLeast) {
        if (args.length < atLeast) {
            throw new PickleException("a tensor of " + args.length + " parts");
        }
        return new Tensor((Storage) args[0], whole(args[1]), wholes(args[2]), wholes(args[3]));
    }

    /** {@code _rebuild_tensor_v3}: an untyped storage, counted in bytes, with the type beside it. */
    private static Tensor retyped(Tensor tensor, Object type) {
        Storage raw = tensor.storage;
        DType real = ((TypeName) type).type();
        return new Tensor(new Storage(real, raw.key, raw.start, raw.count / real.bytes()), tensor.offset, tensor.shape, tensor.strides);
    }

    private static long whole(Object value) {
        return ((Number) value).longValue();
    }

    private static long[] wholes(Object value) {
        var list = value instanceof Object[] tuple ? List.of(tuple) : new ArrayList<Object>((List<?>) value);
        return list.stream().mapToLong(TensorUnpickler::whole).toArray();
    }
}
