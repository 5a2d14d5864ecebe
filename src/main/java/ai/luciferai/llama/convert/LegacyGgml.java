package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.GgmlType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A LLaMA in one of the formats before GGUF: GGML, GGMF, GGJT. Tensor data is taken as it is, so only versions whose blocks are those of
 * today are converted.
 *
 * <p><i>Source</i>: llama.cpp, convert_llama_ggml_to_gguf.py. That script passes shapes in bytes, which makes rows too short; here they
 * are those of the file.
 */
final class LegacyGgml {

    /** Magic numbers, as the first four bytes read. */
    private static final Map<String, String> FORMATS = Map.of("lmgg", "GGML", "fmgg", "GGMF", "tjgg", "GGJT");
    private static final String[] FILE_TYPES = {"ALL_F32", "MOSTLY_F16", "MOSTLY_Q4_0", "MOSTLY_Q4_1", "MOSTLY_Q4_1_SOME_F16", null, null,
        "MOSTLY_Q8_0", "MOSTLY_Q5_0", "MOSTLY_Q5_1", "MOSTLY_Q2_K", "MOSTLY_Q3_K_S", "MOSTLY_Q3_K_M", "MOSTLY_Q3_K_L", "MOSTLY_Q4_K_S",
        "MOSTLY_Q4_K_M", "MOSTLY_Q5_K_S", "MOSTLY_Q5_K_M", "MOSTLY_Q6_K"};

    private static final int MOST_TOKENS = 2_000_000;

    private final Path path;
    private final MemorySegment data;
    private long at;
    private String format;
    private long version = 1;

    private LegacyGgml(MappedFile mapped) {
        this.path = mapped.path();
        this.data = mapped.segment();
    }

    /** Whether a file begins like one of the formats. */
    static boolean looksLike(String magic) {
        return FORMATS.containsKey(magic);
    }

    static Converter.Result run(Converter.Request request, Progress progress, Cancel cancel) throws IOException {
        try (MappedFile mapped = MappedFile.open(request.input())) {
            return new LegacyGgml(mapped).convert(request, progress, cancel);
        } catch (IndexOutOfBoundsException cut) {
            throw new InvalidFileException(request.input(), "end", "a whole GGML file", "its end in the middle",
                    "the download may be incomplete", cut);
        }
    }

    private Converter.Result convert(Converter.Request request, Progress progress, Cancel cancel) throws IOException {
        long start = System.nanoTime();
        format = FORMATS.get(text(4));
        version = format.equals("GGML") ? 1 : u32();
        long[] header = new long[7]; // vocabulary, embedding, multiple, heads, layers, rotary, file type
        for (int i = 0; i < header.length; i++) {
            header[i] = u32();
        }
        requireConvertible((int) header[6]);
        if (header[0] > MOST_TOKENS || header[3] == 0 || header[4] > 10_000) {
            throw new InvalidFileException(path, "header", "sizes of a LLaMA", Arrays.toString(header));
        }
        TokenTable tokens = tokens(header[0]);
        var names = new TensorNames("llama", header[4]);
        var planned = new ArrayList<PlannedTensor>();
        long feedForward = 0;
        while (at < data.byteSize()) {
            int dims = (int) bounded(u32(), 4, "dimensions of a tensor");
            int nameLength = (int) bounded(u32(), 4096, "length of a tensor's name");
            long id = u32();
            GgmlType type = GgmlType.ofId((int) id);
            long[] shape = new long[dims];
            for (int d = 0; d < dims; d++) {
                shape[dims - 1 - d] = u32();
            }
            String name = text(nameLength);
            String mapped = names.find(name);
            if (type == null || mapped == null) {
                throw new InvalidFileException(path, "tensor '" + name + "'", "a tensor of LLaMA of a known type", "type " + id);
            }
            at = format.equals("GGJT") ? at + 31 & ~31L : at;
            long bytes = bytes(type, shape, name);
            planned.add(PlannedTensor.of(mapped, type, Tensor.packed(type, data.asSlice(at, bytes), shape)));
            at += bytes;
            feedForward = name.equals("layers.0.feed_forward.w1.weight") ? shape[0] : feedForward;
        }
        KeyValues keys = keys(header, feedForward, request.modelName());
        vocabulary(keys, tokens);
        Path folder = path.toAbsolutePath().getParent();
        Path target = OutputName.resolve(request, folder, keys.build(), OutputType.AUTO);
        List<Path> files = OutputFiles.write(request, keys.build(), planned, target, List.of(path), List.of(), progress, cancel);
        long parameters = planned.stream().mapToLong(tensor -> tensor.info().elements()).sum();
        return new Converter.Result(files, "llama", keys.build().string("general.name", ""), OutputType.AUTO, planned.size(), parameters,
                data.byteSize(), request.dryRun() ? 0 : OutputFiles.bytes(files), (System.nanoTime() - start) / 1_000_000);
    }

