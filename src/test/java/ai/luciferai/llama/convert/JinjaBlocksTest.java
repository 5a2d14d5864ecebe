package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JinjaBlocksTest {

    @ParameterizedTest
    @ValueSource(strings = {"", "no tags", "{ {} }", "{{ messages[0]['content'] }}", "{%- for m in messages -%}{{ m.content }}{%- else %}none{% endfor +%}",
        "{# {{ '{%' #}", "{{ '}}' ~ \"%}\" ~ 'it\\'s' }}", "{{ {'a': {'b': 1}}['a'] }}", "{{ {'a': 1}}}", "{% if a %}{% elif b == 'x' %}{% else %}{% endif %}",
        "{% set x = {'a': 5} %}{% set ns.y = 1 %}{% set z %}text{% endset %}", "{% macro m(a='}') %}{% endmacro %}{% call m() %}{% endcall %}",
        "{% raw %}{{ {% if %} {% endraw %}", "{% generation %}{{ a }}{% endgeneration %}{% break %}", "{% filter upper %}a{% endfilter %}", "{"})
    void whatIsWholeHasNoFault(String template) {
        assertNull(JinjaBlocks.fault(template));
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', delimiter = '|', value = {
        "{{ a                                     | line 1: a {{ that does not close",
        "{% if a                                  | line 1: a {% that does not close",
        "{# a                                     | line 1: a comment {# that does not close",
        "{{ 'a }}                                 | line 1: a string that does not close",
        "{% if a %}b                              | line 1: {% if %} that nothing ends",
        "{% if a %}{% for b in c %}{% endif %}    | line 1: {% endif %} where another block or none is open",
        "{% endfor %}                             | line 1: {% endfor %} where another block or none is open",
        "{% else %}                               | line 1: {% else %} in no block that has it",
        "{% for a in b %}{% elif c %}{% endfor %} | line 1: {% elif %} in no block that has it",
        "{{ a) }}                                 | line 1: a ) that nothing opened",
        "{% raw %}a                               | line 1: {% raw %} that nothing ends"})
    void whatIsCutShortIsSaid(String template, String fault) {
        String found = JinjaBlocks.fault(template);
        assertTrue(fault.equals(found), found);
        assertTrue(JinjaBlocks.fault("\n\n" + template).startsWith("line 3: "), template);
    }
}
