package ai.luciferai.llama;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.IoFault;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.AdapterPreflight;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.ModelPreflight;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Checks files in plain Java, and options against them, before native code sees either. */
final class LoadCheck {

    private LoadCheck() {}

    /**
     * What the check of a model has shown.
     *
     * @param parts  the file, or all parts of a split model
     * @param causal whether a token sees only those before it
     * @param positions rows of its table of learnt positions; 0: it has none
     */
    record Checked(List<Path> parts, boolean causal, int positions) {}

    static Checked model(Path path, ModelOptions options) {
        try (GgufFile file = GgufReader.read(path)) {
            Metadata metadata = overridden(file.metadata(), options.kvOverrides());
            if (options.vocabOnly()) {
                ModelPreflight.checkVocabulary(file);
            } else {
                check(path, file, metadata, options.kvOverrides());
            }
            String architecture = metadata.string(Metadata.ARCHITECTURE, "");
            return new Checked(file.parts().stream().map(GgufFile.Part::path).toList(),
                    metadata.bool(architecture + ".attention.causal", true), positions(file));
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    /** What is wrong with a file that is sound without the overrides is theirs. */
    private static void check(Path path, GgufFile file, Metadata metadata, List<KvOverride> overrides) {
        try {
            ModelPreflight.check(file, metadata);
        } catch (InvalidFileException | UnsupportedModelException e) {
            if (overrides.isEmpty()) {
                throw e;
            }
            ModelPreflight.check(file, file.metadata());
            throw overridden(path, overrides, e);
        }
    }

    /** Blames the overrides, and says what they lead to. */
    static InvalidOptionException overridden(Path path, List<KvOverride> overrides, BridgeException e) {
        List<String> given = overrides.stream().map(override -> override.key() + "=" + override.value()).toList();
        String fault = e.getMessage().lines().findFirst().orElse("").replace(path + ": ", "");
        return new InvalidOptionException("override-kv", "metadata that fits " + path, String.join(", ", given), "with it, " + fault);
    }

    private static int positions(GgufFile file) {
        return file.tensor("position_embd.weight").map(tensor -> (int) tensor.ne(1)).orElse(0);
    }

    /** The metadata that llama.cpp will see. */
    private static Metadata overridden(Metadata metadata, List<KvOverride> overrides) {
        if (overrides.isEmpty()) {
            return metadata;
        }
        Metadata.Builder builder = metadata.toBuilder();
        for (KvOverride override : overrides) {
            requireSameKind(metadata.get(override.key()), override);
            switch (override.value()) {
                // llama.cpp cuts numbers to 32 bits
                case Long number -> builder.uint32(override.key(), number & 0xFFFF_FFFFL);
                case Double number -> builder.float64(override.key(), number);
                case Boolean flag -> builder.bool(override.key(), flag);
                default -> builder.string(override.key(), override.value().toString());
            }
        }
        return builder.build();
    }

    /** llama.cpp passes over an override of another kind than the file's value with a warning that nobody sees. */
    private static void requireSameKind(Metadata.Value old, KvOverride override) {
        if (old != null) {
            Check.require(old.value().getClass() == override.value().getClass(), "override-kv " + override.key(),
                    "a value of the file's type " + old.type(), override.value());
        }
    }

    /** Metadata of an adapter. Refuses what is none, and an adapter that does not fit the model. */
    static Metadata adapter(Path path, Path model) {
        try (GgufFile adapter = GgufReader.read(path); GgufFile base = GgufReader.read(model)) {
            AdapterPreflight.check(adapter, base);
            return adapter.metadata();
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    static InvalidFileException unreadable(Path path, IOException e) {
        return new InvalidFileException(path, "file", "a readable file", IoFault.reason(e), null, e);
    }
}
