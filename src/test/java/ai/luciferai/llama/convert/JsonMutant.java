package ai.luciferai.llama.convert;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Damages a JSON text in a way that is still JSON: a value becomes another, vanishes, or moves. */
final class JsonMutant {

    private static final JsonMapper JSON = JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS).build();
    /** Values at and beyond the edges of what a reader expects. */
    private static final Object[] ODD = {null, true, false, 0, 1, -1, 2, 3, 7, 63, 64, 65, 255, 1 << 20, Integer.MAX_VALUE, 1L << 32, Long.MAX_VALUE,
        Long.MIN_VALUE, new java.math.BigInteger("9".repeat(40)), 0.5, -0.0, 1e-300, 1e308, Double.NaN, Double.POSITIVE_INFINITY, "", "x", "\0", "../..",
        "BPE", "F64", "yarn", "llama3", "\uD83D\uDE42", "a".repeat(70_000), List.of(), Map.of(), List.of(1, 2), List.of(-1), List.of("a", "b"),
        List.of(List.of()), Map.of("type", "Sequence"), Map.of("0", 0)};

    private JsonMutant() {}

    static byte[] of(byte[] text, Random random) throws IOException {
        Object root = JSON.readValue(text, Object.class);
        for (int i = 0; i < 1 + random.nextInt(2); i++) {
            change(root, random);
        }
        return JSON.writeValueAsBytes(root);
    }

    /** Walks down at random, then changes one entry of where it stands. */
    @SuppressWarnings("unchecked") // Jackson's own maps and lists
    private static void change(Object at, Random random) {
        if (at instanceof Map<?, ?> map && !map.isEmpty()) {
            var entries = (Map<String, Object>) map;
            List<String> keys = new ArrayList<>(entries.keySet());
            String key = keys.get(random.nextInt(keys.size()));
            Object value = entries.get(key);
            if (!descend(value, random)) {
                switch (random.nextInt(5)) {
                    case 0 -> entries.remove(key);
                    case 1 -> entries.put(keys.get(random.nextInt(keys.size())), value);
                    default -> entries.put(key, odd(value, random));
                }
            }
        } else if (at instanceof List<?> list && !list.isEmpty()) {
            var items = (List<Object>) list;
            int place = random.nextInt(items.size());
            if (!descend(items.get(place), random)) {
                switch (random.nextInt(4)) {
                    case 0 -> items.remove(place);
                    case 1 -> items.add(items.get(place));
                    default -> items.set(place, odd(items.get(place), random));
                }
            }
        }
    }

    private static boolean descend(Object value, Random random) {
        boolean deeper = (value instanceof Map<?, ?> map && !map.isEmpty() || value instanceof List<?> list && !list.isEmpty()) && random.nextInt(4) > 0;
        if (deeper) {
            change(value, random);
        }
        return deeper;
    }

    private static Object odd(Object old, Random random) {
        if (random.nextInt(3) == 0 && old instanceof Integer number) {
            return number + random.nextInt(5) - 2;
        }
        if (random.nextInt(20) == 0) {
            Object nested = old == null ? 0 : old;
            for (int i = 0; i < 300; i++) {
                nested = i % 2 == 0 ? new ArrayList<>(List.of(nested)) : new LinkedHashMap<>(Map.of("type", nested));
            }
            return nested;
        }
        return switch (ODD[random.nextInt(ODD.length)]) {
            case List<?> list -> new ArrayList<>(list);
            case Map<?, ?> map -> new LinkedHashMap<>(map);
            case null -> null;
            case Object plain -> plain;
        };
    }
}
