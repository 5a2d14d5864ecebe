package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.gguf.TinyModel;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InfoTest {

    @TempDir
    Path folder;

    private Path model;

    @BeforeEach
    void writeModel() throws IOException {
        model = folder.resolve("model.gguf");
        TinyModel.writeBpe(model);
    }

    @Test
    void saysWhatTheFileHolds() throws IOException {
        InfoReport report = Info.run(InfoOptions.of(model));
        assertEquals(3, report.format().version());
        assertEquals(ByteOrder.LITTLE_ENDIAN, report.format().byteOrder());
        assertEquals(List.of("llama", "tiny", "all F32", ""),
                List.of(report.architecture(), report.name(), report.fileType(), report.problem()));
        assertEquals(Files.size(model), report.bytes());
        assertEquals(report.tensors().stream().mapToLong(InfoReport.Tensor::bytes).sum(), report.tensorBytes());
        assertEquals(8.0 * report.tensorBytes() / report.parameters(), report.bitsPerWeight());
        assertTrue(report.chatTemplate().startsWith("{% for m in messages %}"));
    }

    @Test
    void arraysAreCutToTheirHeads() {
        InfoReport report = Info.run(InfoOptions.of(model).withArrayElements(2));
        InfoReport.Pair tokens = report.metadata().stream().filter(p -> p.key().equals("tokenizer.ggml.tokens")).findFirst().orElseThrow();
        assertEquals(List.of("!", "\""), tokens.value());
        assertEquals("str[102]", tokens.type());
        assertThrows(InvalidOptionException.class, () -> InfoOptions.of(model).withArrayElements(-1));
    }

    @Test
    void offsetsAreThoseOfTheFile() throws IOException {
        InfoReport.Tensor norm = Info.run(InfoOptions.of(model)).tensors().get(1);
        byte[] bytes = Files.readAllBytes(model);
        assertEquals("output_norm.weight", norm.name());
        // the norm of the tiny model is all ones: 0x3F800000, little endian
        assertEquals(0x3F, bytes[(int) norm.offset() + 3]);
        assertEquals((byte) 0x80, bytes[(int) norm.offset() + 2]);
    }

    @Test
    void badFilesAreRefusedByName() {
        Path missing = folder.resolve("missing.gguf");
        String message = assertThrows(InvalidFileException.class, () -> Info.run(InfoOptions.of(missing))).getMessage();
        assertTrue(message.startsWith(missing + ": file: expected an existing file"), message);
    }

    @Test
    void whatConvertTakesIsToldSo() throws IOException {
        Path adapter = Goldens.fixture("convert/fused-adapters/mixtral");
        refused("a GGUF file, got a folder", "HINT: this is an adapter of PEFT: lucifer-llama convert", adapter);
        refused("characters 'GGUF'", "HINT: this is a safetensors file: lucifer-llama convert", adapter.resolve("adapter_model.safetensors"));
        refused("a GGUF file, got a folder", "HINT: name the file in it", folder);
        Files.writeString(folder.resolve("config.json"), "{}");
        refused("a GGUF file, got a folder", "HINT: this is a model of Hugging Face: lucifer-llama convert", folder);
    }

    private static void refused(String what, String hint, Path path) {
        String message = assertThrows(InvalidFileException.class, () -> Info.run(InfoOptions.of(path))).getMessage();
        assertTrue(message.contains(what) && message.contains(hint), message);
    }

    /** Neither is a model, so neither has a problem. */
    @Test
    void adaptersAndImportanceMatricesAreDescribed() {
        InfoReport adapter = Info.run(InfoOptions.of(Goldens.adapter()));
        assertEquals(InfoReport.Contents.ADAPTER, adapter.contents());
        assertEquals("", adapter.problem());
        InfoReport.Adapter lora = adapter.adapter().orElseThrow();
        assertEquals(List.of("lora", List.of(4L), 8.0, 12), List.of(lora.type(), lora.ranks(), lora.alpha().orElseThrow(), lora.weights().size()));
        assertEquals("blk.0.attn_q.weight", lora.weights().getFirst());
        InfoReport matrix = Info.run(InfoOptions.of(Goldens.fixture("quantize/imatrix.gguf")));
        assertEquals(InfoReport.Contents.IMPORTANCE_MATRIX, matrix.contents());
        assertEquals("", matrix.problem());
        assertEquals(new InfoReport.Activations(List.of("src/test/fixtures/data/base-test.jsonl"), 23, 128, 28), matrix.activations().orElseThrow());
    }

    @Test
    void projectorsAndVocabulariesAreNoModels() {
        Path projector = TestFiles.write(folder.resolve("mmproj.gguf"), Metadata.builder().string("general.architecture", "clip").build(),
                Map.of(TensorInfo.of("v.patch_embd.weight", GgmlType.F32, 4), 1f), 1);
        assertEquals(InfoReport.Contents.PROJECTOR, Info.run(InfoOptions.of(projector)).contents());
        Path vocabulary = TestFiles.copy(model, folder.resolve("vocabulary.gguf"), List.of());
        InfoReport report = Info.run(InfoOptions.of(vocabulary));
        assertEquals(List.of(InfoReport.Contents.VOCABULARY, ""), List.of(report.contents(), report.problem()));
        assertEquals(InfoReport.Contents.MODEL, Info.run(InfoOptions.of(model)).contents());
    }
}
