/**
 * Training data and files without native code: reading samples, packing them into micro-batches, the training state file, the report.
 *
 * <p>Uses {@code core}, {@code gguf}, {@code report} and Jackson. Immutable values; no threads of its own. The façade's {@code Finetune} turns text into
 * tokens and drives the native trainer.
 */
package ai.luciferai.llama.train;
