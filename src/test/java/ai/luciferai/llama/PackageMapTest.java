package ai.luciferai.llama;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MethodTypeEntry;
import java.lang.classfile.constantpool.NameAndTypeEntry;
import java.lang.reflect.AccessFlag;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Dependencies between packages point down only, as the table here says; read from the compiled classes. */
class PackageMapTest {

    private static final String ROOT = "ai.luciferai.llama";
    private static final String FACADE = "(façade)";

    /** What a package may use of ours; a façade name stands for the root package. */
    private static final Map<String, Set<String>> OURS = Map.ofEntries(
            entry("cli", Set.of(FACADE, "core")),
            entry(FACADE, Set.of("convert", "train", "report", "schema", "ffi", "gguf", "hf", "core")),
            entry("schema", Set.of("core")),
            entry("train", Set.of("report", "gguf", "core")),
            entry("report", Set.of()),
            entry("convert", Set.of("gguf", "hf", "core")),
            entry("hf", Set.of("core")),
            entry("gguf", Set.of("core")),
            entry("ffi", Set.of("bindings", "core")),
            entry("core", Set.of()),
            entry("bindings", Set.of()));

    /** What a package may use besides the JDK: prefixes of package names. */
    private static final Map<String, Set<String>> LIBRARIES = Map.of(
            "cli", Set.of("com.fasterxml.jackson", "org.jline", "picocli"),
            FACADE, Set.of("com.fasterxml.jackson"),
            "convert", Set.of("com.fasterxml.jackson"),
            "schema", Set.of("com.fasterxml.jackson"),
            "train", Set.of("com.fasterxml.jackson"),
            "hf", Set.of("com.fasterxml.jackson", "net.razorvine.pickle", "org.yaml.snakeyaml"));

    private static final Set<String> EXPORTED = Set.of(FACADE, "core", "gguf");

    /** Mapped files and tensor data are memory (they may pass 2 GB), and the cancel flag is a cell that C code polls. */
    private static final Set<String> MAY_SHOW_MEMORY = Set.of("core.Cancel", "core.MappedFile", "gguf.GgufFile", "gguf.GgufWriter");

    private static final Pattern CLASS_IN_DESCRIPTOR = Pattern.compile("L([^;<]+)[;<]");

    @Test
    void packagesUseOnlyWhatTheMapAllows() throws IOException, URISyntaxException {
        var violations = new TreeSet<String>();
        for (ClassModel model : classes()) {
            String user = name(model);
            String from = ourPackage(user);
            assertTrue(OURS.containsKey(from), () -> "package of " + user + " is not in the map");
            for (String used : references(model)) {
                String to = ourPackage(used);
                boolean allowed = to != null ? to.equals(from) || OURS.get(from).contains(to)
                        : isJdk(used) || LIBRARIES.getOrDefault(from, Set.of()).stream().anyMatch(used::startsWith);
                if (!allowed) {
                    violations.add(user + " uses " + used);
                }
            }
        }
        assertEquals(Set.of(), violations);
    }

    @Test
    void exportedSignaturesShowNoNativeThing() throws IOException, URISyntaxException {
        var violations = new TreeSet<String>();
        for (ClassModel model : classes()) {
            String owner = name(model);
            if (!EXPORTED.contains(ourPackage(owner)) || !model.flags().has(AccessFlag.PUBLIC) || MAY_SHOW_MEMORY.contains(owner.substring(ROOT.length() + 1))) {
                continue;
            }
            var shown = new TreeMap<String, String>();
            model.methods().stream().filter(method -> isApi(method.flags().flags()))
                    .forEach(method -> shown.put(method.methodName() + "()", method.methodType().stringValue()));
            model.fields().stream().filter(field -> isApi(field.flags().flags()))
                    .forEach(field -> shown.put(field.fieldName().stringValue(), field.fieldType().stringValue()));
            shown.forEach((member, descriptor) -> {
                if (descriptor.contains("java/lang/foreign/") || descriptor.contains("luciferai/llama/ffi/")
                        || descriptor.contains("luciferai/llama/bindings/")) {
                    violations.add(owner + "." + member + ": " + descriptor);
                }
            });
        }
        assertEquals(Set.of(), violations);
    }

    private static List<ClassModel> classes() throws IOException, URISyntaxException {
        Path folder = Path.of(BridgeException.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (var files = Files.walk(folder)) {
            List<Path> paths = files.filter(file -> file.toString().endsWith(".class") && !file.endsWith("module-info.class")).toList();
            assertTrue(paths.size() > 20, () -> "only " + paths.size() + " classes below " + folder);
            var models = new ArrayList<ClassModel>();
            for (Path path : paths) {
                models.add(ClassFile.of().parse(path));
            }
            return models;
        }
    }

    private static Set<String> references(ClassModel model) {
        var names = new TreeSet<String>();
        for (var entry : model.constantPool()) {
            switch (entry) {
                case ClassEntry type -> {
                    String internal = type.asInternalName();
                    if (internal.startsWith("[")) {
                        addAll(names, internal);
                    } else {
                        names.add(internal.replace('/', '.'));
                    }
                }
                case NameAndTypeEntry member -> addAll(names, member.type().stringValue());
                case MethodTypeEntry type -> addAll(names, type.descriptor().stringValue());
                default -> { }
            }
        }
        model.fields().forEach(field -> addAll(names, field.fieldType().stringValue()));
        model.methods().forEach(method -> addAll(names, method.methodType().stringValue()));
        return names;
    }

    private static void addAll(Set<String> names, String descriptor) {
        CLASS_IN_DESCRIPTOR.matcher(descriptor).results().forEach(match -> names.add(match.group(1).replace('/', '.')));
    }

    private static boolean isApi(Set<AccessFlag> flags) {
        return flags.contains(AccessFlag.PUBLIC) || flags.contains(AccessFlag.PROTECTED);
    }

    private static boolean isJdk(String name) {
        return name.startsWith("java.") || name.startsWith("javax.") || name.startsWith("jdk.") || name.startsWith("sun.");
    }

    /** The package below ours, or null for a class that is not ours. */
    private static String ourPackage(String name) {
        if (!name.startsWith(ROOT + ".")) {
            return null;
        }
        String[] parts = name.substring(ROOT.length() + 1).split("\\.");
        return parts.length == 1 ? FACADE : parts[0];
    }

    private static String name(ClassModel model) {
        return model.thisClass().asInternalName().replace('/', '.');
    }
}
