package ai.luciferai.llama.gpu;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a step found.
 *
 * @param good  whether it is as it should be
 * @param facts names and values, in the order in which they are told
 */
record Outcome(boolean good, Map<String, Object> facts) {

    static Outcome of(boolean good, Object... namesAndValues) {
        var facts = new LinkedHashMap<String, Object>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            facts.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return new Outcome(good, facts);
    }

    /** To four significant digits, which is more than a measurement has. */
    static double round(double value) {
        if (value == 0 || !Double.isFinite(value)) {
            return value;
        }
        double unit = Math.pow(10, 3 - Math.floor(Math.log10(Math.abs(value))));
        return Math.round(value * unit) / unit;
    }
}
