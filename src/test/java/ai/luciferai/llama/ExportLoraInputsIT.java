package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code export-lora} takes beyond a plain model and a plain adapter: experts, the token embedding, split models, PEFT's folders. */
class ExportLoraInputsIT {

    private static final Path FIXTURES = Path.of("src/test/fixtures/finetune");
    private static final int RANK = 4;
    private static final float ALPHA = 8f;

    @TempDir
    Path folder;

    private Path merge(Path base, Path adapter) throws IOException {
        Path out = Files.createTempFile(folder, "merged", ".gguf");
        ExportLoraReport report = ExportLora.run(ExportLoraOptions.of(base, List.of(AdapterSource.of(adapter)), out).withForce(true), Progress.NONE,
                Cancel.NONE);
        assertTrue(report.verification().orElseThrow().positions() > 50, "nothing was compared");
        return out;
    }

    private Path adapter(String weight, long[] a, long[] b) {
        return adapter(weight, a, b, 0.3f);
    }

    private Path adapter(String weight, long[] a, long[] b, float spread) {
        Metadata metadata = Metadata.builder().string("general.type", "adapter").string("adapter.type", "lora")
                .string("general.architecture", "llama").float32("adapter.lora.alpha", ALPHA).build();
        Map<TensorInfo, Float> tensors = new LinkedHashMap<>();
        tensors.put(TensorInfo.of(weight + ".lora_a", GgmlType.F32, a), 0.3f);
        tensors.put(TensorInfo.of(weight + ".lora_b", GgmlType.F32, b), spread);
        return TestFiles.write(folder.resolve(weight + ".gguf"), metadata, tensors, 5);
    }

    private static float[] floats(Path path, String name) throws IOException {
        try (GgufFile file = GgufReader.read(path)) {
            TensorInfo tensor = file.tensor(name).orElseThrow();
            assertEquals(GgmlType.F32, tensor.type());
            return file.data(tensor).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
        }
    }

    @Test
    void mergesEveryExpertOfAnF32Model() throws IOException {
        String name = "blk.1.ffn_up_exps.weight"; // [32, 32, 4]
        Path base = FIXTURES.resolve("mixtral-f32.gguf");
        Path adapter = adapter(name, new long[] {32, RANK, 4}, new long[] {RANK, 32, 4});
        float[] before = floats(base, name);
        float[] after = floats(merge(base, adapter), name);
        float[] a = floats(adapter, name + ".lora_a");
        float[] b = floats(adapter, name + ".lora_b");
        for (int i = 0; i < before.length; i++) {
            int expert = i / 1024;
            double delta = 0;
            for (int k = 0; k < RANK; k++) {
                delta += (double) b[(expert * 32 + i / 32 % 32) * RANK + k] * a[(expert * RANK + k) * 32 + i % 32];
            }
            assertEquals(before[i] + ALPHA / RANK * delta, after[i], 1e-5, "element " + i);
        }
    }

    /** Its rows are looked up: A is [rank, n_vocab], B is [rank, n_embd]. */
    @Test
    void mergesTheTokenEmbedding() throws IOException {
        String name = "token_embd.weight"; // [32, 64]
        Path base = FIXTURES.resolve("mistral-f32.gguf");
        Path adapter = adapter(name, new long[] {RANK, 64}, new long[] {RANK, 32});
        float[] before = floats(base, name);
        float[] after = floats(merge(base, adapter), name);
        float[] a = floats(adapter, name + ".lora_a");
        float[] b = floats(adapter, name + ".lora_b");
        for (int i = 0; i < before.length; i++) {
            double delta = 0;
            for (int k = 0; k < RANK; k++) {
                delta += (double) a[i / 32 * RANK + k] * b[i % 32 * RANK + k];
            }
            assertEquals(before[i] + ALPHA / RANK * delta, after[i], 1e-5, "element " + i);
        }
    }

    @Test
    void blamesAnAdapterThatHoldsNoNumbers() {
        Path adapter = adapter("token_embd.weight", new long[] {RANK, 64}, new long[] {RANK, 32}, Float.NaN);
        InvalidFileException fault = assertThrows(InvalidFileException.class, () -> merge(FIXTURES.resolve("mistral-f32.gguf"), adapter));
        assertTrue(fault.getMessage().contains(adapter.getFileName() + ": tensor 'token_embd.weight.lora_b'"), fault.getMessage());
    }

