package ai.luciferai.llama.gguf;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdapterPreflightTest {

    private static final String Q = "blk.0.attn_q.weight";

    @TempDir
    Path folder;

    private Path base;

    @BeforeEach
    void writeBase() throws IOException {
        base = folder.resolve("base.gguf");
        TinyModel.writeSpm(base);
    }

    @Test
    void acceptsPairsThatFit() throws IOException {
        assertDoesNotThrow(() -> check(pairs(), tensors()));
    }

    @Test
    void embeddingCanBeAdaptedWhereTheOutputIsAnother() throws IOException {
        List<TensorInfo> embedding = List.of(
                TensorInfo.of("token_embd.weight.lora_a", GgmlType.F32, 4, TinyModel.spmTokens().size()),
                TensorInfo.of("token_embd.weight.lora_b", GgmlType.F32, 4, TinyModel.N_EMBD));
        BridgeException refusal = assertThrows(UnsupportedModelException.class, () -> check(pairs(), embedding));
        assertTrue(refusal.getMessage().contains("expected a model with an output.weight of its own"), refusal::getMessage);
        var tensors = new ArrayList<>(TinyModel.tensors(TinyModel.spmTokens().size()));
        tensors.add(TensorInfo.of("output.weight", GgmlType.F16, TinyModel.N_EMBD, TinyModel.spmTokens().size()));
        Files.delete(base);
        TinyModel.write(base, TinyModel.spm().build(), tensors);
        assertDoesNotThrow(() -> check(pairs(), embedding));
    }

    @Test
    void refusesWhatIsNoAdapter() {
        refuses("'general.type': expected 'adapter', got 'model'", pairs().string("general.type", "model"), tensors());
        refuses("'adapter.type': expected 'lora', got 'nothing'", pairs().remove("adapter.type"), tensors());
    }

    @Test
    void refusesAnotherModelsAdapter() {
        refuses("'general.architecture': expected 'llama', got 'gemma'", pairs().string(Metadata.ARCHITECTURE, "gemma"), tensors());
        refuses("expected a tensor 'blk.9.attn_q.weight' in ", pairs(), pair("blk.9.attn_q.weight", 16, 4, 16));
        refuses("HINT: the adapter was made for another model", pairs(), pair(Q, 32, 4, 16));
        refuses("lora_b': expected [4, 16] for the model's [16, 16], got [4, 8]", pairs(), pair(Q, 16, 4, 8));
    }

    @Test
    void refusesAlphaThatIsNoNumber() {
        refuses("'adapter.lora.alpha': expected a finite f32", pairs().float32("adapter.lora.alpha", Float.NaN), tensors());
        refuses("'adapter.lora.alpha': expected a finite f32", pairs().uint32("adapter.lora.alpha", 8), tensors());
    }

    @Test
    void refusesIncompletePairs() {
        refuses("'" + Q + ".lora_b': expected a tensor of this name", pairs(), tensors().subList(0, 1));
        refuses("'" + Q + ".lora_a': expected a tensor of this name", pairs(), tensors().subList(1, 2));
        refuses("tensors: expected at least one pair", pairs(), List.of());
    }

    @Test
    void refusesOtherTensors() {
        var tensors = new ArrayList<>(tensors());
        tensors.add(TensorInfo.of("blk.0.attn_k.weight", GgmlType.F32, 16, 8));
        refuses("expected a name ending in .lora_a or .lora_b", pairs(), tensors);
    }

    @Test
    void refusesRanksThatDifferOrAreZero() {
        refuses("lora_b': expected [4, 16]", pairs(), List.of(TensorInfo.of(Q + ".lora_a", GgmlType.F32, 16, 4),
                TensorInfo.of(Q + ".lora_b", GgmlType.F32, 8, 16)));
        refuses("expected a rank above 0", pairs(), pair(Q, 16, 0, 16));
    }

    @Test
    void refusesAThirdDimensionThatTheWeightDoesNotHave() {
        refuses("expected [16, 4] for the model's [16, 16], got [16, 4, 2]", pairs(), List.of(
                TensorInfo.of(Q + ".lora_a", GgmlType.F32, 16, 4, 2), TensorInfo.of(Q + ".lora_b", GgmlType.F32, 4, 16, 2)));
    }

    @Test
    void refusesTypesWithoutKernels() {
        BridgeException refusal = assertThrows(UnsupportedModelException.class, () -> check(pairs(), List.of(
                TensorInfo.of(Q + ".lora_a", GgmlType.I32, 16, 4), TensorInfo.of(Q + ".lora_b", GgmlType.F32, 4, 16))));
        assertTrue(refusal.getMessage().contains("got i32"), refusal.getMessage());
    }

    private static Metadata.Builder pairs() {
        return Metadata.builder().string("general.type", "adapter").string("adapter.type", "lora")
                .string(Metadata.ARCHITECTURE, "llama").float32("adapter.lora.alpha", 8);
    }

    private static List<TensorInfo> tensors() {
        return pair(Q, TinyModel.N_EMBD, 4, TinyModel.N_EMBD);
    }

    private static List<TensorInfo> pair(String name, long in, long rank, long out) {
        return List.of(TensorInfo.of(name + ".lora_a", GgmlType.F32, in, rank),
                TensorInfo.of(name + ".lora_b", GgmlType.F32, rank, out));
    }

    private void refuses(String message, Metadata.Builder pairs, List<TensorInfo> tensors) {
        BridgeException refusal = assertThrows(InvalidFileException.class, () -> check(pairs, tensors));
        assertTrue(refusal.getMessage().contains(message), refusal::getMessage);
    }

    private void check(Metadata.Builder pairs, List<TensorInfo> tensors) throws IOException {
        Path path = folder.resolve("adapter.gguf");
        Files.deleteIfExists(path);
        TinyModel.write(path, pairs.build(), tensors);
        try (GgufFile adapter = GgufReader.read(path); GgufFile model = GgufReader.read(base)) {
            AdapterPreflight.check(adapter, model);
        }
    }
}
