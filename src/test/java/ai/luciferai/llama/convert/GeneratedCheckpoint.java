package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.JsonObject;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/** Writes a checkpoint out of a row of generated.json, with the weights of make_generated.py. */
public final class GeneratedCheckpoint {

    private static final Pattern RANGE = Pattern.compile("\\{(\\d+)-(\\d+)\\}");
    private static final Pattern TOKENIZER_FILE = Pattern.compile("(tokenizer|vocab|merges|spiece|sentencepiece|qwen).*");

    /** Python writes, and some models have, Infinity. */
    private static final JsonMapper JSON = JsonMapper.builder().disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS).build();

    private GeneratedCheckpoint() {}

    /** The checkpoint of this name. */
    public static void write(String name, Path folder) throws IOException {
        write(JsonObject.read(Fixtures.FOLDER.resolve("generated.json")).requireObject(name), folder);
    }

    /** The checkpoint of a row. */
    public static void write(JsonObject entry, Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), JSON.writeValueAsString(entry.requireObject("config").values()));
        if (entry.has("tokenizer")) {
            try (var files = Files.list(Fixtures.FOLDER.resolve(entry.requireText("tokenizer")))) {
                for (Path file : files.filter(f -> TOKENIZER_FILE.matcher(f.getFileName().toString()).matches()).toList()) {
                    Files.copy(file, folder.resolve(file.getFileName()));
                }
            }
        }
        writeWeights(entry.requireObject("tensors"), folder.resolve("model.safetensors"), (name, data) -> data);
    }

    /** The adapter of a row of expert-adapters.json. */
    public static void writeAdapter(JsonObject entry, Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("adapter_config.json"), JSON.writeValueAsString(entry.requireObject("config").values()));
        writeWeights(entry.requireObject("tensors"), folder.resolve("adapter_model.safetensors"), (name, data) -> data);
    }

    /** @param change what becomes of the data of a tensor */
    public static void writeWeights(JsonObject rows, Path file, BiFunction<String, byte[], byte[]> change) throws IOException {
        Map<String, byte[]> tensors = new LinkedHashMap<>();
        var header = new StringBuilder("{");
        long at = 0;
        for (String row : rows.values().keySet()) {
            String[] parts = rows.requireText(row).split(" ");
            long[] shape = Arrays.stream(parts, 1, parts.length).mapToLong(Long::parseLong).toArray();
            for (String name : expand(row)) {
                byte[] data = change.apply(name, weights(name, parts[0], shape));
                tensors.put(name, data);
                header.append(at == 0 ? "" : ",").append("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                        .formatted(name, parts[0], Arrays.toString(shape), at, at + data.length));
                at += data.length;
            }
        }
        byte[] text = header.append("}").toString().getBytes(StandardCharsets.UTF_8);
        Files.write(file, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
        Files.write(file, text, StandardOpenOption.APPEND);
        for (byte[] data : tensors.values()) {
            Files.write(file, data, StandardOpenOption.APPEND);
        }
    }

    /** The names of a row: {0-3} stands for each number from 0 to 3. */
    static List<String> expand(String row) {
        Matcher range = RANGE.matcher(row);
        if (!range.find()) {
            return List.of(row);
        }
        var names = new ArrayList<String>();
        for (int i = Integer.parseInt(range.group(1)); i <= Integer.parseInt(range.group(2)); i++) {
            names.addAll(expand(row.substring(0, range.start()) + i + row.substring(range.end())));
        }
        return names;
    }

    /** What a tensor of that name holds. */
    public static byte[] weights(String name, String type, long[] shape) {
        var crc = new CRC32();
        crc.update(name.getBytes(StandardCharsets.UTF_8));
        int count = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        ByteBuffer out = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
        boolean aroundOne = shape.length == 1 && !name.endsWith("bias");
        for (int i = 0; i < count; i++) {
            int x = (int) (i * 2654435761L + crc.getValue());
            x ^= x >>> 15;
            x *= (int) 2246822519L;
            x ^= x >>> 13;
            float value = ((x >>> 8) - 8388608) * 0x1p-27f + (aroundOne ? 1 : 0);
            switch (type) {
                case "U8" -> out.put((byte) x);
                case "BF16" -> out.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                case "F16" -> out.putShort(Float.floatToFloat16(value));
                default -> out.putFloat(value);
            }
        }
        return Arrays.copyOf(out.array(), out.position());
    }
}
