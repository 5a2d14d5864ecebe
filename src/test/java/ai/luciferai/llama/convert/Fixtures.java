package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The checkpoints of make_fixtures.py, and conversions of copies of them. */
final class Fixtures {

    static final Path FOLDER = Path.of("src/test/fixtures/convert");

    private Fixtures() {}

    /** A copy under the same name, which becomes a part of the output. */
    static Path copy(String name, Path into) throws IOException {
        Path copy = into.resolve(name);
        Files.createDirectories(copy);
        try (var files = Files.list(FOLDER.resolve(name))) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return copy;
    }

    static Converter.Request request(Path input, Path output) {
        return new Converter.Request(input, output, OutputType.F16, null, null, null, null, null, false, 0, false, false);
    }

    static Converter.Result convert(Path input, Path output, OutputType type) throws IOException {
        return Conversion.run(new Converter.Request(input, output, type, null, null, null, null, null, false, 0, false, true),
                Progress.NONE, Cancel.NONE);
    }

    static String sha256(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
