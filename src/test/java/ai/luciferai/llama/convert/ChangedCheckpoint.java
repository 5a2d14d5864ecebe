package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.io.TempDir;

/** Conversions of the checkpoints of generated.json with something changed. */
abstract class ChangedCheckpoint {

    @TempDir
    Path folder;

    /** A row of generated.json with other values; config and tensors may be changed. */
    protected Path checkpoint(String name, Consumer<Map<String, Object>> config, Consumer<Map<String, Object>> tensors) throws IOException {
        JsonObject entry = JsonObject.read(Fixtures.FOLDER.resolve("generated.json")).requireObject(name);
        config.accept(entry.requireObject("config").values());
        Map<String, Object> rows = entry.requireObject("tensors").values();
        var single = new LinkedHashMap<String, Object>();
        rows.forEach((row, shape) -> GeneratedCheckpoint.expand(row).forEach(one -> single.put(one, shape)));
        tensors.accept(single);
        rows.clear();
        rows.putAll(single);
        Path at = Files.createTempDirectory(folder, name);
        GeneratedCheckpoint.write(entry, at);
        return at;
    }

    protected Path convert(Path input) throws IOException {
        Path out = folder.resolve("out.gguf");
        Conversion.run(new Converter.Request(input, out, OutputType.F16, null, null, null, "gpt-2", null, false, 0, false, true), Progress.NONE, Cancel.NONE);
        return out;
    }

    protected String refused(Path input) {
        String message = assertThrows(BridgeException.class, () -> convert(input)).getMessage();
        assertFalse(Files.exists(folder.resolve("out.gguf")));
        return message;
    }

    protected static Consumer<Map<String, Object>> asItIs() {
        return values -> { };
    }

    protected static Consumer<Map<String, Object>> put(String key, Object value) {
        return values -> values.put(key, value);
    }

    /** All but what follows from the folder's name. */
    protected static Map<String, Object> keys(Path file) throws IOException {
        var keys = new LinkedHashMap<String, Object>();
        try (var gguf = GgufReader.read(file)) {
            gguf.metadata().values().forEach((key, value) -> {
                if (!key.startsWith("general.")) {
                    keys.put(key, value.value() instanceof GgufArray array ? List.copyOf(array.list()) : value.value());
                }
            });
        }
        return keys;
    }
}
