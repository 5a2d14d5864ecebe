/**
 * Benchmarks, run by {@code src/test/bench/run.sh}: programs, not tests, because a time that is asserted fails on a busy machine.
 * What they print is what README.md says about speed. They use the public API, as any program would.
 */
package ai.luciferai.llama.bench;
