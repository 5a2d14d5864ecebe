/**
 * Hugging Face and PyTorch models to GGUF: which tensors, keys and tokenizers become what, and the streaming of the data.
 *
 * <p><b>Order of work</b> ({@code Converter}): configuration, tensor table, plan of every output tensor ({@code Architecture}, one class
 * per family, and the tables among the resources), keys ({@code ModelMetadata}, {@code Architecture}, {@code Vocabulary}), then the data
 * ({@code TensorWriter}). Nothing of the data is touched before all keys are known, so a model that cannot be converted fails at once.
 *
 * <p><b>The reference</b> is llama.cpp's convert_hf_to_gguf.py at the pinned version; the output is equal to its output byte for byte.
 * Where this package differs on purpose, the class says so, and docs/convert.md lists it.
 *
 * <p><b>Uses</b> {@code hf}, {@code gguf}, {@code core}. <b>Threads</b>: a conversion is one call; inside it the data is converted on all
 * processors. <b>Ownership</b>: tensors are views of the mapped checkpoint and live as long as the conversion.
 */
package ai.luciferai.llama.convert;
