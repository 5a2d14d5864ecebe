package ai.luciferai.llama.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.Metadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The estimate, beside what trainers said that they took: {@code LoraTrainer.Info.computeBytes}, with an adapter of rank 4 on all layers. */
class ActivationMemoryTest {

    private static long estimate(String name, int rows, int outputs, boolean onDevice) throws IOException {
        try (GgufFile file = GgufReader.read(Path.of("src/test/fixtures/finetune", name + "-f32.gguf"))) {
            Metadata metadata = file.metadata();
            String prefix = metadata.string(Metadata.ARCHITECTURE) + ".";
            var base = new ActivationMemory.Base(metadata, file.tensors(), (int) metadata.integer(prefix + "block_count"),
                    (int) metadata.integer(prefix + "embedding_length"), (int) metadata.integer(prefix + "attention.head_count"),
                    (int) file.tensor("token_embd.weight").orElseThrow().ne(1), onDevice);
            return ActivationMemory.wholeBytes(base, Targets.choose(file.tensors(), List.of()).size(), 4, new TrainingPlan.Shape(rows, outputs));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "mistral,   256, 1308672",
        "qwen2,     256, 1308672",
        "qwen3,     256, 2226176",
        "granite,   256, 1308672",
        "stablelm,  256, 1714176",
        "phi2,      256, 1464320",
        "phi3,      256, 1861632",
        "gemma,     256, 1746944",
        "gemma2,    128, 2176000",
        "gemma2,    256, 6973440",  // keeps its scores, for they have a cap
        "gemma3,    256, 2062336",
        "gpt2,      256, 3250176",
        "mixtral,   256, 1742848",
        "qwen2moe,  256, 1882112",
        "qwen3moe,  256, 1939456",
        "olmoe,     256, 1984512"
    })
    void isNearWhatIsTaken(String name, int rows, long measured) throws IOException {
        assertEquals(1, (double) estimate(name, rows, rows, false) / measured, 0.15);
    }

    @Test
    void scoresCountWhereTheyExist() throws IOException {
        long square = 2048L * 2048 * Float.BYTES;
        long cpu = estimate("mistral", 2048, 64, false);
        assertTrue(cpu < estimate("mistral", 1024, 64, false) * 2 + square);
        assertEquals(4 * (2 * 2 + 1) * square, estimate("mistral", 2048, 64, true) - cpu);  // 4 heads, 2 layers
    }

    @Test
    void logitsCountForAsManyRowsAsAreMadeAtATime() throws IOException {
        long few = estimate("mistral", 256, 64, false);
        assertEquals(2 * 64 * 64 * Float.BYTES, estimate("mistral", 256, 128, false) - few);  // 64 words
    }
}