    private long bytes(GgmlType type, long[] shape, String name) {
        try {
            return type.bytes(Tensor.product(shape));
        } catch (ArithmeticException odd) {
            throw new InvalidFileException(path, "tensor '" + name + "'", "whole blocks of " + type.label(), Arrays.toString(shape));
        }
    }

    /** Quantized blocks changed in GGJT versions 2 and 3. */
    private void requireConvertible(int fileType) {
        boolean known = fileType >= 0 && fileType < FILE_TYPES.length && FILE_TYPES[fileType] != null;
        boolean plain = fileType == 0 || fileType == 1;
        boolean changed = fileType == 2 || fileType == 3 || fileType == 4 || fileType == 7;
        boolean good = known && (format.equals("GGJT") && version == 3 || format.equals("GGJT") && version == 2 && !changed || plain);
        if (!good || version > 3) {
            throw new UnsupportedModelException(path, "this old format", "F32 or F16, or blocks of GGJT version 3",
                    format + " version " + version + (known ? " of type " + FILE_TYPES[fileType] : " of unknown type " + fileType),
                    "its quantized blocks have another layout than today's: convert the original model");
        }
    }

    private TokenTable tokens(long count) {
        var table = new TokenTable();
        for (long id = 0; id < count; id++) {
            byte[] text = bytes((int) bounded(u32(), 4096, "length of a token"));
            float score = format.equals("GGML") ? 0 : Float.intBitsToFloat((int) u32());
            if (id < 3) {
                table.add(List.of("<unk>", "<s>", "</s>").get((int) id), score, id == 0 ? TokenTable.UNKNOWN : TokenTable.CONTROL);
            } else if (text.length == 0) {
                table.add(text, score, TokenTable.CONTROL);
            } else if (id <= 258 && text.length == 1) {
                table.add(String.format("<0x%02X>", text[0]), score, TokenTable.BYTE);
            } else {
                table.add(withMarks(text), score, TokenTable.NORMAL);
            }
        }
        return table;
    }

    /** Blanks as SentencePiece marks them; the rest may be no whole UTF-8. */
    private static byte[] withMarks(byte[] text) {
        var out = new java.io.ByteArrayOutputStream();
        for (byte b : text) {
            out.writeBytes(b == ' ' ? Vocabulary.utf8("\u2581") : new byte[] {b});
        }
        return out.toByteArray();
    }

    private KeyValues keys(long[] header, long feedForward, String name) {
        var keys = new KeyValues("llama", path);
        keys.string("general.name", name != null ? name : path.getFileName().toString());
        keys.string("general.description", "converted from legacy " + format + "v" + version + " " + FILE_TYPES[(int) header[6]] + " format");
        keys.u32("general.file_type", header[6]);
        keys.u32(".context_length", 2048L);
        keys.u32(".embedding_length", header[1]);
        keys.u32(".block_count", header[4]);
        keys.u32(".feed_forward_length", feedForward);
        keys.u32(".rope.dimension_count", header[1] / header[3]);
        keys.u32(".attention.head_count", header[3]);
        keys.u32(".attention.head_count_kv", header[3]);
        keys.f32(".attention.layer_norm_rms_epsilon", 5e-6);
        return keys;
    }

    private static void vocabulary(KeyValues keys, TokenTable tokens) {
        keys.string("tokenizer.ggml.model", "llama");
        keys.string("tokenizer.ggml.pre", "default");
        tokens.write(keys, true);
        keys.u32("tokenizer.ggml.unknown_token_id", 0L);
        keys.u32("tokenizer.ggml.bos_token_id", 1L);
        keys.u32("tokenizer.ggml.eos_token_id", 2L);
    }

    private long bounded(long value, long most, String what) {
        if (value > most) {
            throw new InvalidFileException(path, "byte " + at, what + " up to " + most, String.valueOf(value));
        }
        return value;
    }

    private long u32() {
        at += 4;
        return Integer.toUnsignedLong(data.get(TensorReader.I32, at - 4));
    }

    private byte[] bytes(int length) {
        at += length;
        return data.asSlice(at - length, length).toArray(ValueLayout.JAVA_BYTE);
    }

    private String text(int length) {
        return new String(bytes(length), StandardCharsets.UTF_8);
    }
}
