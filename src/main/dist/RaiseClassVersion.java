import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Makes a jar's class files of Java 5 or 6 into class files of Java 8: the same code, with the stack maps that the verifier has wanted
 * since Java 7.
 *
 * <p>The JVM keeps no class in an AOT cache that it had to verify the old way, without stack maps: picocli, which is built for Java 5,
 * would cost 100 ms of every command.
 * Raising the number to 50 alone is not enough: methods with branches and no maps are still verified the old way.
 */
public final class RaiseClassVersion {

    private static final int MAJOR = 7;

    private RaiseClassVersion() {}

    public static void main(String[] args) throws IOException {
        Path jar = Path.of(args[0]);
        Path raised = Path.of(args[0] + ".new");
        try (var in = new ZipFile(jar.toFile());
                var out = new ZipOutputStream(Files.newOutputStream(raised));
                var types = new URLClassLoader(new URL[] {jar.toUri().toURL()})) {
            var classes = ClassFile.of(
                    ClassFile.ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(types)),
                    ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
                    ClassFile.DeadCodeOption.PATCH_DEAD_CODE);
            for (ZipEntry entry : in.stream().toList()) {
                byte[] bytes = in.getInputStream(entry).readAllBytes();
                if (entry.getName().endsWith(".class") && bytes[MAJOR] < ClassFile.JAVA_7_VERSION) {
                    bytes = raised(classes, classes.parse(bytes));
                }
                var copy = new ZipEntry(entry.getName());
                copy.setTime(entry.getTime());
                out.putNextEntry(copy);
                out.write(bytes);
            }
        }
        Files.move(raised, jar, StandardCopyOption.REPLACE_EXISTING);
    }

    private static byte[] raised(ClassFile classes, ClassModel model) {
        ClassTransform version = ClassTransform.endHandler(builder -> builder.withVersion(ClassFile.JAVA_8_VERSION, 0));
        return classes.transformClass(model, ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL).andThen(
                ClassTransform.dropping(element -> element instanceof ClassFileVersion)).andThen(version));
    }
}
