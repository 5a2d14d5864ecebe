package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code export-lora} makes what PEFT's own {@code merge_and_unload} makes: {@code convert/make_merges.py} ran it in float64 and kept the
 * merged checkpoints, of which our conversion is compared with our merge, tensor by tensor.
 */
class PeftMergeIT {

    private static final Path FIXTURES = Goldens.fixture("convert");
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @TempDir
    Path folder;

    private Path convert(Path checkpoint, String name) throws IOException {
        Path out = folder.resolve(name);
        Convert.run(ConvertOptions.of(checkpoint).withOutfile(out).withType(ConvertType.F32), Progress.NONE, Cancel.NONE);
        return out;
    }

    private ExportLoraReport merge(String adapter, String base) throws IOException {
        ExportLoraOptions options = ExportLoraOptions.of(convert(FIXTURES.resolve(base), "base.gguf"),
                List.of(AdapterSource.of(FIXTURES.resolve("adapters").resolve(adapter))), folder.resolve("merged.gguf"));
        return ExportLora.run(options.withType(ExportType.F32).withBaseConfig(FIXTURES.resolve(base)), Progress.NONE, Cancel.NONE);
    }

    /** The base's folder with the weights that PEFT merged. */
    private Path merged(String adapter, String base) throws IOException {
        Path checkpoint = Files.createDirectory(folder.resolve("checkpoint"));
        try (Stream<Path> files = Files.list(FIXTURES.resolve(base))) {
            for (Path file : files.filter(file -> !file.toString().matches(".*(safetensors|index\\.json|md)")).toList()) {
                Files.copy(file, checkpoint.resolve(file.getFileName()));
            }
        }
        Files.copy(FIXTURES.resolve("merges").resolve(adapter + ".safetensors"), checkpoint.resolve("model.safetensors"));
        return convert(checkpoint, "expected.gguf");
    }

    /** Factors go through F32 GGUF files, sums are floats: a few units in the last place of numbers of this size. */
    @ParameterizedTest
    @CsvSource({"llama,llama-shards,7", "rslora,llama-shards,7", "alpha-pattern,llama-shards,7", "patterns,llama-shards,7",
            "rslora-patterns,llama-shards,7", "untied,llama-shards,3", "tied,gemma2,7", "conv1d,gpt2-bpe,4", "regex-targets,qwen2-bpe,3"})
    void equalsPeftsOwnMerge(String adapter, String base, int weights) throws IOException {
        assertEquals(weights, merge(adapter, base).merged());
        int changed = 0;
        try (GgufFile got = GgufReader.read(folder.resolve("merged.gguf")); GgufFile expected = GgufReader.read(merged(adapter, base));
                GgufFile before = GgufReader.read(folder.resolve("base.gguf"))) {
            assertEquals(expected.tensors().size(), got.tensors().size());
            for (TensorInfo tensor : expected.tensors()) {
                float[] e = expected.data(tensor).toArray(F32);
                float[] g = got.data(got.tensor(tensor.name()).orElseThrow()).toArray(F32);
                changed += before.data(before.tensor(tensor.name()).orElseThrow()).mismatch(expected.data(tensor)) >= 0 ? 1 : 0;
                for (int i = 0; i < e.length; i++) {
                    assertEquals(e[i], g[i], 2e-6 * Math.max(1, Math.abs(e[i])), tensor.name() + " at " + i);
                }
            }
        }
        assertEquals(weights, changed, "PEFT changed other weights");
    }

    /** GGUF has one table for both; PEFT changes what is looked up and not what is predicted with. */
    @Test
    void anAdapterOfATiedEmbeddingIsRefusedByName() {
        BridgeException fault = assertThrows(BridgeException.class, () -> merge("tied-embedding", "gemma2"));
        assertTrue(fault.getMessage().contains("token_embd.weight") && fault.getMessage().contains("tied-embedding"), fault.getMessage());
    }
}
