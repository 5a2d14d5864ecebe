package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidOptionException;

/** Argument checks of the option records: each failure names the option, what it takes and what it got. */
final class Check {

    private Check() {}

    static int atLeast(String option, int value, int least) {
        require(value >= least, option, "at least " + least, value);
        return value;
    }

    static long atLeast(String option, long value, long least) {
        require(value >= least, option, "at least " + least, value);
        return value;
    }

    static float atLeast(String option, float value, float least) {
        require(value >= least && Float.isFinite(value), option, "a number, at least " + least, value);
        return value;
    }

    static float between(String option, float value, float least, float most) {
        require(value >= least && value <= most, option, "between " + least + " and " + most, value);
        return value;
    }

    static float finite(String option, float value) {
        require(Float.isFinite(value), option, "a finite number", value);
        return value;
    }

    static <T> T present(String option, T value) {
        require(value != null, option, "a value", "null");
        return value;
    }

    static String notEmpty(String option, String value) {
        require(value != null && !value.isEmpty(), option, "a text that is not empty", value);
        return value;
    }

    static void require(boolean holds, String option, String expected, Object got) {
        if (!holds) {
            throw new InvalidOptionException(option, expected, String.valueOf(got));
        }
    }
}
