/**
 * What every other package stands on: errors, progress, cancelling, and files that are read mapped and written atomically.
 *
 * <p><b>Uses</b> the JDK only.
 *
 * <p><b>Errors.</b> {@link ai.luciferai.llama.core.BridgeException} is the unchecked root; each subclass is something that the
 * reader of the message can act on. A message says what failed, for which path, tensor or option, what was expected and what was
 * found, and ends with one HINT line where the remedy is known. {@link java.io.IOException} stays checked and means real I/O: the
 * disk, not the contents of a file.
 *
 * <p><b>Ownership.</b> {@link ai.luciferai.llama.core.MappedFile} and {@link ai.luciferai.llama.core.AtomicFile} are closed by
 * whoever opened them. {@link ai.luciferai.llama.core.Cancel} needs no closing.
 *
 * <p><b>Threads.</b> {@code Cancel} and {@code MappedFile} may be used by any thread; {@code AtomicFile} by one.
 */
package ai.luciferai.llama.core;
