package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Catalogue of damaged files, one for each thing that is checked: the bytes, at which step they are refused, with which exception,
 * and what its message says. Reading refuses the first half, the preflight of a load the second.
 */
public enum CorruptFile {

    // --- refused by GgufReader -----------------------------------------------------------------------------------------

    EMPTY("an empty file", new byte[0]),
    SHORT_MAGIC("magic: expected the characters 'GGUF', got 'GG'", "GG".getBytes()),
    WRONG_MAGIC("got 'NOPE'", "NOPE----------------".getBytes()),
    OLD_FORMAT("HINT: this is a GGML file of before GGUF", "lmgg----------------".getBytes()),
    LFS_POINTER("HINT: this may be a Git LFS pointer", "version https://git-lfs.github.com/spec/v1".getBytes()),
    ZIP("HINT: this may be a PyTorch or zip archive", "PK\3\4----------------".getBytes()),
    WEB_PAGE("HINT: this is a web page", "<!DOCTYPE html>".getBytes()),
    NO_VERSION("version: expected 4 bytes", "GGUF".getBytes()),
    VERSION_0("version: expected 2 or 3, got 0", GgufBytes.header(0, 0, 0).bytes()),
    VERSION_1("HINT: version 1 is of 2023", GgufBytes.header(1, 0, 0).bytes()),
    VERSION_4("HINT: the file is newer than this program", GgufBytes.header(4, 0, 0).bytes()),
    VERSION_HUGE("expected 2 or 3, got 4294967295", GgufBytes.header(-1, 0, 0).bytes()),
    NO_COUNTS("header, number of tensors: expected 8 bytes", Arrays.copyOf(GgufBytes.header(3, 0, 0).bytes(), 8)),
    TENSOR_COUNT_NEGATIVE("number of tensors: expected a count of at most", GgufBytes.header(3, -1, 0).bytes()),
    TENSOR_COUNT_ABSURD("number of tensors: expected a count that the remaining", GgufBytes.header(3, 1 << 30, 0).bytes()),
    PAIR_COUNT_NEGATIVE("number of metadata pairs: expected a count of at most", GgufBytes.header(3, 0, -1).bytes()),
    PAIR_COUNT_ABSURD("number of metadata pairs: expected a count that the remaining", GgufBytes.header(3, 0, 1 << 30).bytes()),
    KEY_TOO_LONG("metadata key number '0': expected 1099511627776 bytes", GgufBytes.header(3, 0, 1).u64(1L << 40).data(1, 64).bytes()),
    KEY_LENGTH_NEGATIVE("expected 18446744073709551615 bytes", GgufBytes.header(3, 0, 1).u64(-1).data(1, 64).bytes()),
    KEY_OVER_LIMIT("expected at most 65535 bytes, got 65536 bytes",
            GgufBytes.header(3, 0, 1).text("k".repeat(65536)).u32(GgufType.BOOL.code()).u8(1).bytes()),
    KEY_EMPTY("a text of at least one character", GgufBytes.header(3, 0, 1).key("", GgufType.UINT32).u32(1).u32(0).bytes()),
    KEY_WITH_NUL("got one with NUL", GgufBytes.header(3, 0, 1).key("a\0b", GgufType.UINT32).u32(1).bytes()),
    KEY_NOT_UTF8("metadata key number '0': expected UTF-8 text",
            GgufBytes.header(3, 0, 1).text(new byte[] {(byte) 0xC3, 0x28}).u32(GgufType.UINT32.code()).u32(1).bytes()),
    KEY_DUPLICATE("metadata key 'k': expected keys that differ, got a duplicate",
            GgufBytes.header(3, 0, 2).key("k", GgufType.UINT32).u32(1).key("k", GgufType.UINT32).u32(2).bytes()),
    VALUE_TYPE_UNKNOWN("metadata key 'k': expected a value type from 0 to 12, got 13",
            GgufBytes.header(3, 0, 1).text("k").u32(13).u64(0).bytes()),
    VALUE_TYPE_NEGATIVE("got 4294967295", GgufBytes.header(3, 0, 1).text("k").u32(-1).u64(0).bytes()),
    VALUE_CUT_OFF("metadata key 'key': expected 8 bytes", GgufBytes.header(3, 0, 1).key("key", GgufType.UINT64).u32(0).bytes()),
    BOOL_2("metadata key 'k': expected a boolean, 0 or 1, got 2", GgufBytes.header(3, 0, 1).key("k", GgufType.BOOL).u8(2).bytes()),
    BOOL_IN_ARRAY("expected a boolean, 0 or 1, got 7",
            GgufBytes.header(3, 0, 1).key("k", GgufType.ARRAY).u32(GgufType.BOOL.code()).u64(2).u8(1).u8(7).bytes()),
    TEXT_TOO_LONG("metadata key 'k': expected 4294967296 bytes",
            GgufBytes.header(3, 0, 1).key("k", GgufType.STRING).u64(1L << 32).bytes()),
    TEXT_NOT_UTF8("metadata key 'k': expected UTF-8 text",
            GgufBytes.header(3, 0, 1).key("k", GgufType.STRING).text(new byte[] {'a', (byte) 0xFF}).bytes()),
    ARRAY_TYPE_UNKNOWN("metadata key 'k': expected a value type", GgufBytes.header(3, 0, 1).key("k", GgufType.ARRAY).u32(99).u64(0).bytes()),
    ARRAY_LENGTH_NEGATIVE("expected a count of at most",
            GgufBytes.header(3, 0, 1).key("k", GgufType.ARRAY).u32(GgufType.UINT8.code()).u64(-1).bytes()),
    ARRAY_LENGTH_ABSURD("expected a count that the remaining 0 bytes can hold, got 1000000",
            GgufBytes.header(3, 0, 1).key("k", GgufType.ARRAY).u32(GgufType.UINT8.code()).u64(1_000_000).bytes()),
    ARRAY_OF_TEXTS_ABSURD("expected a count that the remaining 9 bytes can hold, got 2",
            GgufBytes.header(3, 0, 1).key("k", GgufType.ARRAY).u32(GgufType.STRING.code()).u64(2).text("a").bytes()),
    TEXT_IN_ARRAY_CUT_OFF("metadata key 'k': expected 50 bytes",
            GgufBytes.header(3, 0, 1).key("k", GgufType.ARRAY).u32(GgufType.STRING.code()).u64(2).text("a").u64(50).bytes()),
    TEXT_IN_ARRAY_NEGATIVE("expected 18446744073709551615 bytes",
            GgufBytes.header(3, 0, 1).key("k", GgufType.ARRAY).u32(GgufType.STRING.code()).u64(2).u64(-1).u64(0).bytes()),
    ARRAY_TOO_DEEP("expected arrays nested at most 4 deep", nested(6)),
    ALIGNMENT_0("metadata key 'general.alignment': expected a power of two, got 0",
            GgufBytes.header(3, 0, 1).key(Metadata.ALIGNMENT, GgufType.UINT32).u32(0).bytes()),
    ALIGNMENT_12("expected a power of two, got 12", GgufBytes.header(3, 0, 1).key(Metadata.ALIGNMENT, GgufType.UINT32).u32(12).bytes()),
    ALIGNMENT_TYPE("metadata key 'general.alignment': expected a value of type u32, got u64",
            GgufBytes.header(3, 0, 1).key(Metadata.ALIGNMENT, GgufType.UINT64).u64(32).bytes()),
    NAME_TOO_LONG("name of tensor number '0': expected at most 63 bytes, got 64 bytes",
            GgufBytes.header(3, 1, 0).tensor("x".repeat(64), 0, 0, 1).data(32, 4).bytes()),
    NAME_WITH_NUL("got one with NUL", GgufBytes.header(3, 1, 0).tensor("a\0", 0, 0, 1).data(32, 4).bytes()),
    NAME_DUPLICATE("tensor 'x': expected names that differ",
            GgufBytes.header(3, 2, 0).tensor("x", 0, 0, 1).tensor("x", 0, 32, 1).data(32, 64).bytes()),
    DIMENSIONS_5("tensor 'x', shape: expected at most 4 dimensions, got 5",
            GgufBytes.header(3, 1, 0).tensor("x", 0, 0, 1, 1, 1, 1, 1).data(32, 4).bytes()),
    DIMENSIONS_NEGATIVE("at most 4 dimensions, got 4294967295",
            GgufBytes.header(3, 1, 0).text("x").u32(-1).data(32, 32).bytes()),
    SIZE_NEGATIVE("tensor 'x', shape: expected sizes below 2^63", GgufBytes.header(3, 1, 0).tensor("x", 0, 0, -1).data(32, 4).bytes()),
    SHAPE_OVERFLOW("tensor 'x', shape: expected a size below 2^63 bytes",
            GgufBytes.header(3, 1, 0).tensor("x", 0, 0, 1L << 32, 1L << 32).data(32, 4).bytes()),
    BYTES_OVERFLOW("expected a size below 2^63 bytes",
            GgufBytes.header(3, 1, 0).tensor("x", 0, 0, 1L << 31, 1L << 31).data(32, 4).bytes()),
    TENSOR_TYPE_REMOVED("tensor 'x', type: expected a tensor type of ggml 0.25.1, got 4, a type that ggml has removed",
            GgufBytes.header(3, 1, 0).tensor("x", 4, 0, 32).data(32, 32).bytes()),
    TENSOR_TYPE_UNKNOWN("expected a tensor type of ggml 0.25.1, got 43", GgufBytes.header(3, 1, 0).tensor("x", 43, 0, 32).data(32, 32).bytes()),
    TENSOR_TYPE_NEGATIVE("got -1", GgufBytes.header(3, 1, 0).tensor("x", -1, 0, 32).data(32, 32).bytes()),
    HALF_BLOCK("tensor 'x', shape: expected rows of whole blocks of 32 elements (q4_0), got shape [33]",
            GgufBytes.header(3, 1, 0).tensor("x", 2, 0, 33).data(32, 64).bytes()),
    OFFSET_NOT_0("tensor 'x', offset: expected 0, right behind the tensor before it, got 32",
            GgufBytes.header(3, 1, 0).tensor("x", 0, 32, 1).data(32, 64).bytes()),
    OFFSET_OVERLAP("tensor 'y', offset: expected 32, right behind the tensor before it, got 0",
            GgufBytes.header(3, 2, 0).tensor("x", 0, 0, 1).tensor("y", 0, 0, 1).data(32, 64).bytes()),
    OFFSET_GAP("tensor 'y', offset: expected 32", GgufBytes.header(3, 2, 0).tensor("x", 0, 0, 1).tensor("y", 0, 64, 1).data(32, 96).bytes()),
    OFFSET_UNALIGNED("tensor 'y', offset: expected 32", GgufBytes.header(3, 2, 0).tensor("x", 0, 0, 1).tensor("y", 0, 4, 1).data(32, 64).bytes()),
    OFFSET_HUGE("got 18446744073709551584", GgufBytes.header(3, 1, 0).tensor("x", 0, -32, 1).data(32, 64).bytes()),
    DATA_CUT_OFF("tensor 'x', data: expected 400 bytes, got 399 bytes until the end of the file",
            GgufBytes.header(3, 1, 0).tensor("x", 0, 0, 100).data(32, 399).bytes()),
    DATA_MISSING("got 0 bytes until the end of the file", GgufBytes.header(3, 1, 0).tensor("x", 0, 0, 100).bytes()),
    SPLIT_NAME("expected a name ending in -00001-of-00002.gguf",
            tiny(pairs -> pairs.integer("split.no", GgufType.UINT16, 0).integer("split.count", GgufType.UINT16, 2))),
    SPLIT_COUNT_TYPE("metadata key 'split.count': expected a value of type u16, got u32", tiny(pairs -> pairs.uint32("split.count", 2))),
    SPLIT_NOT_FIRST("metadata key 'split.no': expected 0, the first part, got 1 of 2",
            tiny(pairs -> pairs.integer("split.no", GgufType.UINT16, 1).integer("split.count", GgufType.UINT16, 2))),

