package ai.luciferai.llama.convert;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Damages a pickle opcode by opcode: what comes out is still a sequence of whole opcodes, most of them sensible. */
final class PickleMutant {

    private static final String ONE_BYTE = "\u0080Kqh";
    private static final String FOUR_BYTES = "Jrj";
    private static final String LONG_TEXTS = "XTB\u008b";
    private static final String SHORT_TEXTS = "\u008cUC\u008a";
    private static final String PLAIN = "()]}tNRsuaeb0Q\u0085\u0086\u0087\u0088\u0089\u0094\u008f\u0093.";
    private static final String[] NAMES = {"torch._utils\n_rebuild_tensor_v2\n", "torch._utils\n_rebuild_tensor\n", "torch._utils\n_rebuild_tensor_v3\n",
        "torch._utils\n_rebuild_parameter\n", "torch._tensor\n_rebuild_from_type_v2\n", "torch\nFloatStorage\n", "torch\nByteStorage\n", "torch\nSize\n",
        "torch.storage\nUntypedStorage\n", "torch\nfloat16\n", "collections\nOrderedDict\n", "torch\nTensor\n", "torch\ndevice\n", "os\nsystem\n", "\n\n"};
    private static final long[] NUMBERS = {0, 1, 2, -1, 3, 255, 256, 65_535, Integer.MAX_VALUE, Integer.MIN_VALUE, 1L << 40, 1L << 61, 1L << 62,
        Long.MAX_VALUE, Long.MIN_VALUE};
    private static final String[] TEXTS = {"", "storage", "0", "1", "999", "cpu", "model.norm.weight", "\0", "../0", "state_dict"};

    private PickleMutant() {}

    /** The opcodes from {@code at} to the STOP. */
    static List<byte[]> parse(byte[] data, int at) {
        var ops = new ArrayList<byte[]>();
        int from = at;
        while (ops.isEmpty() || ops.getLast()[0] != '.') {
            int length = length(data, from);
            ops.add(Arrays.copyOfRange(data, from, from + length));
            from += length;
        }
        return ops;
    }

    private static int length(byte[] data, int at) {
        char op = (char) (data[at] & 0xFF);
        if (op == 'c') {
            int end = at;
            for (int lines = 0; lines < 2; end++) {
                lines += data[end] == '\n' ? 1 : 0;
            }
            return end - at;
        }
        int number = LONG_TEXTS.indexOf(op) >= 0 ? ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).getInt(at + 1) : 0;
        return LONG_TEXTS.indexOf(op) >= 0 ? 5 + number
                : SHORT_TEXTS.indexOf(op) >= 0 ? 2 + (data[at + 1] & 0xFF)
                : ONE_BYTE.indexOf(op) >= 0 ? 2 : op == 'M' ? 3 : FOUR_BYTES.indexOf(op) >= 0 ? 5 : op == 'G' || op == '\u0095' ? 9 : 1;
    }

    static byte[] join(List<byte[]> ops) {
        var out = new ByteArrayOutputStream();
        ops.forEach(out::writeBytes);
        return out.toByteArray();
    }

    static byte[] of(byte[] good, Random random) {
        List<byte[]> ops = parse(good, 0);
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            change(ops, random);
        }
        return join(ops);
    }

    private static void change(List<byte[]> ops, Random random) {
        int at = random.nextInt(ops.size());
        switch (random.nextInt(9)) {
            case 0 -> ops.remove(ops.size() > 1 ? at : 0);
            case 1 -> ops.add(at, ops.get(random.nextInt(ops.size())));
            case 2 -> {
                byte[] other = ops.get(random.nextInt(ops.size()));
                ops.set(at, other);
            }
            case 3 -> {
                for (int i = 0; i < 1 + random.nextInt(4); i++) {
                    ops.add(at, any(random));
                }
            }
            case 4 -> { // the same thing many times over: a deep or a wide one
                byte[] op = any(random);
                for (int i = 0; i < 3000; i++) {
                    ops.add(at, op);
                }
            }
            default -> ops.set(at, operand(ops.get(at), random));
        }
        if (ops.isEmpty()) {
            ops.add(new byte[] {'.'});
        }
    }

    /** The same kind of thing with another value: numbers at their edges, lengths that lie, memo places that are empty or their own. */
    private static byte[] operand(byte[] op, Random random) {
        char code = (char) (op[0] & 0xFF);
        if ("KMJ\u008a".indexOf(code) >= 0) {
            return number(NUMBERS[random.nextInt(NUMBERS.length)]);
        }
        if (code == 'c') {
            return ascii('c' + NAMES[random.nextInt(NAMES.length)]);
        }
        if (LONG_TEXTS.indexOf(code) >= 0 && random.nextBoolean()) {
            return text(TEXTS[random.nextInt(TEXTS.length)]);
        }
        byte[] changed = op.clone();
        if (changed.length > 1) {
            int last = LONG_TEXTS.indexOf(code) >= 0 ? 5 : changed.length;
            changed[1 + random.nextInt(last - 1)] = (byte) random.nextInt(256);
        }
        return changed;
    }

    private static byte[] any(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> number(NUMBERS[random.nextInt(NUMBERS.length)]);
            case 1 -> ascii('c' + NAMES[random.nextInt(NAMES.length)]);
            case 2 -> text(TEXTS[random.nextInt(TEXTS.length)]);
            case 3 -> new byte[] {(byte) (random.nextBoolean() ? 'h' : 'q'), (byte) random.nextInt(40)};
            default -> ascii(String.valueOf(PLAIN.charAt(random.nextInt(PLAIN.length()))));
        };
    }

    static byte[] number(long value) {
        return ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN).put((byte) 0x8a).put((byte) 8).putLong(value).array();
    }

    static byte[] text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(5 + bytes.length).order(ByteOrder.LITTLE_ENDIAN).put((byte) 'X').putInt(bytes.length).put(bytes).array();
    }

    static byte[] ascii(String ops) {
        return ops.getBytes(StandardCharsets.ISO_8859_1);
    }
}
