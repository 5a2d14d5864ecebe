package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import ai.luciferai.llama.bindings.lucifer_adamw;
import ai.luciferai.llama.bindings.lucifer_llama_h;
import ai.luciferai.llama.bindings.lucifer_trainer_info;
import ai.luciferai.llama.bindings.lucifer_trainer_params;
import ai.luciferai.llama.bindings.lucifer_training_batch;
import ai.luciferai.llama.core.Cancel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntBiFunction;

/**
 * Trains the tensors of a LoRA adapter in place.
 *
 * <p><i>Ownership</i>: a child of its model; the adapter must stay open as long. <i>Threads</i>: one at a time.
 */
public final class TrainerHandle extends NativeHandle {

    /**
     * Shape and manner of training.
     *
     * @param nTokens  most rows of a micro-batch
     * @param nOutputs most supervised rows of a micro-batch
     * @param layers   whether only each layer's output is kept and the rest computed again
     * @param arithmetic of the graphs
     * @param lossScale the first, a power of two; 0: as the devices need it
     */
    public record Params(int nTokens, int nOutputs, int nThreads, boolean layers, Arithmetic arithmetic, float dropout, float lossScale) {}

    /** See {@code enum lucifer_training_arithmetic}, whose order it has. */
    public enum Arithmetic { NATIVE, EXACT, MIXED }

    /** See the C struct {@code lucifer_trainer_info}. */
    public record Info(long computeBytes, long nSteps, double checkDifference, double checkMagnitude, int nTensors, int nLayers,
            int nFallbacks, float lossScale) {}

    /** One trained tensor; {@code ne0} is the inner dimension. */
    public record Tensor(String name, long ne0, long ne1) {

        public int elements() {
            return Math.toIntExact(Math.multiplyExact(ne0, ne1));
        }
    }

    /** What can be read and written of a tensor. The order is that of {@code enum lucifer_trainer_part}. */
    public enum Part { VALUE, GRADIENT, M, V }

    /**
     * One micro-batch: sequences laid end to end; see the C struct {@code lucifer_training_batch}.
     *
     * @param outputs supervised rows, ascending; {@code labels} and {@code weights} belong to them
     */
    public record Rows(int[] tokens, int[] positions, int[] sequences, int[] outputs, int[] labels, float[] weights, int dropoutSeed) {}

    /** Numbers of one AdamW step; {@code maxGradNorm} 0: no clipping. */
    public record AdamW(float learningRate, float beta1, float beta2, float epsilon, float weightDecay, float maxGradNorm) {}

    /** L2 norm of the gradients before clipping; {@code skipped}: they were not finite, and nothing was changed. */
    public record Update(double gradNorm, boolean skipped) {}

    private final AdapterHandle adapter;
    private final List<Tensor> tensors;

    private TrainerHandle(ModelHandle model, AdapterHandle adapter, MemorySegment raw) {
        super("trainer of " + model.name(), model, raw, lucifer_llama_h::lucifer_trainer_free);
        this.adapter = adapter;
        this.tensors = readTensors();
    }

