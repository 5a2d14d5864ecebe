package ai.luciferai.llama.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.bindings.lucifer_llama_h;
import ai.luciferai.llama.gguf.GgmlType;
import java.io.IOException;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Compares the built library with the committed bindings and with the tables that pure Java code keeps. */
class ShimContractIT {

    private static final String PACKAGE = "ai.luciferai.llama.bindings.";
    private static final Path BINDINGS = TinyModel.root().resolve("bindings");

    @Test
    void structsAreLaidOutAsInTheBindings() throws Exception {
        var library = new TreeMap<String, Long>();
        NativeLibrary.require().layouts().forEach(entry -> library.put(entry.name(), entry.value()));
        assertEquals(bindingLayouts(), library, "rebuild the library, or run bindings/regenerate.sh");
    }

    private static Map<String, Long> bindingLayouts() throws Exception {
        var layouts = new TreeMap<String, Long>();
        for (String struct : structs()) {
            var layout = (GroupLayout) Class.forName(PACKAGE + struct).getMethod("layout").invoke(null);
            layouts.put(struct, layout.byteSize());
            layout.memberLayouts().stream().flatMap(member -> member.name().stream()).forEach(field ->
                    layouts.put(struct + "." + field, layout.byteOffset(MemoryLayout.PathElement.groupElement(field))));
        }
        return layouts;
    }

    private static List<String> structs() throws IOException {
        try (Stream<Path> files = Files.list(BINDINGS.resolve("java").resolve(PACKAGE.replace('.', '/')))) {
            return files.map(file -> file.getFileName().toString().replace(".java", ""))
                    .filter(name -> !name.startsWith("lucifer_llama_h") && !name.startsWith("llama_h")).sorted().toList();
        }
    }

    @Test
    void everyBoundFunctionIsInTheLibrary() throws ReflectiveOperationException {
        NativeLibrary.require();
        List<Method> addresses = Arrays.stream(lucifer_llama_h.class.getMethods())
                .filter(method -> method.getName().endsWith("$address")).toList();
        assertFalse(addresses.isEmpty());
        for (Method address : addresses) {
            assertNotEquals(0, ((MemorySegment) address.invoke(null)).address(), address.getName());
        }
    }

    @Test
    void libraryHasTheLlamaCppThatTheBindingsWereMadeFrom() throws IOException {
        String pinned = Files.readAllLines(BINDINGS.resolve("MANIFEST.sha256")).stream()
                .filter(line -> line.startsWith("# llama.cpp v")).findFirst().orElseThrow().substring("# llama.cpp v".length());
        assertEquals(pinned, NativeLibrary.require().buildInfo().get("llama.cpp").replaceFirst("^v", ""));
    }

    @Test
    void numberFormatsAreThoseOfTheLibrary() {
        for (int id = 0; id < 256; id++) {
            int wanted = id;
            var type = Arrays.stream(GgmlType.values()).filter(known -> known.id() == wanted).findFirst();
            var expected = type.map(known -> new GgmlTypes.Description(wanted, known.label(), known.blockElements(), known.blockBytes()));
            assertEquals(GgmlTypes.describe(id), expected, "ggml type " + id);
        }
    }

    @Test
    void cpuIsAmongTheDevices() {
        assertTrue(NativeDevices.list().stream().anyMatch(device -> device.name().equals("CPU")));
    }
}
