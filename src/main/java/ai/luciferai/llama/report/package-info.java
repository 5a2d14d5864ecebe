/**
 * Pages of HTML with nothing outside them, for reports.
 *
 * <p>Uses the JDK alone. Static functions from values to text; any thread.
 */
package ai.luciferai.llama.report;
