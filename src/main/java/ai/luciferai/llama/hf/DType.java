package ai.luciferai.llama.hf;

import java.util.HashMap;
import java.util.Map;

/** Element types of checkpoints, named as safetensors names them. */
public enum DType {
    /** 64-bit float. */
    F64(8),
    /** 32-bit float. */
    F32(4),
    /** 16-bit float (IEEE half). */
    F16(2),
    /** The upper half of a 32-bit float. */
    BF16(2),
    /** 64-bit integer. */
    I64(8),
    /** 32-bit integer. */
    I32(4),
    /** 16-bit integer. */
    I16(2),
    /** 8-bit integer. */
    I8(1),
    /** Unsigned 64-bit integer. */
    U64(8),
    /** Unsigned 32-bit integer. */
    U32(4),
    /** Unsigned 16-bit integer. */
    U16(2),
    /** Unsigned 8-bit integer. */
    U8(1),
    /** One byte, zero or one. */
    BOOL(1),
    /** 8-bit float: 4 exponent bits, 3 mantissa bits, no infinity. */
    F8_E4M3(1),
    /** 8-bit float: 5 exponent bits, 2 mantissa bits. */
    F8_E5M2(1),
    /** A power of two: 8 exponent bits. */
    F8_E8M0(1);

    private static final Map<String, DType> BY_NAME = new HashMap<>();

    static {
        for (DType type : values()) {
            BY_NAME.put(type.name(), type);
        }
    }

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether its elements are numbers as weights are, and not whole ones. */
    public boolean isFloat() {
        return name().charAt(0) == 'F' || this == BF16;
    }

    /** The type of that name, or null. */
    public static DType named(String name) {
        return BY_NAME.get(name);
    }
}
