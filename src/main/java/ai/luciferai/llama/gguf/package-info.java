/**
 * GGUF files in plain Java: reading with total validation, metadata, tensor tables, writing; no native code.
 *
 * <p><b>Uses</b> {@code core} only.
 *
 * <p><b>Reading.</b> {@link ai.luciferai.llama.gguf.GgufReader#read} maps the file (all parts of a split one), checks every count,
 * size, offset and name with exact arithmetic before anything is believed or allocated, and gives a
 * {@link ai.luciferai.llama.gguf.GgufFile}. Whatever is wrong is an
 * {@link ai.luciferai.llama.core.InvalidFileException} that names the key or tensor; no other exception leaves, whatever the bytes.
 * Arrays stay in the file until they are asked for, so a vocabulary costs a walk over its lengths and nothing else.
 *
 * <p><b>Preflight.</b> {@link ai.luciferai.llama.gguf.ModelPreflight} and {@link ai.luciferai.llama.gguf.AdapterPreflight} check
 * what llama.cpp takes for granted and would end the process over.
 *
 * <p><b>Ownership.</b> A {@code GgufFile} owns its mappings; metadata arrays and tensor data are views that die with it.
 *
 * <p><b>Threads.</b> Everything read is immutable and may be used by any thread. A writer lays out the file when it is made; its
 * tensors may then be written by several threads at once.
 *
 * <p><b>Source.</b> The format: docs/gguf.md of ggml-org/ggml. What is accepted: ggml/src/gguf.cpp of llama.cpp v0.5.0.
 */
package ai.luciferai.llama.gguf;