    // --- refused by ModelPreflight: what llama.cpp would end the process over, or fails on without a good word --------------

    BIG_ENDIAN(UnsupportedModelException.class, "byte order is not supported",
            new GgufBytes(ByteOrder.BIG_ENDIAN).head(3, 0, 1).key(Metadata.ARCHITECTURE, GgufType.STRING).text("llama").bytes()),
    NO_ARCHITECTURE(InvalidFileException.class, "metadata key 'general.architecture': expected a string, got no such key",
            tiny(pairs -> pairs.remove(Metadata.ARCHITECTURE))),
    ARCHITECTURE_UNKNOWN(UnsupportedModelException.class, "architecture is not supported", tiny(pairs -> pairs.string(Metadata.ARCHITECTURE, "nollama"))),
    IMAGE_ENCODER(UnsupportedModelException.class, "HINT: give the language model that it belongs to",
            tiny(pairs -> pairs.string(Metadata.ARCHITECTURE, "clip"))),
    ADAPTER(UnsupportedModelException.class, "HINT: load the base model", tiny(pairs -> pairs.string("general.type", "adapter"))),
    IMPORTANCE_MATRIX(UnsupportedModelException.class, "expected a model, got an importance matrix",
            tiny(pairs -> pairs.remove(Metadata.ARCHITECTURE).string("general.type", "imatrix"))),
    ARRAY_OF_ARRAYS(UnsupportedModelException.class, "metadata key 'x' is not supported: expected arrays of plain values",
            tiny(pairs -> pairs.array("x", GgufArray.ofArrays(List.of(GgufArray.ofInt32(1)))))),
    SMALL_ALIGNMENT(UnsupportedModelException.class, "an alignment of at least 32, got 8", tiny(pairs -> pairs.uint32(Metadata.ALIGNMENT, 8))),
    NO_LAYERS(InvalidFileException.class, "metadata key 'llama.block_count': expected a number from 1 to 512, got 0",
            tiny(pairs -> pairs.uint32("llama.block_count", 0))),
    TOO_MANY_LAYERS(InvalidFileException.class, "got 513", tiny(pairs -> pairs.uint32("llama.block_count", 513))),
    NO_CONTEXT(InvalidFileException.class, "metadata key 'llama.context_length'", tiny(pairs -> pairs.uint32("llama.context_length", 0))),
    NO_EMBEDDING(InvalidFileException.class, "metadata key 'llama.embedding_length'", tiny(pairs -> pairs.remove("llama.embedding_length"))),
    HEAD_COUNT_IS_TEXT(InvalidFileException.class, "metadata key 'llama.attention.head_count': expected a whole number, got str",
            tiny(pairs -> pairs.string("llama.attention.head_count", "two"))),
    EPSILON_NEGATIVE(InvalidFileException.class, "layer_norm_rms_epsilon': expected a number of at least 0, got -1.0",
            tiny(pairs -> pairs.float32("llama.attention.layer_norm_rms_epsilon", -1))),
    EPSILON_NAN(InvalidFileException.class, "got NaN", tiny(pairs -> pairs.float32("llama.attention.layer_norm_rms_epsilon", Float.NaN))),
    ROPE_ODD(InvalidFileException.class, "rope.dimension_count': expected an even number from 2 to 8",
            tiny(pairs -> pairs.uint32("llama.rope.dimension_count", 7))),
    ROPE_OF_NOTHING(InvalidFileException.class, "expected an even number from 2 to 8, the length of a key, got 0",
            tiny(pairs -> pairs.uint32("llama.rope.dimension_count", 0))),
    ROPE_WIDER_THAN_HEAD(InvalidFileException.class, "got 10", tiny(pairs -> pairs.uint32("llama.rope.dimension_count", 10))),
    ROPE_SECTIONS_NEGATIVE(InvalidFileException.class, "rope.dimension_sections': expected whole numbers of at least 0",
            tiny(pairs -> pairs.array("llama.rope.dimension_sections", GgufArray.ofInt32(1, -1, 0, 0)))),
    DIVISION_BY_ZERO(InvalidFileException.class, "metadata key 'rwkv6.wkv.head_size': expected a number above 0, got no such key",
            renamed("rwkv6")),
    MULTI_ROPE_WITHOUT_SECTIONS(InvalidFileException.class, "rope.dimension_sections': expected one of the first three above 0, and a sum of at most 8", sectionsAllZero()),
    ROUTER_WITHOUT_EXPERTS(InvalidFileException.class, "expert_used_count': expected 1 to 0 experts for layer 0", router()),
    COMPANION_MISSING(InvalidFileException.class, "tensor 'blk.0.ssm_conv1d.bias': expected a tensor of this name", companion()),
    NO_VOCABULARY(InvalidFileException.class, "metadata key 'tokenizer.ggml.model': expected a string, got no such key",
            tiny(pairs -> pairs.remove("tokenizer.ggml.model"))),
    NO_TOKENS(InvalidFileException.class, "metadata key 'tokenizer.ggml.tokens': expected an array, got no such key",
            tiny(pairs -> pairs.remove("tokenizer.ggml.tokens"))),
    EMPTY_VOCABULARY(InvalidFileException.class, "expected at least one token",
            tiny(pairs -> pairs.array("tokenizer.ggml.tokens", GgufArray.ofStrings(List.of())))),
    TOKENS_ARE_NUMBERS(InvalidFileException.class, "expected an array of strings", tiny(pairs -> pairs.array("tokenizer.ggml.tokens", GgufArray.ofInt32(1)))),
    SCORES_TOO_SHORT(InvalidFileException.class, "metadata key 'tokenizer.ggml.scores': expected 271 elements",
            tiny(pairs -> pairs.array("tokenizer.ggml.scores", GgufArray.ofFloat32(1)))),
    TYPES_TOO_SHORT(InvalidFileException.class, "metadata key 'tokenizer.ggml.token_type': expected 271 elements",
            tiny(pairs -> pairs.array("tokenizer.ggml.token_type", GgufArray.ofInt32(1)))),
    WORD_TOO_LONG(InvalidFileException.class, "metadata key 'tokenizer.ggml.tokens': expected tokens of at most 4096 bytes, got 4097 bytes in token 1, "
            + "which begins with 'xxxxxxxxxxxxxxxx'", vocabulary("llama", "a", "x".repeat(4097))),
    WORD_TOO_LONG_FOR_A_TRIE(InvalidFileException.class, "expected tokens of at most 1000 bytes, got 10000 bytes", vocabulary("t5", "a", "x".repeat(10_000))),
    WORD_TOO_LONG_FOR_A_WORLD(InvalidFileException.class, "expected tokens of at most 1000 bytes, got 1001 bytes", vocabulary("rwkv", "x", "x".repeat(1001))),
    WORD_WITHOUT_ITS_FIRST_BYTE(InvalidFileException.class, "expected a token for each byte that a token begins with, got none for 0xE4, with which token 2 begins",
            vocabulary("rwkv", "a", "ab", "\\xe4\\xb8")),
    WORD_TOO_LONG_FOR_BERT(InvalidFileException.class, "expected tokens of at most 512 bytes", vocabulary("bert", "x".repeat(513))),
    WORD_TOO_LONG_FOR_PLAMO(InvalidFileException.class, "a sum of cubed lengths of at most 1000000000, got more from token 0 to 1, which has 1000 bytes",
            vocabulary("plamo2", "x", "x".repeat(1000))),
    WORD_UNDECODABLE(InvalidFileException.class, "expected byte-level text in tokens of more than 128 bytes, got other characters in token 0",
            vocabulary("gpt2", "中".repeat(43))),
    REPLACEMENT_TOO_LONG(InvalidFileException.class, "metadata key 'tokenizer.ggml.precompiled_charsmap': expected replacements of at most 128 bytes",
            charsmap(4, 129)),
    TABLE_BEYOND_THE_MAP(InvalidFileException.class, "expected a table of at most 5 bytes, got 8", charsmap(8, 0)),
    TEMPLATE_TOO_DEEP(InvalidFileException.class, "metadata key 'tokenizer.chat_template': expected a template of at most",
            tiny(pairs -> pairs.string("tokenizer.chat_template", "{{ " + "(".repeat(100_000) + " }}"))),
    NORM_IS_F16(UnsupportedModelException.class, "tensor 'output_norm.weight', type is not supported: expected f32, got f16",
            retyped("output_norm.weight", GgmlType.F16)),
    MATRIX_OF_INTEGERS(UnsupportedModelException.class, "tensor 'blk.0.attn_q.weight', type is not supported", retyped("blk.0.attn_q.weight", GgmlType.I32)),
    EMBEDDING_OF_DOUBLES(UnsupportedModelException.class, "tensor 'token_embd.weight', type", retyped("token_embd.weight", GgmlType.F64)),
    TENSOR_WITHOUT_ELEMENTS(InvalidFileException.class, "tensor 'blk.1.attn_q.weight', shape: expected at least one element, got [16, 0]",
            reshaped("blk.1.attn_q.weight", 16, 0));

