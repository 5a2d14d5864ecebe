package ai.luciferai.llama.ffi;

/**
 * Values of llama.cpp's enums, named as in {@code llama.h}, for parameters and descriptions that carry them as numbers. Written out
 * so that an option can be made without touching native code; {@code LlamaConstantsTest} compares them with the generated bindings.
 * Number formats are in {@code GgmlType} of the package {@code gguf}.
 */
public final class LlamaConstants {

    /** Draw a seed at random. */
    public static final int LLAMA_DEFAULT_SEED = 0xFFFFFFFF;

    // enum llama_split_mode
    public static final int LLAMA_SPLIT_MODE_NONE = 0;
    public static final int LLAMA_SPLIT_MODE_LAYER = 1;
    public static final int LLAMA_SPLIT_MODE_ROW = 2;
    public static final int LLAMA_SPLIT_MODE_TENSOR = 3;

    // enum llama_load_mode
    public static final int LLAMA_LOAD_MODE_AUTO = -1;
    public static final int LLAMA_LOAD_MODE_NONE = 0;
    public static final int LLAMA_LOAD_MODE_MMAP = 1;
    public static final int LLAMA_LOAD_MODE_MLOCK = 2;
    public static final int LLAMA_LOAD_MODE_MMAP_MLOCK = 3;
    public static final int LLAMA_LOAD_MODE_DIRECT_IO = 4;

    // enum llama_flash_attn_type
    public static final int LLAMA_FLASH_ATTN_TYPE_AUTO = -1;
    public static final int LLAMA_FLASH_ATTN_TYPE_DISABLED = 0;
    public static final int LLAMA_FLASH_ATTN_TYPE_ENABLED = 1;

    // enum llama_pooling_type
    public static final int LLAMA_POOLING_TYPE_UNSPECIFIED = -1;
    public static final int LLAMA_POOLING_TYPE_NONE = 0;
    public static final int LLAMA_POOLING_TYPE_MEAN = 1;
    public static final int LLAMA_POOLING_TYPE_CLS = 2;
    public static final int LLAMA_POOLING_TYPE_LAST = 3;
    public static final int LLAMA_POOLING_TYPE_RANK = 4;

    // enum llama_attention_type
    public static final int LLAMA_ATTENTION_TYPE_UNSPECIFIED = -1;
    public static final int LLAMA_ATTENTION_TYPE_CAUSAL = 0;
    public static final int LLAMA_ATTENTION_TYPE_NON_CAUSAL = 1;

    // enum llama_rope_scaling_type
    public static final int LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED = -1;
    public static final int LLAMA_ROPE_SCALING_TYPE_NONE = 0;
    public static final int LLAMA_ROPE_SCALING_TYPE_LINEAR = 1;
    public static final int LLAMA_ROPE_SCALING_TYPE_YARN = 2;
    public static final int LLAMA_ROPE_SCALING_TYPE_LONGROPE = 3;

    // enum llama_vocab_type
    public static final int LLAMA_VOCAB_TYPE_NONE = 0;
    public static final int LLAMA_VOCAB_TYPE_SPM = 1;
    public static final int LLAMA_VOCAB_TYPE_BPE = 2;
    public static final int LLAMA_VOCAB_TYPE_WPM = 3;
    public static final int LLAMA_VOCAB_TYPE_UGM = 4;
    public static final int LLAMA_VOCAB_TYPE_RWKV = 5;
    public static final int LLAMA_VOCAB_TYPE_PLAMO2 = 6;
    public static final int LLAMA_VOCAB_TYPE_TEST = 7;