    /**
     * Makes a trainer.
     *
     * @throws ai.luciferai.llama.core.UnsupportedModelException the model has an operation that cannot be differentiated
     */
    public static TrainerHandle init(ModelHandle model, AdapterHandle adapter, Params params) {
        return model.adopt(() -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment struct = lucifer_trainer_params.allocate(arena);
                lucifer_trainer_params.struct_size(struct, lucifer_trainer_params.sizeof());
                lucifer_trainer_params.n_tokens(struct, params.nTokens());
                lucifer_trainer_params.n_outputs(struct, params.nOutputs());
                lucifer_trainer_params.n_threads(struct, params.nThreads());
                lucifer_trainer_params.memory(struct, params.layers() ? LUCIFER_TRAINING_LAYER() : LUCIFER_TRAINING_WHOLE());
                lucifer_trainer_params.arithmetic(struct, params.arithmetic().ordinal());
                lucifer_trainer_params.dropout(struct, params.dropout());
                lucifer_trainer_params.loss_scale(struct, params.lossScale());
                MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
                int status = lucifer_trainer_init(model.shared(), adapter.shared(), struct, pointer);
                Status.check(status, "lucifer_trainer_init", Status.About.model(model.path()));
                return new TrainerHandle(model, adapter, pointer.get(ValueLayout.ADDRESS, 0));
            }
        });
    }

    /** The adapter that is trained. */
    public AdapterHandle adapter() {
        return adapter;
    }

    /** The trained tensors by name; their numbers are those of {@link #read} and {@link #write}. */
    public List<Tensor> tensors() {
        return tensors;
    }

    /** Memory, steps, and how well the copied graph agrees with llama.cpp's. */
    public Info describe() {
        MemorySegment trainer = claim("describe");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = info(trainer, arena);
            return new Info(lucifer_trainer_info.compute_bytes(struct), lucifer_trainer_info.n_steps(struct),
                    lucifer_trainer_info.check_difference(struct), lucifer_trainer_info.check_magnitude(struct),
                    lucifer_trainer_info.n_tensors(struct), lucifer_trainer_info.n_layers(struct),
                    lucifer_trainer_info.n_fallbacks(struct), lucifer_trainer_info.loss_scale(struct));
        } finally {
            release();
        }
    }

    private static MemorySegment info(MemorySegment trainer, Arena arena) {
        MemorySegment struct = lucifer_trainer_info.allocate(arena);
        lucifer_trainer_info.struct_size(struct, lucifer_trainer_info.sizeof());
        Status.check(lucifer_trainer_describe(trainer, struct), "lucifer_trainer_describe");
        return struct;
    }

    private List<Tensor> readTensors() {
        MemorySegment trainer = claim("list tensors");
        try (Arena arena = Arena.ofConfined()) {
            int count = lucifer_trainer_info.n_tensors(info(trainer, arena));
            MemorySegment sizes = arena.allocate(ValueLayout.JAVA_LONG, 2);
            var found = new ArrayList<Tensor>(count);
            for (int i = 0; i < count; i++) {
                int index = i;
                String name = NativeText.string("lucifer_trainer_tensor", 128, Status.About.NOTHING, (buffer, capacity, length) ->
                        lucifer_trainer_tensor(trainer, index, buffer, capacity, length, sizes, sizes.asSlice(8)));
                found.add(new Tensor(name, sizes.getAtIndex(ValueLayout.JAVA_LONG, 0), sizes.getAtIndex(ValueLayout.JAVA_LONG, 1)));
            }
            return List.copyOf(found);
        } finally {
            release();
        }
    }

    /**
     * Computes a micro-batch.
     *
     * @param learn whether its gradients are collected for the next {@link #update}
     * @return the sum of weight times -log p(label)
     */
    public double run(Rows rows, boolean learn, Cancel cancel) {
        MemorySegment trainer = claim("train");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = lucifer_training_batch.allocate(arena);
            lucifer_training_batch.struct_size(struct, lucifer_training_batch.sizeof());
            lucifer_training_batch.tokens(struct, arena.allocateFrom(ValueLayout.JAVA_INT, rows.tokens()));
            lucifer_training_batch.positions(struct, arena.allocateFrom(ValueLayout.JAVA_INT, rows.positions()));
            lucifer_training_batch.sequences(struct, arena.allocateFrom(ValueLayout.JAVA_INT, rows.sequences()));
            lucifer_training_batch.outputs(struct, arena.allocateFrom(ValueLayout.JAVA_INT, rows.outputs()));
            lucifer_training_batch.labels(struct, arena.allocateFrom(ValueLayout.JAVA_INT, rows.labels()));
            lucifer_training_batch.weights(struct, arena.allocateFrom(ValueLayout.JAVA_FLOAT, rows.weights()));
            lucifer_training_batch.n_rows(struct, rows.tokens().length);
            lucifer_training_batch.n_outputs(struct, rows.outputs().length);
            lucifer_training_batch.dropout_seed(struct, rows.dropoutSeed());
            MemorySegment loss = arena.allocate(ValueLayout.JAVA_DOUBLE);
            int status = lucifer_trainer_run(trainer, struct, learn ? 1 : 0, Computing.begin(cancel).segment(), loss);
            Status.check(status, "lucifer_trainer_run");
            return loss.get(ValueLayout.JAVA_DOUBLE, 0);
        } finally {
            Computing.end();
            release();
        }
    }

    /** One AdamW step with the collected gradients, divided by the sum of their weights. */
    public Update update(AdamW adamw) {
        MemorySegment trainer = claim("update");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = lucifer_adamw.allocate(arena);
            lucifer_adamw.struct_size(struct, lucifer_adamw.sizeof());
            lucifer_adamw.learning_rate(struct, adamw.learningRate());
            lucifer_adamw.beta1(struct, adamw.beta1());
            lucifer_adamw.beta2(struct, adamw.beta2());
            lucifer_adamw.epsilon(struct, adamw.epsilon());
            lucifer_adamw.weight_decay(struct, adamw.weightDecay());
            lucifer_adamw.max_grad_norm(struct, adamw.maxGradNorm());
            MemorySegment norm = arena.allocate(ValueLayout.JAVA_DOUBLE);
            MemorySegment skipped = arena.allocate(ValueLayout.JAVA_INT);
            Status.check(lucifer_trainer_update(trainer, struct, norm, skipped), "lucifer_trainer_update");
            return new Update(norm.get(ValueLayout.JAVA_DOUBLE, 0), skipped.get(ValueLayout.JAVA_INT, 0) != 0);
        } finally {
            release();
        }
    }

    /** Drops the gradients collected since the last update. */
    public void clearGradients() {
        MemorySegment trainer = claim("clear gradients");
        try {
            Status.check(lucifer_trainer_clear_gradients(trainer), "lucifer_trainer_clear_gradients");
        } finally {
            release();
        }
    }

    /** Adds the gradients that another trainer of the same adapter has gathered since its last update, and clears them there. */
    public void gather(TrainerHandle from) {
        together("gather", from, lucifer_llama_h::lucifer_trainer_gather);
    }

    /** Gives its values to another trainer of the same adapter. */
    public void share(TrainerHandle to) {
        together("share", to, lucifer_llama_h::lucifer_trainer_share);
    }

    private void together(String what, TrainerHandle other, ToIntBiFunction<MemorySegment, MemorySegment> call) {
        MemorySegment mine = claim(what);
        try {
            MemorySegment theirs = other.claim(what);
            try {
                Status.check(call.applyAsInt(mine, theirs), "lucifer_trainer_" + what);
            } finally {
                other.release();
            }
        } finally {
            release();
        }
    }

    /** A part of tensor {@code index}, [ne0, ne1] with ne0 innermost. */
    public float[] read(int index, Part part) {
        MemorySegment trainer = claim("read");
        try (Arena arena = Arena.ofConfined()) {
            int n = tensors.get(index).elements();
            MemorySegment values = arena.allocate(ValueLayout.JAVA_FLOAT, n);
            Status.check(lucifer_trainer_read(trainer, index, part.ordinal(), values, n), "lucifer_trainer_read");
            return values.toArray(ValueLayout.JAVA_FLOAT);
        } finally {
            release();
        }
    }

    /** Replaces a part of tensor {@code index}. */
    public void write(int index, Part part, float[] values) {
        MemorySegment trainer = claim("write");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
            Status.check(lucifer_trainer_write(trainer, index, part.ordinal(), copy, values.length), "lucifer_trainer_write");
        } finally {
            release();
        }
    }

    /** Sets the number of updates that AdamW's bias correction counts. */
    public void setSteps(long nSteps) {
        MemorySegment trainer = claim("set steps");
        try {
            Status.check(lucifer_trainer_set_steps(trainer, nSteps), "lucifer_trainer_set_steps");
        } finally {
            release();
        }
    }
}
