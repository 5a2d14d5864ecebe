package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.GgufReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a conversion writes, leaves alone, and says when it cannot. */
class ConverterTest {

    @TempDir
    Path folder;

    private Converter.Request request(Path input, boolean vocabOnly, long split, boolean dryRun, boolean force) {
        return new Converter.Request(input, folder.resolve("out.gguf"), OutputType.F16, null, null, null, null, null, vocabOnly, split, dryRun,
                force);
    }

    private Converter.Result run(Converter.Request request) throws IOException {
        return Conversion.run(request, Progress.NONE, Cancel.NONE);
    }

    private static Path llama() {
        return Fixtures.FOLDER.resolve("llama-shards");
    }

    private List<String> outputs() throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(Files::isRegularFile).map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static void edit(Path file, String from, String to) throws IOException {
        String text = Files.readString(file);
        assertTrue(text.contains(from), () -> file + " has no " + from);
        Files.writeString(file, text.replace(from, to));
    }

    private <T extends BridgeException> T refused(Class<T> kind, Path input) {
        T fault = assertThrows(kind, () -> run(Fixtures.request(input, folder.resolve("out.gguf"))));
        assertFalse(Files.exists(folder.resolve("out.gguf")));
        return fault;
    }

    @Test
    void reportsWhatItMade() throws IOException {
        Converter.Result result = run(request(llama(), false, 0, false, false));
        assertEquals("llama", result.architecture());
        assertEquals(Files.size(folder.resolve("out.gguf")), result.outputBytes());
        assertEquals(List.of("out.gguf"), outputs());
    }

    @Test
    void keepsAnExistingFileUnlessForced() throws IOException {
        Files.writeString(folder.resolve("out.gguf"), "mine");
        assertThrows(InvalidOptionException.class, () -> run(request(llama(), false, 0, false, false)));
        assertEquals("mine", Files.readString(folder.resolve("out.gguf")));
        run(request(llama(), false, 0, false, true));
        assertTrue(Files.size(folder.resolve("out.gguf")) > 1000);
    }

    @Test
    void dryRunWritesNothing() throws IOException {
        Converter.Result result = run(request(llama(), false, 20_000, true, false));
        assertTrue(result.files().size() > 1);
        assertEquals(List.of(), outputs());
    }

    @Test
    void vocabularyOnlyHasKeysAndNoTensors() throws IOException {
        run(request(llama(), true, 0, false, false));
        try (var file = GgufReader.read(folder.resolve("out.gguf"))) {
            assertEquals(0, file.tensors().size());
            assertEquals("llama", file.metadata().string("tokenizer.ggml.model"));
        }
    }

    @Test
    void splitsIntoFilesThatReadAsOne() throws IOException {
        Converter.Result result = run(request(llama(), false, 20_000, false, false));
        assertEquals("out-00001-of-0000" + result.files().size() + ".gguf", result.files().getFirst().getFileName().toString());
        try (var file = GgufReader.read(result.files().getFirst())) {
            assertEquals(result.tensors(), file.tensors().size());
        }
    }

    @Test
    void namesTheFileAfterTheModel() throws IOException {
        Path copy = Fixtures.copy("llama-shards", folder);
        Converter.Result result = run(new Converter.Request(copy, null, OutputType.BF16, null, "Tiny Model", null, null, null, false, 0, false, false));
        assertTrue(result.files().getFirst().getFileName().toString().matches("Tiny-Model-\\d+K-BF16\\.gguf"), result.files()::toString);
    }

    @Test
    void noNameInAModelCardLeadsToAnotherFolder() throws IOException {
        Path copy = Fixtures.copy("llama-shards", folder);
        Files.writeString(copy.resolve("README.md"), "---\nbasename: a/b\nfinetune: ../../evil\nversion: \"v1\\0\"\n---\n");
        Path out = Files.createDirectory(folder.resolve("out"));
        Path file = run(Fixtures.request(copy, out)).files().getFirst();
        assertEquals(out, file.getParent());
        assertTrue(file.getFileName().toString().contains("..-..-evil"), file::toString);
    }

