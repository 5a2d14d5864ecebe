package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Limits;
import ai.luciferai.llama.core.NativeLibraryException;
import ai.luciferai.llama.core.UserCache;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The native library: found, loaded once for the life of the process, checked, and made ready.
 *
 * <p>Only {@code lucifer_llama} is loaded by name; llama.cpp's libraries beside it are found through its rpath.
 *
 * <p><i>Threads</i>: any. <i>Errors</i>: a failure names every place tried and is thrown again on each later use.
 */
public final class NativeLibrary {

    private static volatile NativeLibrary loaded;
    private static NativeLibraryException failure;

    /** Loaded by the process, and of our version; null before. */
    private static Path opened;

    private final Path path;

    private NativeLibrary(Path path) {
        this.path = path;
    }

    /**
     * The library, loaded on first use. Every static factory of this package calls this first.
     *
     * @throws NativeLibraryException when there is none for this system, or another version of it
     */
    public static NativeLibrary require() {
        NativeLibrary library = loaded;
        return library != null ? library : load();
    }

    /** Whether a {@link #require} has succeeded. */
    public static boolean isLoaded() {
        return loaded != null;
    }

    /**
     * Begins to load it on a thread of its own and returns at once; {@link #require} waits for it. What fails here fails there again.
     * A process that ends meanwhile waits: its exit must not meet a library that is half initialized.
     */
    public static void prepare() {
        var thread = new Thread(NativeLibrary::prepareNow, "lucifer-llama load");
        thread.setDaemon(true);
        thread.start();
    }

    private static void prepareNow() {
        try {
            Computing.begin(Cancel.NONE);
            open();
            FirstCalls.link();
        } catch (BridgeException | LinkageError fault) {
            // require() meets it again, where somebody hears of it
        } finally {
            Computing.end();
        }
    }

    private static synchronized NativeLibrary load() {
        if (loaded != null) {
            return loaded;
        }
        if (failure != null) {
            throw failure;
        }
        try {
            Limits limits = Limits.current();
            Path path = open();
            loaded = new NativeLibrary(path);
            NativeLog.applyLevel();
            init(path.getParent(), limits);
            return loaded;
        } catch (NativeLibraryException e) {
            loaded = null;
            failure = e;
            throw e;
        }
    }

    private static synchronized Path open() {
        if (opened == null) {
            LibraryLookup lookup = LibraryLookup.ofThisProcess();
            Path path = lookup.find();
            try {
                open(path);
            } catch (NativeLibraryException e) {
                if (!lookup.mend()) {
                    throw e;
                }
                open(path);
            }
            opened = path;
        }
        return opened;
    }

    /** Must come before the first touch of a bindings class that calls C: their symbols are those of loaded libraries. */
    private static void open(Path path) {
        try {
            System.load(path.toString());
        } catch (UnsatisfiedLinkError e) {
            throw new NativeLibraryException("cannot load " + path + " on " + LibraryLookup.platform() + ": " + e.getMessage(),
                    remedy(e.getMessage()), e);
        } catch (IllegalCallerException e) {
            throw new NativeLibraryException("this JVM forbids native access: " + e.getMessage(),
                    "start java with --enable-native-access=ALL-UNNAMED, or =ai.luciferai.llama on the module path", e);
        }
        int version = abiVersion(path);
        if (version != LUCIFER_ABI_VERSION()) {
            throw new NativeLibraryException(path + " has ABI version " + version + ", these classes need " + LUCIFER_ABI_VERSION(),
                    "use the library that was built together with this jar");
        }
    }

    /** By what the system's loader says, in the words of glibc. */
    static String remedy(String message) {
        if (message.contains("failed to map segment")) {
            return "its folder seems to be on a file system that runs no programs (noexec): name another folder for unpacked libraries with -D"
                    + UserCache.PROPERTY + "=…, or for built ones with -D" + LibraryLookup.PROPERTY + "=…";
        }
        if (message.contains("cannot open shared object file")) {
            return "a library that it needs is missing: install it, or keep all libraries of a build in one folder";
        }
        if (message.contains("GLIBC")) {
            return "it was built on a newer system: build it here, and name its folder with -D" + LibraryLookup.PROPERTY + "=…";
        }
        if (message.contains("file too short") || message.contains("ELF") || message.contains("object file has") || message.contains("cannot read file data")) {
            return "it is damaged, or built for another system: unpack or build it again";
        }
        return "the library was built for another system or lacks one of its own libraries: build it here, or set -D" + LibraryLookup.PROPERTY;
    }

    private static int abiVersion(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment version = arena.allocate(ValueLayout.JAVA_INT);
            return lucifer_abi_version(version) == Status.OK ? version.get(ValueLayout.JAVA_INT, 0) : -1;
        } catch (LinkageError e) {
            throw new NativeLibraryException(path + " is not the library that these classes need: it lacks lucifer_abi_version",
                    "use the library that was built together with this jar", e);
        }
    }

    private static void init(Path folder, Limits limits) {
        try (Arena arena = Arena.ofConfined()) {
            int status = lucifer_init(arena.allocateFrom(folder.toString()));
            if (status != Status.OK) {
                throw new NativeLibraryException("lucifer_init failed for the backends in " + folder,
                        "run the command doctor for details", Status.exception(status, "lucifer_init", "", Status.About.NOTHING));
            }
            if (!limits.equals(Limits.usual())) { // one call less to link at the start
                Status.check(lucifer_limits_set(limits.mib() << 20, limits.nanos() / 1_000_000), "lucifer_limits_set");
            }
        }
    }

    /** Where it was loaded from. */
    public Path path() {
        return path;
    }

    /** Versions and build flags as the library tells them: {@code llama.cpp}, {@code llama.cpp.commit}, {@code ggml}, and so on. */
    public Map<String, String> buildInfo() {
        var info = new LinkedHashMap<String, String>();
        NativeText.string("lucifer_build_info", 1024, Status.About.NOTHING, (buffer, capacity, length) ->
                lucifer_build_info(buffer, capacity, length)).lines().forEach(line -> {
                    int equals = line.indexOf('=');
                    info.put(line.substring(0, equals), line.substring(equals + 1));
                });
        return info;
    }

    /**
     * One line of the library's table of struct sizes and field offsets.
     *
     * @param name  "struct" (then value is its size) or "struct.field" (then value is its offset)
     * @param value bytes
     */
    public record Layout(String name, long value) {}

    /** What the library was compiled with, for comparing with the bindings. */
    public List<Layout> layouts() {
        var table = new ArrayList<Layout>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment length = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment text = arena.allocate(256);
            while (lucifer_layout(table.size(), text, text.byteSize(), length, value) == Status.OK) {
                byte[] name = text.asSlice(0, length.get(ValueLayout.JAVA_LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
                table.add(new Layout(new String(name, StandardCharsets.UTF_8), value.get(ValueLayout.JAVA_LONG, 0)));
            }
        }
        return table;
    }

    /** Ways to fail on purpose. */
    public enum Fault {
        /** A C++ exception. */
        EXCEPTION,
        /** A failed assertion in C code. */
        ASSERTION,
        /** A failed assertion in a graph that the calling thread computes: ends the process. */
        ASSERTION_IN_GRAPH,
        /** The same on a worker thread. */
        ASSERTION_IN_GRAPH_WORKER
    }

    /** Fails on purpose, for tests of the guard and for the self-check. */
    public void provoke(Fault fault) {
        Status.check(lucifer_provoke(fault.ordinal()), "lucifer_provoke");
    }
}
