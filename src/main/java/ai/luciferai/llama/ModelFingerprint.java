package ai.luciferai.llama;

import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * A number that tells models apart, also two finetunes of the same base: a checksum of metadata, tensor table and the first bytes of
 * every tensor. No more of the weights is read, so that it takes milliseconds on any model.
 */
final class ModelFingerprint {

    private static final int SAMPLE_BYTES = 256;

    private ModelFingerprint() {}

    static long of(Path model) {
        try (GgufFile file = GgufReader.read(model)) {
            return (long) header(file) << Integer.SIZE | Integer.toUnsignedLong(data(file));
        } catch (IOException e) {
            throw ModelLoader.unreadable(model, e);
        }
    }

    private static int header(GgufFile file) {
        CRC32C crc = new CRC32C();
        file.metadata().values().forEach((key, value) -> {
            if (!(value.value() instanceof GgufArray)) {
                update(crc, key + "=" + value.value());
            }
        });
        for (TensorInfo tensor : file.tensors()) {
            update(crc, tensor.name() + tensor.type() + tensor.shape());
        }
        return (int) crc.getValue();
    }

    private static void update(CRC32C crc, String text) {
        crc.update(text.getBytes(StandardCharsets.UTF_8));
    }

    private static int data(GgufFile file) {
        CRC32C crc = new CRC32C();
        for (TensorInfo tensor : file.tensors()) {
            crc.update(file.data(tensor).asSlice(0, Math.min(SAMPLE_BYTES, tensor.bytes())).asByteBuffer());
        }
        return (int) crc.getValue();
    }
}
