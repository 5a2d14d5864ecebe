package ai.luciferai.llama;

import ai.luciferai.llama.ffi.NativeLibrary;
import java.util.Map;

/**
 * What this library consists of.
 *
 * @param product        version of this library; "development" when it does not run from its jar
 * @param llamaCpp       version of llama.cpp: "v0.5.0"
 * @param llamaCppCommit commit that it was built from
 * @param ggml           version of ggml
 * @param build          everything else that the native library tells about its build, by name
 */
public record Versions(String product, String llamaCpp, String llamaCppCommit, String ggml, Map<String, String> build) {

    private static final String UNKNOWN = "unknown";

    public Versions {
        build = Map.copyOf(build);
    }

    /** Loads the native library, but no backend's devices or model. */
    public static Versions current() {
        Map<String, String> info = NativeLibrary.require().buildInfo();
        String product = Versions.class.getPackage().getImplementationVersion();
        return new Versions(product == null ? "development" : product, info.getOrDefault("llama.cpp", UNKNOWN),
                info.getOrDefault("llama.cpp.commit", UNKNOWN), info.getOrDefault("ggml", UNKNOWN), info);
    }
}
