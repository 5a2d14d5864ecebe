/**
 * Readers of what lies in a Hugging Face folder: weights (safetensors, PyTorch), configuration, tokenizers, model card, adapters.
 *
 * <p><b>Uses</b> {@code core}, and three small libraries at one place each: Jackson's stream parser ({@code JsonObject}), SnakeYAML
 * ({@code ModelCard}), and the pickle reader of Pyro ({@code TensorUnpickler}).
 *
 * <p><b>Hostile input.</b> Nothing from a file is executed, and every size, offset, shape and path is checked before it is used or
 * allocated. Errors are {@link ai.luciferai.llama.core.InvalidFileException} with the file, the place, what was expected and what was
 * found.
 *
 * <p><b>Ownership.</b> {@code Checkpoint} owns the mapped weight files; the tensors that it gives out are views of them and die with it.
 */
package ai.luciferai.llama.hf;
