/**
 * JSON schemas as grammars. llama.cpp has a converter too, which leaves out what it does not know and takes any string where it does not
 * understand a pattern; this one keeps a keyword or refuses the schema.
 *
 * <p>The way of a schema: {@code SchemaDocument} knows its places and references; {@code Expansion} brings together what applies to one
 * value ({@code Conj}) as the ways to satisfy it ({@code Shape}), contraries pushed down to keywords ({@code Negation}); the
 * {@code …Form}s write each as {@code Gbnf}; {@code Rules} leaves out what can never end. Patterns, names of properties and lengths are
 * {@code Automaton}s: they can be met, and be forbidden.
 */
package ai.luciferai.llama.schema;
