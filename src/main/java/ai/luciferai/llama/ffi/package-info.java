/**
 * The edge to native code: finds and loads the library, owns every native object, and turns each C function of
 * {@code lucifer_llama.h} into a method with Java types.
 *
 * <p><b>Uses</b> {@code bindings} (which nobody else does) and {@code core}. Not exported: what programs see is the façade.
 *
 * <p><b>Ownership.</b> One Java object is one native object in one arena of its own, see {@link ai.luciferai.llama.ffi.NativeHandle}.
 * Whoever opens closes. Contexts, samplers and adapters are children of their model, which closes them, newest first, before it
 * closes itself. Memory of one call lives in a confined arena inside one method; buffers that every token needs are allocated once
 * in the arena of their handle. No segment leaves this package.
 *
 * <p><b>Threads.</b> A handle is used by one thread at a time, and says so with {@link ai.luciferai.llama.core.BusyException};
 * reading methods of {@link ai.luciferai.llama.ffi.ModelHandle} may be used by any number of threads.
 *
 * <p><b>Errors.</b> Every status passes through {@link ai.luciferai.llama.ffi.Status#check}, which makes it a typed exception with
 * the native message. Use after close is {@link ai.luciferai.llama.core.ClosedException}, close during use {@code BusyException}.
 */
package ai.luciferai.llama.ffi;
