import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Marks a jar's class files of Java 5 (version 49) as of Java 6 (version 50), and changes nothing else.
 *
 * <p>The JVM keeps no class file below 50 in an AOT cache, because those have to be verified the old way at each start: picocli, which
 * is built for Java 5, would cost 100 ms of every command, and costs none with the mark. Version 50 may still be verified the old way,
 * so the mark is true of what these files hold.
 */
public final class RaiseClassVersion {

    private static final int MINOR_AND_MAJOR = 4;

    private RaiseClassVersion() {}

    public static void main(String[] args) throws IOException {
        Path jar = Path.of(args[0]);
        Path raised = Path.of(args[0] + ".new");
        try (var in = new ZipFile(jar.toFile()); var out = new ZipOutputStream(Files.newOutputStream(raised))) {
            for (ZipEntry entry : in.stream().toList()) {
                byte[] bytes = in.getInputStream(entry).readAllBytes();
                if (entry.getName().endsWith(".class") && bytes[MINOR_AND_MAJOR + 3] == 49) {
                    bytes[MINOR_AND_MAJOR + 3] = 50;
                }
                var copy = new ZipEntry(entry.getName());
                copy.setTime(entry.getTime());
                out.putNextEntry(copy);
                out.write(bytes);
            }
        }
        Files.move(raised, jar, StandardCopyOption.REPLACE_EXISTING);
    }
}
