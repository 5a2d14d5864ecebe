package ai.luciferai.llama;

import static java.util.stream.Collectors.toCollection;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Compares the generated bindings and what they were made from with the digests that {@code bindings/regenerate.sh} wrote, so
 * that neither side changes alone. Needs no jextract.
 */
class BindingsDriftTest {
    private static final Path ROOT = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    private static final Path MANIFEST = ROOT.resolve("bindings/MANIFEST.sha256");
    private static final String OUTPUTS = "bindings/java/";

    @Test
    void inputsAreThoseThatTheBindingsWereMadeFrom() throws IOException {
        var inputs = new TreeMap<>(digests());
        inputs.keySet().removeIf(file -> file.startsWith(OUTPUTS));
        assertFalse(inputs.isEmpty(), MANIFEST + " names no inputs");
        for (var entry : inputs.entrySet()) {
            assertEquals(entry.getValue(), sha256(entry.getKey()),
                    entry.getKey() + " changed after the bindings were generated from it: run bindings/regenerate.sh and commit its output");
        }
    }

    @Test
    void outputsWereNotEdited() throws IOException {
        var outputs = new TreeMap<>(digests());
        outputs.keySet().removeIf(file -> !file.startsWith(OUTPUTS));
        for (var entry : outputs.entrySet()) {
            assertEquals(entry.getValue(), sha256(entry.getKey()), entry.getKey()
                    + " is generated but is not what bindings/regenerate.sh wrote: undo the edit, change the header or bindings/llama.symbols");
        }
        assertEquals(outputs.keySet(), filesUnderOutputs(), "bindings/java holds other files than bindings/regenerate.sh wrote");
    }

    private static Map<String, String> digests() throws IOException {
        var digests = new TreeMap<String, String>();
        for (String line : Files.readAllLines(MANIFEST)) {
            if (!line.startsWith("#")) {
                digests.put(line.substring(64 + 2), line.substring(0, 64));
            }
        }
        return digests;
    }

    private static TreeSet<String> filesUnderOutputs() throws IOException {
        try (var files = Files.walk(ROOT.resolve(OUTPUTS))) {
            return files.filter(Files::isRegularFile).map(file -> ROOT.relativize(file).toString().replace('\\', '/'))
                    .collect(toCollection(TreeSet::new));
        }
    }

    private static String sha256(String file) throws IOException {
        Path path = ROOT.resolve(file);
        if (!Files.exists(path)) {
            return "missing";
        }
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(path)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
