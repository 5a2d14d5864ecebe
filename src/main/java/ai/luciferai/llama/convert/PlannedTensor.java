package ai.luciferai.llama.convert;

import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.TensorInfo;

/**
 * One tensor of the output.
 *
 * @param info   name, type and shape in GGUF order
 * @param tensor where its elements come from
 */
record PlannedTensor(TensorInfo info, Tensor tensor) {

    /** With the type that is wanted, or what takes its place: packed blocks as they are, F16 where rows hold no whole blocks. */
    static PlannedTensor of(String name, GgmlType wanted, Tensor tensor) {
        long[] shape = tensor.shape();
        GgmlType type = tensor.packed() != null ? tensor.packed() : wanted;
        if (type.isQuantized() && (shape.length == 0 || shape[shape.length - 1] % type.blockElements() != 0)) {
            type = GgmlType.F16;
        }
        long[] reversed = new long[shape.length];
        for (int d = 0; d < shape.length; d++) {
            reversed[d] = shape[shape.length - 1 - d];
        }
        return new PlannedTensor(TensorInfo.of(name, type, reversed), tensor);
    }
}