    private final Class<? extends BridgeException> exception;
    private final String message;
    private final byte[] bytes;
    private final boolean readable;

    /** Refused on reading. */
    CorruptFile(String message, byte[] bytes) {
        this.exception = InvalidFileException.class;
        this.message = message;
        this.bytes = bytes;
        this.readable = false;
    }

    /** Refused on loading. */
    CorruptFile(Class<? extends BridgeException> exception, String message, byte[] bytes) {
        this.exception = exception;
        this.message = message;
        this.bytes = bytes;
        this.readable = true;
    }

    /** What is thrown. */
    public Class<? extends BridgeException> exception() {
        return exception;
    }

    /** A part of the message. */
    public String message() {
        return message;
    }

    /** Whether the format is sound and only a load is refused. */
    public boolean readable() {
        return readable;
    }

    /** Puts the file into a folder. */
    public Path write(Path folder) throws IOException {
        return Files.write(folder.resolve(name().toLowerCase(java.util.Locale.ROOT) + ".gguf"), bytes);
    }

    // --- makers --------------------------------------------------------------------------------------------------------

    private static byte[] nested(int depth) {
        GgufBytes out = GgufBytes.header(3, 0, 1).key("k", GgufType.ARRAY);
        for (int i = 0; i < depth; i++) {
            out.u32(GgufType.ARRAY.code()).u64(1);
        }
        return out.u32(GgufType.UINT8.code()).u64(1).u8(1).data(1, 64).bytes();
    }

