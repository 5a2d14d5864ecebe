package ai.luciferai.llama.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidOptionException;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Each schema of the public suite is kept or refused: what its grammar generates satisfies it, and none of the suite's invalid
 * examples belongs to the grammar.
 */
class SchemaSuiteTest {

    private static final int DRAWN = 60;

    private final List<String> wrong = new ArrayList<>();
    private final Map<String, Integer> refusals = new TreeMap<>();
    private int kept;
    private int refused;
    private int impossible;
    private int unjudged;
    private int valid;
    private int reachable;

    @Test
    void everySchemaIsKeptOrRefused() {
        assumeTrue(SchemaSuite.folder() != null, "the suite does not lie beside the checkout: " + SchemaSuite.FOLDER);
        SchemaSuite.groups().forEach(this::check);
        System.out.printf("JSON schemas of the suite: %d kept, %d refused, %d that nothing satisfies; %d not judged by the validator;"
                + " %d of %d valid examples of those kept can be generated%n", kept, refused, impossible, unjudged, reachable, valid);
        refusals.forEach((why, count) -> System.out.println("  refused " + count + ": " + why));
        assertEquals("", String.join("\n", wrong));
        assertTrue(kept >= 379 && refused <= 42, kept + " kept, " + refused + " refused");
    }

    private void check(SchemaSuite.Group group) {
        GbnfText grammar;
        try {
            grammar = new GbnfText(JsonSchema.form(group.schema().toString(), false, Cancel.NONE).gbnf());
        } catch (InvalidOptionException e) {
            boolean none = true;
            for (JsonNode test : group.tests()) {
                none &= !test.path("valid").asBoolean();
            }
            impossible += none ? 1 : 0;
            refused += none ? 0 : 1;
            if (!none) {
                refusals.merge(group.name() + " -- " + e.got(), 1, Integer::sum);
            }
            return;
        } catch (RuntimeException e) {
            wrong.add(group.name() + ": " + e);
            return;
        }
        kept++;
        examples(group, grammar);
        drawn(group, grammar);
    }

    private void examples(SchemaSuite.Group group, GbnfText grammar) {
        for (JsonNode test : group.tests()) {
            String text = Literals.json(test.path("data"));
            boolean accepted = grammar.accepts(text);
            if (test.path("valid").asBoolean()) {
                valid++;
                reachable += accepted ? 1 : 0;
            } else if (accepted) {
                wrong.add(group.name() + ": accepts " + text);
            }
        }
    }

    private void drawn(SchemaSuite.Group group, GbnfText grammar) {
        if (!SchemaSuite.isJudged(group)) {
            unjudged++;
            return;
        }
        var validator = SchemaSuite.validator(group.schema());
        Random random = new Random(group.name().hashCode());
        for (int i = 0; i < DRAWN; i++) {
            String text = grammar.draw(random, 4 + i);
            var faults = validator.validate(SchemaSuite.parse(text));
            if (!faults.isEmpty()) {
                wrong.add(group.name() + ": " + text + " -> " + faults);
                return;
            }
        }
    }
}
