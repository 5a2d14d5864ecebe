package ai.luciferai.llama;

/** What the matrices of a converted model are stored as. Norms and other small tensors are F32 in all of them. */
public enum ConvertType {
    /** 32-bit floats. */
    F32,
    /** 16-bit floats (IEEE half). */
    F16,
    /** 16-bit floats with the range of 32-bit ones. */
    BF16,
    /** 8-bit integers in blocks of 32 with a scale. */
    Q8_0,
    /** As the checkpoint has its first matrix that is BF16 or F16; F16 when none is. */
    AUTO
}