    private static Metadata.Builder spm() {
        return TinyModel.spm();
    }

    private static byte[] tiny(UnaryOperator<Metadata.Builder> change) {
        return bytes(change.apply(spm()).build(), TinyModel.tensors(TinyModel.spmTokens().size()));
    }

    /** A model with a vocabulary of these tokens for the given tokenizer. */
    private static byte[] vocabulary(String tokenizer, String... tokens) {
        return bytes(TinyModel.vocabulary(tokenizer, tokens).build(), TinyModel.tensors(tokens.length));
    }

    /** A vocabulary with a map of characters that says so many bytes of table, has four, and one replacement of so many bytes. */
    private static byte[] charsmap(int tableBytes, int replacementBytes) {
        long[] map = new long[Integer.BYTES + 4 + replacementBytes + 1];
        map[0] = tableBytes;
        Arrays.fill(map, Integer.BYTES + 4, map.length - 1, 'x');
        return bytes(TinyModel.vocabulary("t5", "x").array("tokenizer.ggml.precompiled_charsmap", GgufArray.ofIntegers(GgufType.UINT8, map)).build(),
                TinyModel.tensors(1));
    }

    private static byte[] renamed(String architecture) {
        var pairs = Metadata.builder();
        spm().build().values().forEach((key, value) -> pairs.value(key.replace("llama.", architecture + "."), value));
        return bytes(pairs.string(Metadata.ARCHITECTURE, architecture).build(), TinyModel.tensors(TinyModel.spmTokens().size()));
    }

