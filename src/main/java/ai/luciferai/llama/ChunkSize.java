package ai.luciferai.llama;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.Metadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;

/** Tokens of the chunks in which models read a text. */
final class ChunkSize {

    private ChunkSize() {}

    /** What was asked for, or where nobody says how many, {@link ImatrixOptions#CHUNK}, if all of the models were trained with so many. */
    static int of(int wanted, Collection<Path> models) {
        return wanted != ImatrixOptions.AUTO_CHUNK ? wanted
                : models.stream().mapToInt(ChunkSize::most).reduce(ImatrixOptions.CHUNK, Math::min);
    }

    /** Of what is no model, as many as one likes: whoever loads it will say so. */
    private static int most(Path model) {
        try (GgufFile file = GgufReader.read(model)) {
            Metadata metadata = file.metadata();
            long trained = metadata.integer(metadata.string(Metadata.ARCHITECTURE) + ".context_length");
            return Math.clamp(trained, ImatrixOptions.LEAST_CHUNK, ImatrixOptions.CHUNK);
        } catch (BridgeException | IOException e) {
            return ImatrixOptions.CHUNK;
        }
    }
}