    @Test
    void cancelledLeavesNothing() {
        var cancel = new Cancel();
        cancel.request();
        assertThrows(CancelledException.class,
                () -> Conversion.run(Fixtures.request(llama(), folder.resolve("out.gguf")), Progress.NONE, cancel));
        assertEquals(List.of(), assertDoesNotThrowOutputs());
    }

    private List<String> assertDoesNotThrowOutputs() {
        try {
            return outputs();
        } catch (IOException fault) {
            throw new AssertionError(fault);
        }
    }

    @Test
    void reportsProgressInBytes() throws IOException {
        var events = new ArrayList<Progress.Event>();
        Conversion.run(Fixtures.request(llama(), folder.resolve("out.gguf")), events::add, Cancel.NONE);
        assertEquals(events.getLast().total(), events.getLast().done());
        assertEquals("bytes", events.getLast().unit());
    }

    @Test
    void replacesTheChatTemplate() throws IOException {
        run(new Converter.Request(llama(), folder.resolve("out.gguf"), OutputType.F16, "chatml", null, null, null, null, true, 0, false, false));
        try (var file = GgufReader.read(folder.resolve("out.gguf"))) {
            assertTrue(file.metadata().string("tokenizer.chat_template").contains("add_generation_prompt"));
        }
        assertThrows(InvalidOptionException.class, () -> run(
                new Converter.Request(llama(), folder.resolve("x.gguf"), OutputType.F16, "chattml", null, null, null, null, true, 0, false, false)));
    }

    @Test
    void namesAnUnknownArchitecture() throws IOException {
        Path copy = Fixtures.copy("llama-shards", folder);
        edit(copy.resolve("config.json"), "LlamaForCausalLM", "Llamma4ForCausalLM");
        String message = refused(UnsupportedModelException.class, copy).getMessage();
        assertTrue(message.contains("got Llamma4ForCausalLM") && message.contains("nearest: Llama4ForCausalLM, LlamaForCausalLM"), message);
    }

    @Test
    void namesAMissingTokenizer() throws IOException {
        Path copy = Fixtures.copy("llama-shards", folder);
        Files.delete(copy.resolve("tokenizer.model"));
        assertTrue(refused(InvalidFileException.class, copy).getMessage().contains("tokenizer.json"));
    }

    @Test
    void namesATensorThatTheArchitectureLacks() throws IOException {
        Path copy = Fixtures.copy("gemma2", folder);
        Path weights = copy.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        String text = new String(bytes, StandardCharsets.ISO_8859_1).replace("model.norm.weight", "model.gnom.weight");
        Files.write(weights, text.getBytes(StandardCharsets.ISO_8859_1));
        assertTrue(refused(UnsupportedModelException.class, copy).getMessage().contains("model.gnom.weight"));
    }

    /** ModelOpt's, GPTQ's, AWQ's: there is nothing to merge them into. An adapter's there is, and of another name nobody knows. */
    @Test
    void saysWhatATensorMayBeThatTheArchitectureLacks() throws IOException {
        for (String name : List.of("model.layers.0.self_attn.q_proj.input_scale", "model.layers.0.mlp.down_proj.weight_scale_2",
                "model.layers.0.self_attn.k_proj.k_scale", "model.layers.0.mlp.up_proj.weight_quantizer._amax", "lm_head.qweight", "model.layers.1.mlp.up_proj.g_idx",
                "model.layers.0.mlp.up_proj.weight.absmax", "model.layers.0.mlp.up_proj.weight.quant_state.bitsandbytes__nf4")) {
            String hint = UnknownTensor.hint(name);
            assertTrue(hint.contains("quantized from") && !hint.contains("merge"), name + ": " + hint);
        }
        for (String name : List.of("model.layers.0.self_attn.q_proj.lora_A.weight", "model.layers.0.self_attn.q_proj.base_layer.weight",
                "model.layers.0.mlp.hada_w1_a")) {
            assertTrue(UnknownTensor.hint(name).contains("merge"), name);
        }
        assertFalse(UnknownTensor.hint("model.gnom.weight").matches(".*(merge|quantize).*"));
        Path copy = Fixtures.copy("gemma2", folder);
        Path weights = copy.resolve("model.safetensors");
        String text = new String(Files.readAllBytes(weights), StandardCharsets.ISO_8859_1).replace("model.norm.weight", "model.0.up.scales");
        Files.write(weights, text.getBytes(StandardCharsets.ISO_8859_1));
        assertTrue(refused(UnsupportedModelException.class, copy).hint().contains("quantized from"));
    }