    private static byte[] sectionsAllZero() {
        var pairs = Metadata.builder();
        spm().build().values().forEach((key, value) -> pairs.value(key.replace("llama.", "qwen2vl."), value));
        return bytes(pairs.string(Metadata.ARCHITECTURE, "qwen2vl")
                .array("qwen2vl.rope.dimension_sections", GgufArray.ofInt32(0, 0, 0, 0)).build(),
                TinyModel.tensors(TinyModel.spmTokens().size()));
    }

    private static byte[] router() {
        var tensors = new ArrayList<>(TinyModel.tensors(TinyModel.spmTokens().size()));
        tensors.add(TensorInfo.of("blk.0.ffn_gate_inp.weight", GgmlType.F32, TinyModel.N_EMBD, 2));
        return bytes(spm().build(), tensors);
    }

    private static byte[] companion() {
        var pairs = Metadata.builder();
        spm().build().values().forEach((key, value) -> pairs.value(key.replace("llama.", "falcon-h1."), value));
        var tensors = new ArrayList<>(TinyModel.tensors(TinyModel.spmTokens().size()));
        tensors.add(TensorInfo.of("blk.0.ssm_conv1d.weight", GgmlType.F32, 4, 16));
        return bytes(pairs.string(Metadata.ARCHITECTURE, "falcon-h1").uint32("falcon-h1.ssm.time_step_rank", 1)
                .uint32("falcon-h1.ssm.group_count", 1).build(), tensors);
    }

    private static byte[] retyped(String name, GgmlType type) {
        return replaced(name, tensor -> new TensorInfo(name, type, tensor.shape(), 0, 0));
    }

    private static byte[] reshaped(String name, long... shape) {
        return replaced(name, tensor -> TensorInfo.of(name, tensor.type(), shape));
    }

    private static byte[] replaced(String name, UnaryOperator<TensorInfo> change) {
        return bytes(spm().build(), TinyModel.tensors(TinyModel.spmTokens().size()).stream()
                .map(tensor -> tensor.name().equals(name) ? change.apply(tensor) : tensor).toList());
    }

    private static byte[] bytes(Metadata metadata, List<TensorInfo> tensors) {
        try {
            return TinyModel.bytes(metadata, tensors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