    /** The embedded model's embedding is its output, too: there is no output to add to, which is no sign of another model. */
    @Test
    void refusesTheOutputOfATiedModelAsSuch() {
        Path adapter = adapter("output.weight", new long[] {256, RANK}, new long[] {RANK, 1024});
        BridgeException fault = assertThrows(BridgeException.class, () -> merge(EmbeddedModel.path(), adapter));
        assertTrue(fault.getMessage().contains("whose token embedding is its output too"), fault.getMessage());
    }

    private static void assertSameTensors(Path expected, Path got) throws IOException {
        try (GgufFile one = GgufReader.read(expected); GgufFile other = GgufReader.read(got)) {
            assertEquals(one.tensors().size(), other.tensors().size());
            for (TensorInfo tensor : one.tensors()) {
                TensorInfo same = other.tensor(tensor.name()).orElseThrow();
                assertTrue(one.data(tensor).mismatch(other.data(same)) < 0, tensor.name());
            }
        }
    }

    @Test
    void mergesIntoASplitModel() throws IOException {
        Path first = TestFiles.split(EmbeddedModel.path(), folder.resolve("tiny"));
        assertSameTensors(merge(EmbeddedModel.path(), Goldens.adapter()), merge(first, Goldens.adapter()));
    }

    /** ffn_down, whose rows stand alike in both; the merged models are the same to the bit. */
    @Test
    void mergesAPeftFolder() throws IOException {
        String name = "blk.0.ffn_down.weight"; // [512, 256]
        Path adapter = adapter(name, new long[] {512, RANK}, new long[] {RANK, 256});
        Path peft = Files.createDirectory(folder.resolve("peft"));
        Files.writeString(peft.resolve("adapter_config.json"), """
                {"peft_type": "LORA", "r": %d, "lora_alpha": %d, "target_modules": ["down_proj"], "base_model_name_or_path": "gone"}
                """.formatted(RANK, (int) ALPHA));
        writeSafetensors(peft.resolve("adapter_model.safetensors"), "base_model.model.model.layers.0.mlp.down_proj.lora_",
                floats(adapter, name + ".lora_a"), floats(adapter, name + ".lora_b"));
        Path out = folder.resolve("from-peft.gguf");
        ExportLoraOptions options = ExportLoraOptions.of(EmbeddedModel.path(), List.of(AdapterSource.of(peft)), out)
                .withBaseConfig(Path.of("src/test/fixtures/lucifer-tiny"));
        ExportLoraReport report = ExportLora.run(options, Progress.NONE, Cancel.NONE);
        assertEquals(options, report.options());
        assertSameTensors(merge(EmbeddedModel.path(), adapter), out);
        try (var files = Files.list(folder)) {
            assertTrue(files.noneMatch(file -> file.getFileName().toString().startsWith(".export-lora")));
        }
    }

    /** What is wrong with a folder is said of the folder, not of the file that was made of it for a moment. */
    @Test
    void blamesAPeftFolderByItsName() throws IOException {
        Path peft = Files.createDirectory(folder.resolve("peft"));
        Files.writeString(peft.resolve("adapter_config.json"), """
                {"peft_type": "LORA", "r": %d, "lora_alpha": 8, "target_modules": ["down_proj"], "base_model_name_or_path": "gone"}
                """.formatted(RANK));
        writeSafetensors(peft.resolve("adapter_model.safetensors"), "base_model.model.model.layers.7.mlp.down_proj.lora_",
                new float[512 * RANK], new float[RANK * 256]);
        ExportLoraOptions options = ExportLoraOptions.of(EmbeddedModel.path(), List.of(AdapterSource.of(peft)), folder.resolve("out.gguf"))
                .withBaseConfig(Path.of("src/test/fixtures/lucifer-tiny"));
        BridgeException fault = assertThrows(BridgeException.class, () -> ExportLora.run(options, Progress.NONE, Cancel.NONE));
        assertTrue(fault.getMessage().startsWith(peft.toString()) && !fault.getMessage().contains(".export-lora"), fault.getMessage());
    }

    private static void writeSafetensors(Path file, String prefix, float[] a, float[] b) throws IOException {
        int middle = a.length * Float.BYTES;
        int end = middle + b.length * Float.BYTES;
        byte[] header = """
                {"%1$sA.weight":{"dtype":"F32","shape":[%2$d,512],"data_offsets":[0,%3$d]},\
                "%1$sB.weight":{"dtype":"F32","shape":[256,%2$d],"data_offsets":[%3$d,%4$d]}}"""
                .formatted(prefix, RANK, middle, end).getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + end).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(header.length).put(header);
        for (float[] values : List.of(a, b)) {
            for (float value : values) {
                bytes.putFloat(value);
            }
        }
        Files.write(file, bytes.array());
    }
}
