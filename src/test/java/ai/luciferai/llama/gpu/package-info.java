/**
 * What is checked on a machine with a GPU: {@code src/test/gpu/kit.sh} packs it with all that it needs, {@code src/test/gpu/check.sh} runs it
 * there. {@link ai.luciferai.llama.gpu.GpuCheck} holds the steps.
 */
package ai.luciferai.llama.gpu;