    // enum llama_token_attr
    public static final int LLAMA_TOKEN_ATTR_UNDEFINED = 0;
    public static final int LLAMA_TOKEN_ATTR_UNKNOWN = 1;
    public static final int LLAMA_TOKEN_ATTR_UNUSED = 2;
    public static final int LLAMA_TOKEN_ATTR_NORMAL = 4;
    public static final int LLAMA_TOKEN_ATTR_CONTROL = 8;
    public static final int LLAMA_TOKEN_ATTR_USER_DEFINED = 16;
    public static final int LLAMA_TOKEN_ATTR_BYTE = 32;
    public static final int LLAMA_TOKEN_ATTR_NORMALIZED = 64;
    public static final int LLAMA_TOKEN_ATTR_LSTRIP = 128;
    public static final int LLAMA_TOKEN_ATTR_RSTRIP = 256;
    public static final int LLAMA_TOKEN_ATTR_SINGLE_WORD = 512;

    // enum llama_ftype
    public static final int LLAMA_FTYPE_ALL_F32 = 0;
    public static final int LLAMA_FTYPE_MOSTLY_F16 = 1;
    public static final int LLAMA_FTYPE_MOSTLY_Q4_0 = 2;
    public static final int LLAMA_FTYPE_MOSTLY_Q4_1 = 3;
    public static final int LLAMA_FTYPE_MOSTLY_Q8_0 = 7;
    public static final int LLAMA_FTYPE_MOSTLY_Q5_0 = 8;
    public static final int LLAMA_FTYPE_MOSTLY_Q5_1 = 9;
    public static final int LLAMA_FTYPE_MOSTLY_Q2_K = 10;
    public static final int LLAMA_FTYPE_MOSTLY_Q3_K_S = 11;
    public static final int LLAMA_FTYPE_MOSTLY_Q3_K_M = 12;
    public static final int LLAMA_FTYPE_MOSTLY_Q3_K_L = 13;
    public static final int LLAMA_FTYPE_MOSTLY_Q4_K_S = 14;
    public static final int LLAMA_FTYPE_MOSTLY_Q4_K_M = 15;
    public static final int LLAMA_FTYPE_MOSTLY_Q5_K_S = 16;
    public static final int LLAMA_FTYPE_MOSTLY_Q5_K_M = 17;
    public static final int LLAMA_FTYPE_MOSTLY_Q6_K = 18;
    public static final int LLAMA_FTYPE_MOSTLY_IQ2_XXS = 19;
    public static final int LLAMA_FTYPE_MOSTLY_IQ2_XS = 20;
    public static final int LLAMA_FTYPE_MOSTLY_Q2_K_S = 21;
    public static final int LLAMA_FTYPE_MOSTLY_IQ3_XS = 22;
    public static final int LLAMA_FTYPE_MOSTLY_IQ3_XXS = 23;
    public static final int LLAMA_FTYPE_MOSTLY_IQ1_S = 24;
    public static final int LLAMA_FTYPE_MOSTLY_IQ4_NL = 25;
    public static final int LLAMA_FTYPE_MOSTLY_IQ3_S = 26;
    public static final int LLAMA_FTYPE_MOSTLY_IQ3_M = 27;
    public static final int LLAMA_FTYPE_MOSTLY_IQ2_S = 28;
    public static final int LLAMA_FTYPE_MOSTLY_IQ2_M = 29;
    public static final int LLAMA_FTYPE_MOSTLY_IQ4_XS = 30;
    public static final int LLAMA_FTYPE_MOSTLY_IQ1_M = 31;
    public static final int LLAMA_FTYPE_MOSTLY_BF16 = 32;
    public static final int LLAMA_FTYPE_MOSTLY_TQ1_0 = 36;
    public static final int LLAMA_FTYPE_MOSTLY_TQ2_0 = 37;
    public static final int LLAMA_FTYPE_MOSTLY_MXFP4_MOE = 38;
    public static final int LLAMA_FTYPE_MOSTLY_NVFP4 = 39;
    public static final int LLAMA_FTYPE_MOSTLY_Q1_0 = 40;
    public static final int LLAMA_FTYPE_MOSTLY_Q2_0 = 41;
    public static final int LLAMA_FTYPE_GUESSED = 1024;

    private LlamaConstants() {}
}