    /** Settings of sampling stand in another file than config.json, and overrides of them in a third. */
    @Test
    void namesTheFileThatHasAValueOfTheWrongKind() throws IOException {
        Path copy = Fixtures.copy("llama-shards", folder);
        Path generation = copy.resolve("generation_config.json");
        Files.writeString(generation, "{\"temperature\": \"warm\"}");
        InvalidFileException fault = refused(InvalidFileException.class, copy);
        assertEquals(generation, fault.path());
        assertTrue(fault.getMessage().contains("general.sampling.temp"), fault.getMessage());
        Path overrides = Files.writeString(folder.resolve("overrides.json"), "{\"general.sampling.temp\": [1]}");
        var request = new Converter.Request(copy, folder.resolve("out.gguf"), OutputType.F16, null, null, overrides, null, null, false, 0,
                false, false);
        assertEquals(overrides, assertThrows(InvalidFileException.class, () -> run(request)).path());
    }

    @Test
    void namesAMissingShard() throws IOException {
        Path copy = Fixtures.copy("llama-shards", folder);
        Files.delete(copy.resolve("model-00002-of-00002.safetensors"));
        assertTrue(refused(InvalidFileException.class, copy).getMessage().contains("model-00002-of-00002.safetensors"));
    }

    @Test
    void refusesAnIndexThatLeavesTheFolder() throws IOException {
        Path copy = Fixtures.copy("llama-shards", folder);
        edit(copy.resolve("model.safetensors.index.json"), "model-00002-of-00002.safetensors", "../../model.safetensors");
        assertTrue(refused(InvalidFileException.class, copy).getMessage().contains("../../model.safetensors"));
    }

    @Test
    void namesATensorMissingFromTheFiles() throws IOException {
        Path copy = Fixtures.copy("llama-shards", folder);
        edit(copy.resolve("model.safetensors.index.json"), "\"model.norm.weight\"", "\"model.form.weight\"");
        assertTrue(refused(InvalidFileException.class, copy).getMessage().contains("model.form.weight"));
    }

    @Test
    void acceptsAByteLevelVocabularyWithMoreTokens() throws IOException {
        Path copy = Fixtures.copy("llama3-bpe", folder);
        run(Fixtures.request(copy, folder.resolve("out.gguf")));
        try (var file = GgufReader.read(folder.resolve("out.gguf"))) {
            assertEquals("llama-bpe", file.metadata().string("tokenizer.ggml.pre"));
        }
    }

    @Test
    void namesTheNearestPreTokenizers() throws IOException {
        Path copy = Fixtures.copy("llama3-bpe", folder);
        edit(copy.resolve("tokenizer.json"), "{1,3}", "{1,7}");
        String message = refused(UnsupportedModelException.class, copy).getMessage();
        assertTrue(message.contains("nearest") && message.contains("--pre"), message);
    }

    /** Version 2 differs from 3 in its number alone where all is little endian. */
    @Test
    void upgradesGgufOfVersion2() throws IOException {
        Path current = Path.of("src/test/fixtures/finetune/qwen3-f16.gguf");
        byte[] bytes = Files.readAllBytes(current);
        bytes[4] = 2;
        Path old = Files.write(folder.resolve("old.gguf"), bytes);
        Converter.Result result = run(request(old, false, 0, false, false));
        assertEquals("qwen3", result.architecture());
        assertEquals(-1, Files.mismatch(current, folder.resolve("out.gguf")));
    }

    @Test
    void saysHowAnUnknownVocabularyWasDecided() throws IOException {
        List<String> said;
        try (var remarks = new Said(PreTokenizers.class)) {
            run(Fixtures.request(Fixtures.FOLDER.resolve("qwen2-bpe"), folder.resolve("out.gguf")));
            said = remarks.texts();
        }
        assertTrue(said.size() == 1 && said.getFirst().contains("'qwen2'") && said.getFirst().contains("stablelm2"), said::toString);
    }
}
