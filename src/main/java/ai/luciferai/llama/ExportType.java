package ai.luciferai.llama;

/** What the tensors that an adapter changes are stored as. The others are copied as they are. */
public enum ExportType {
    /** As llama-export-lora: F32 where the base has F32, else F16. */
    AUTO,
    /** What the base has, quantized again where it is quantized. */
    SAME,
    /** 32-bit floats. */
    F32,
    /** 16-bit floats (IEEE half). */
    F16,
    /** 16-bit floats with the range of 32-bit ones. */
    BF16,
    /** 8-bit integers in blocks of 32 with a scale; F16 where a row is not whole blocks. */
    Q8_0,
    /** 4-bit integers in blocks of 32 with a scale; for this and the following, F16 where a row is not whole blocks. */
    Q4_0,
    /** The same with a minimum. */
    Q4_1,
    /** 5-bit integers in blocks of 32 with a scale. */
    Q5_0,
    /** The same with a minimum. */
    Q5_1,
    /** 2 bits in blocks of 256 whose scales are quantized, too. */
    Q2_K,
    /** 3 bits. */
    Q3_K,
    /** 4 bits. */
    Q4_K,
    /** 5 bits. */
    Q5_K,
    /** 6 bits. */
    Q6_K
}
