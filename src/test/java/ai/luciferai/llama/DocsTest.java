package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What README.md and docs name in this repository exists. */
class DocsTest {

    private static final Path BASE = Path.of(System.getProperty("basedir", "."));
    private static final Pattern PATH = Pattern.compile("`((?:native|src|docs|cmake|bindings)/[\\w./-]+)");
    private static final Pattern TEST = Pattern.compile("`(\\w+(?:Test|IT))`");

    private static List<String> named(Pattern pattern) throws IOException {
        try (Stream<Path> docs = Files.list(BASE.resolve("docs"))) {
            List<Path> pages = Stream.concat(docs, Stream.of(BASE.resolve("README.md"))).filter(page -> page.toString().endsWith(".md")).toList();
            return pages.stream().flatMap(page -> pattern.matcher(text(page)).results()).map(found -> found.group(1)).distinct().toList();
        }
    }

    private static String text(Path page) {
        try {
            return Files.readString(page);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void filesThatAreNamedExist() throws IOException {
        List<String> files = named(PATH);
        assertTrue(files.contains("native/fuzz/run.sh"), files.toString());
        assertEquals(List.of(), files.stream().filter(file -> !Files.exists(BASE.resolve(file))).toList());
    }

    @Test
    void testsThatAreNamedExist() throws IOException {
        List<String> tests = named(TEST);
        assertTrue(tests.contains("LoadFuzzIT"), tests.toString());
        try (Stream<Path> sources = Files.walk(BASE.resolve("src/test/java"))) {
            var names = sources.map(source -> source.getFileName().toString().replace(".java", "")).collect(Collectors.toSet());
            assertEquals(List.of(), tests.stream().filter(test -> !names.contains(test)).toList());
        }
    }
}
