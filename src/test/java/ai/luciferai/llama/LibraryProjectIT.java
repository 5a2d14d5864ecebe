package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What README.md says to who uses the library in a project: its coordinates are the build's, its program runs by its own commands. */
class LibraryProjectIT {

    private static final Path BASE = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin");

    @TempDir
    Path folder;

    private String readme;

    @BeforeEach
    void projectAsTheReadmeHasIt() throws IOException {
        readme = Files.readString(BASE.resolve("README.md"));
        Files.createSymbolicLink(folder.resolve("target"), BASE.resolve("target"));
        Files.writeString(Files.createDirectory(folder.resolve("ask")).resolve("Ask.java"), found("(?ms)^```java\\n(package ask;.*?)^```$"));
    }

    private String found(String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(readme);
        assertTrue(matcher.find(), pattern);
        return matcher.group(1);
    }

    @Test
    void coordinatesAreTheBuilds() throws IOException {
        String pom = Files.readString(BASE.resolve("pom.xml"));
        String dependency = found("(?ms)^```xml\\n<dependency>\\n(.*?)</dependency>\\n```$");
        assertTrue(pom.contains(dependency), dependency);
    }

    @Test
    void theProgramRunsOnTheClassPath() throws Exception {
        assertEquals("ls src/\n", printedBy(found("(?m)^    (java --enable-native-access=ALL-UNNAMED .*)$")));
    }

    @Test
    void theProgramRunsAsAModule() throws Exception {
        Files.writeString(folder.resolve("module-info.java"), found("`(module ask \\{.*?\\})`"));
        assertEquals("", printedBy(found("(?m)^    (javac .*)$")));
        assertEquals("ls src/\n", printedBy(found("(?m)^    (java --enable-native-access=ai.luciferai.llama .*)$")));
    }

    /** Also that the JVM has nothing to warn of. */
    private String printedBy(String command) throws IOException, InterruptedException {
        Path out = folder.resolve("out.txt");
        var builder = new ProcessBuilder(List.of("bash", "-c", command)).directory(folder.toFile());
        builder.environment().merge("PATH", JAVA.toString(), (path, java) -> java + ":" + path);
        Process process = builder.redirectErrorStream(true).redirectOutput(out.toFile()).start();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS), command);
        return Files.readString(out);
    }
}
