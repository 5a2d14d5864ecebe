package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.Model;
import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.GgufWriter;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.TensorInfo;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * What {@link Loadable} says of a model is what llama.cpp's loader does with it: for each architecture the sound model, and the same with
 * one tensor or one key less, or one row less of a matrix. What is not refused loads; what is refused does not, but for the vectors that llama.cpp takes for
 * optional in each layer by itself.
 */
class LoadRulesIT {

    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> saysWhatTheLoaderDoes() throws IOException {
        JsonObject entries = JsonObject.read(Fixtures.FOLDER.resolve("generated.json"));
        return entries.values().keySet().stream().map(name -> DynamicTest.dynamicTest(name, () -> check(name, entries.requireObject(name))));
    }

    private void check(String name, JsonObject entry) throws IOException {
        Path checkpoint = folder.resolve(name);
        GeneratedCheckpoint.write(entry, checkpoint);
        Path sound = folder.resolve(name + ".gguf");
        Conversion.run(new Converter.Request(checkpoint, sound, OutputType.F16, null, null, null, entry.text("pre"), null, false, 0, false, true),
                ai.luciferai.llama.core.Progress.NONE, ai.luciferai.llama.core.Cancel.NONE);
        assertNull(loadFault(sound));
        try (var file = GgufReader.read(sound)) { // open as long as its arrays are read
            assertNull(refusal(file.metadata(), file.tensors()));
            withoutTensors(file.metadata(), file.tensors());
            withoutKeys(file.metadata(), file.tensors());
        }
        Files.delete(sound);
    }

    private void withoutTensors(Metadata metadata, List<TensorInfo> tensors) throws IOException {
        long layers = metadata.integer(metadata.string(Metadata.ARCHITECTURE) + ".block_count");
        for (TensorInfo tensor : tensors) {
            int block = Converter.blockOf(tensor.name());
            if (block >= 0 && block < layers - 1) {
                continue; // the last layer stands for all
            }
            var rest = new ArrayList<>(tensors);
            rest.remove(tensor);
            compare("without " + tensor.name(), metadata, rest, tensor.name().endsWith(".bias") || tensor.name().endsWith("_norm.weight"));
            long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
            shape[shape.length - 1] += 32;
            rest.add(TensorInfo.of(tensor.name(), tensor.type(), shape));
            compare("longer " + tensor.name(), metadata, rest, false);
        }
        var more = new ArrayList<>(tensors);
        more.add(TensorInfo.of("blk.0.surplus.weight", tensors.getFirst().type(), 32, 32));
        compare("with one that is not known", metadata, more, false);
    }

    private void withoutKeys(Metadata metadata, List<TensorInfo> tensors) throws IOException {
        for (String key : metadata.keys()) {
            if (key.startsWith(metadata.string(Metadata.ARCHITECTURE) + ".") || key.equals("tokenizer.ggml.merges")) {
                compare("without " + key, metadata.toBuilder().remove(key).build().at(folder), tensors, false);
            }
        }
    }

    private void compare(String what, Metadata metadata, List<TensorInfo> tensors, boolean mayBeStricter) throws IOException {
        String refused = refusal(metadata, tensors);
        if (refused != null && mayBeStricter) {
            return;
        }
        Path file = folder.resolve("damaged.gguf");
        try (var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            var writer = new GgufWriter(channel, metadata, tensors);
            channel.position(0);
            long end = writer.fileBytes();
            if (channel.size() < end) {
                channel.write(java.nio.ByteBuffer.allocate(1), end - 1); // zeros will do for weights
            }
        }
        String fault = loadFault(file);
        Files.delete(file);
        assertEquals(refused != null, fault != null, () -> what + ": refused here: " + refused + "; by llama.cpp: " + fault);
    }

    private String refusal(Metadata metadata, List<TensorInfo> tensors) {
        try {
            Loadable.check(folder, metadata, tensors.stream().map(tensor -> new PlannedTensor(tensor, null)).toList());
            return null;
        } catch (BridgeException refused) {
            assertTrue(refused.getMessage().length() < 2000, refused::getMessage);
            return refused.getMessage();
        }
    }

    private static String loadFault(Path file) {
        try (Model model = Model.load(file)) {
            return model.info() == null ? "nothing loaded" : null;
        } catch (BridgeException fault) {
            return fault.getMessage();
        }
    }
}
