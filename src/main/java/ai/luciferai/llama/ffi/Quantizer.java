package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import ai.luciferai.llama.bindings.lucifer_planned_tensor;
import ai.luciferai.llama.bindings.lucifer_quantize_params;
import ai.luciferai.llama.bindings.lucifer_quantize_report;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** llama.cpp's quantization of a model file. <i>Threads</i>: any; each call has threads of its own. */
public final class Quantizer {

    private static final int CELLS = 4;

    private Quantizer() {}

    /**
     * What was done, or would be with a dry run.
     *
     * @param nElements       numbers in all tensors
     * @param bytesBefore     of all tensors, without metadata, here and below
     * @param nConverted      tensors that change their type
     * @param nFallback       tensors whose rows do not fit the wanted type
     * @param nRequantized    tensors converted from a quantized type
     * @param nWithoutImatrix converted tensors that the given importance matrix does not have
     * @param needsImatrix    whether a tensor needs an importance matrix for its type, and has none
     * @param tensors         in the order of the output
     */
    public record Outcome(long nElements, long bytesBefore, long bytesAfter, int nConverted, int nFallback, int nRequantized,
            int nWithoutImatrix, boolean needsImatrix, List<PlannedTensor> tensors) {}

    /**
     * One tensor of the output.
     *
     * @param ne         shape, innermost first
     * @param typeBefore {@code enum ggml_type}
     * @param typeAfter  {@code enum ggml_type}
     * @param fallback   whether another type was wanted, which its rows do not fit
     */
    public record PlannedTensor(String name, List<Long> ne, int typeBefore, int typeAfter, long bytesBefore, long bytesAfter,
            boolean fallback, boolean hasImatrix) {}

    /**
     * Quantizes, or makes the plan with {@link QuantizeParams#dryRun}. When it fails or is cancelled there is no output.
     *
     * @param progress hears "quantize" in bytes of the input, with the metric "tensors", those done
     */
    public static Outcome run(QuantizeParams params, Progress progress, Cancel cancel) {
        NativeLibrary.require();
        try (Arena arena = Arena.ofConfined(); var poller = new ProgressPoller(progress, CELLS, Quantizer::quantized)) {
            MemorySegment report = lucifer_quantize_report.allocate(arena);
            lucifer_quantize_report.struct_size(report, lucifer_quantize_report.sizeof());
            MemorySegment plan = arena.allocate(ValueLayout.ADDRESS);
            int status = lucifer_quantize(params.toNative(arena, poller.cells(), Computing.begin(cancel)), report, plan);
            Status.check(status, "lucifer_quantize",
                    Status.About.model(params.input).andOption("quantize", "what llama.cpp can do with this model", null)
                            .andFile(params.imatrix));
            return outcome(report, plan.get(ValueLayout.ADDRESS, 0));
        } finally {
            Computing.end();
            Reference.reachabilityFence(cancel);
        }
    }

    private static Progress.Event quantized(long[] cells) {
        return new Progress.Event("quantize", cells[2], cells[3], "bytes", Map.of("tensors", (double) cells[0]));
    }

    private static Outcome outcome(MemorySegment report, MemorySegment plan) {
        try {
            return new Outcome(lucifer_quantize_report.n_elements(report), lucifer_quantize_report.bytes_before(report),
                    lucifer_quantize_report.bytes_after(report), lucifer_quantize_report.n_converted(report),
                    lucifer_quantize_report.n_fallback(report), lucifer_quantize_report.n_requantized(report),
                    lucifer_quantize_report.n_without_imatrix(report), lucifer_quantize_report.needs_imatrix(report) != 0,
                    tensors(plan, lucifer_quantize_report.n_tensors(report)));
        } finally {
            Status.warn(lucifer_quantize_plan_free(plan), "freeing a plan");
        }
    }

    private static List<PlannedTensor> tensors(MemorySegment plan, int n) {
        var tensors = new ArrayList<PlannedTensor>(n);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = lucifer_planned_tensor.allocate(arena);
            for (int i = 0; i < n; i++) {
                lucifer_planned_tensor.struct_size(struct, lucifer_planned_tensor.sizeof());
                Status.check(lucifer_quantize_plan_tensor(plan, i, struct), "lucifer_quantize_plan_tensor");
                tensors.add(tensor(struct));
            }
        }
        return List.copyOf(tensors);
    }

    private static PlannedTensor tensor(MemorySegment struct) {
        var ne = new ArrayList<Long>();
        for (int i = 0; i < 4; i++) {
            ne.add(lucifer_planned_tensor.ne(struct, i));
        }
        return new PlannedTensor(NativeText.fixed(lucifer_planned_tensor.name(struct)), List.copyOf(ne),
                lucifer_planned_tensor.type_before(struct), lucifer_planned_tensor.type_after(struct),
                lucifer_planned_tensor.bytes_before(struct), lucifer_planned_tensor.bytes_after(struct),
                lucifer_planned_tensor.fallback(struct) != 0, lucifer_planned_tensor.has_imatrix(struct) != 0);
    }
}
