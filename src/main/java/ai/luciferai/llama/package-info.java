/**
 * The library's façade: load a GGUF model, generate, chat, embed, measure.
 *
 * <p>In this order: it never takes the JVM down; it never leaks; it says what went wrong; it is fast.
 *
 * <p><b>Ownership.</b> Who opens closes: {@link ai.luciferai.llama.Model}, {@link ai.luciferai.llama.Session},
 * {@link ai.luciferai.llama.Generation}, {@link ai.luciferai.llama.Embedder} and {@link ai.luciferai.llama.Adapter} are closed
 * with try-with-resources. Closing a model closes what was opened from it first, newest first. {@code close()} twice does
 * nothing; any other call after it throws {@link ai.luciferai.llama.core.ClosedException}.
 *
 * <p><b>Threads.</b> A model may be shared: tokenizing and opening sessions are safe from several threads. A session, an
 * embedder and a generation serve one thread at a time; a second one gets
 * {@link ai.luciferai.llama.core.BusyException}. {@link ai.luciferai.llama.core.Cancel} may be requested from anywhere.
 *
 * <p><b>Errors.</b> Everything thrown on purpose is a {@link ai.luciferai.llama.core.BridgeException}; its message names the
 * file, tensor or option, what was expected and what was found. {@link java.io.IOException} is left for real I/O.
 *
 * <p><b>Options</b> are records: {@code defaults()}, then {@code withX} copies. Invalid values are refused when the record is
 * made. The package uses {@code ffi}, {@code gguf} and {@code core}; no native type shows in a signature.
 */
package ai.luciferai.llama;
