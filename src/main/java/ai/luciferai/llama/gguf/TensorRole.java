package ai.luciferai.llama.gguf;

import java.util.HashMap;
import java.util.Map;

/** What llama.cpp does with a tensor, which decides the types that its CPU kernels take. See tensor-roles.txt. */
enum TensorRole {
    MATRIX("f32, f16, bf16 or a quantized type"),
    VECTOR("f32"),
    KERNEL("f16 or f32"),
    ROWS("f32, f16, bf16 or a quantized type"),
    TABLE("i32"),
    UNUSED("any type");

    private static final Map<String, TensorRole> BY_NAME = load();

    private final String expected;

    TensorRole(String expected) {
        this.expected = expected;
    }

    private static Map<String, TensorRole> load() {
        var roles = new HashMap<String, TensorRole>();
        for (String line : Resources.lines("tensor-roles.txt")) {
            String[] words = line.split(" ");
            roles.put(words[1], valueOf(words[0].toUpperCase(java.util.Locale.ROOT)));
        }
        return roles;
    }

    /** Role of a tensor by its full name: "blk.0.attn_norm.weight". */
    static TensorRole of(String name) {
        int dot = name.lastIndexOf('.');
        String suffix = name.substring(dot + 1);
        if (suffix.equals("bias") || suffix.equals("scale") || suffix.equals("scales") || suffix.equals("input_scale")) {
            return VECTOR;
        }
        boolean hasSuffix = suffix.equals("weight");
        return BY_NAME.getOrDefault(withoutNumbers(hasSuffix ? name.substring(0, dot) : name), MATRIX);
    }

    /** "blk.12.attn_q" becomes "blk.N.attn_q". */
    private static String withoutNumbers(String name) {
        StringBuilder out = new StringBuilder(name.length());
        for (String part : name.split("\\.", -1)) {
            boolean number = !part.isEmpty() && part.chars().allMatch(c -> c >= '0' && c <= '9');
            out.append(out.isEmpty() ? "" : ".").append(number ? "N" : part);
        }
        return out.toString();
    }

    /** Whether the CPU kernels take this type in this role. */
    boolean takes(GgmlType type) {
        return switch (this) {
            case VECTOR -> type == GgmlType.F32;
            case KERNEL -> type == GgmlType.F16 || type == GgmlType.F32;
            case TABLE -> type == GgmlType.I32;
            case UNUSED -> true;
            case MATRIX, ROWS -> switch (type) {
                // Q8_1 and Q8_K exist for activations only: no routine reads them as weights.
                case Q8_1, Q8_K, I8, I16, I32, I64, F64 -> false;
                default -> true;
            };
        };
    }

    /** The types for a message. */
    String expected() {
        return expected;
    }
}
