package ai.luciferai.llama.convert;

import ai.luciferai.llama.gguf.GgmlType;

/** What the matrices of the output are stored as. Norms and other small tensors stay F32 whatever is asked for. */
public enum OutputType {
    /** 32-bit floats. */
    F32(GgmlType.F32, 0),
    /** 16-bit floats (IEEE half). */
    F16(GgmlType.F16, 1),
    /** 16-bit floats with the range of 32-bit ones. */
    BF16(GgmlType.BF16, 32),
    /** Blocks of 32 bytes with a common scale. */
    Q8_0(GgmlType.Q8_0, 7),
    /** The type of the checkpoint's first matrix that is BF16 or F16; F16 when none is. */
    AUTO(null, -1);

    private final GgmlType type;
    private final int fileType;

    OutputType(GgmlType type, int fileType) {
        this.type = type;
        this.fileType = fileType;
    }

    /** The tensor type; null for {@link #AUTO}. */
    GgmlType type() {
        return type;
    }

    /** Number for {@code general.file_type}. */
    int fileType() {
        return fileType;
    }
}
