package ai.luciferai.llama.train;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufWriter;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Writes LoRA adapters as llama.cpp reads them: {@code <weight>.lora_a} [n_in, rank] and {@code <weight>.lora_b} [rank, n_out].
 *
 * <p><i>Source</i>: llama_adapter_lora_init_impl in llama-adapter.cpp.
 */
public final class AdapterFile {

    /** One F32 tensor [ne0, ne1], ne0 innermost. */
    public record Tensor(String name, long ne0, long ne1, float[] values) {}

    private AdapterFile() {}

    /** Metadata of an adapter for a base of this architecture. */
    public static Metadata.Builder metadata(String architecture, float alpha) {
        return Metadata.builder().string(Metadata.ARCHITECTURE, architecture).string("general.type", "adapter")
                .string("adapter.type", "lora").float32("adapter.lora.alpha", alpha);
    }

    /**
     * The adapter that training starts from: A uniform in ±1/sqrt(n_in), B zero, so that it changes nothing yet.
     *
     * <p><i>Source</i>: peft's LoraLayer.reset_lora_parameters (Kaiming uniform with a = sqrt(5)).
     */
    public static List<Tensor> initial(List<TensorInfo> targets, int rank, long seed) {
        var random = new Random(seed);
        var tensors = new ArrayList<Tensor>();
        for (TensorInfo target : targets) {
            long in = target.ne(0);
            float[] a = new float[Math.toIntExact(in * rank)];
            float bound = (float) (1 / Math.sqrt(in));
            for (int i = 0; i < a.length; i++) {
                a[i] = (2 * random.nextFloat() - 1) * bound;
            }
            tensors.add(new Tensor(target.name() + ".lora_a", in, rank, a));
            tensors.add(new Tensor(target.name() + ".lora_b", rank, target.ne(1), new float[Math.toIntExact(rank * target.ne(1))]));
        }
        return tensors;
    }

    /** Writes tensors into a new file; the caller commits it. */
    public static void write(AtomicFile out, Metadata metadata, List<Tensor> tensors) throws IOException {
        List<TensorInfo> table = tensors.stream().map(t -> TensorInfo.of(t.name(), GgmlType.F32, t.ne0(), t.ne1())).toList();
        var writer = new GgufWriter(out.channel(), metadata, table);
        for (Tensor tensor : tensors) {
            writer.write(tensor.name(), 0, littleEndian(tensor.values()));
        }
        writer.finish();
    }

    private static MemorySegment littleEndian(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return MemorySegment.ofBuffer(bytes);
    }
}
