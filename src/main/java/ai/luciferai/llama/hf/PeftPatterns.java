package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.BoundedRegex;
import ai.luciferai.llama.core.InvalidFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * {@code rank_pattern} or {@code alpha_pattern} of an {@code adapter_config.json}: numbers by regular expressions over the names of modules.
 * The expressions are anybody's: all matching with them together takes a second or two at most.
 *
 * <p><i>Source</i>: PEFT, utils/other.py (get_pattern_key).
 */
final class PeftPatterns {

    private static final long MOST_STEPS = 100_000_000;

    private final Path file;
    private final String key;
    private final Map<Pattern, Double> numbers = new LinkedHashMap<>();
    private long steps;

    PeftPatterns(Path file, JsonObject config, String key) {
        this.file = file;
        this.key = key;
        config.objectOrEmpty(key).values().forEach((expression, value) -> {
            if (!(value instanceof Number number)) {
                throw new InvalidFileException(file, key + "." + expression, "a number", String.valueOf(value));
            }
            numbers.put(compile(expression), number.doubleValue());
        });
    }

    private Pattern compile(String expression) {
        try {
            return BoundedRegex.compile("(.*\\.)?(" + expression + ")", 0);
        } catch (PatternSyntaxException odd) {
            throw new InvalidFileException(file, key, "regular expressions", expression);
        }
    }

    /** The number of the first expression that matches the module's name. */
    double value(String module, double otherwise) {
        for (var entry : numbers.entrySet()) {
            if (matches(entry.getKey(), module)) {
                return entry.getValue();
            }
        }
        return otherwise;
    }

    private boolean matches(Pattern pattern, String module) {
        try {
            return pattern.matcher(BoundedRegex.counted(module, () -> step(pattern))).matches();
        } catch (StackOverflowError deep) {
            throw tooHeavy(pattern);
        }
    }

    private void step(Pattern pattern) {
        if (++steps > MOST_STEPS) {
            throw tooHeavy(pattern);
        }
    }

    private InvalidFileException tooHeavy(Pattern pattern) {
        return new InvalidFileException(file, key, "regular expressions that can be matched in some seconds", pattern.pattern());
    }
}
