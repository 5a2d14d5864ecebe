package ai.luciferai.llama.core;

import java.util.List;

/** Names in a message, of which there may be very many. */
public final class Enumeration {

    private Enumeration() {}

    /** "a, b, c and 4 more": so many of them at most, and how many there are besides. */
    public static String of(List<String> names, int most) {
        int n = names.size();
        return String.join(", ", names.subList(0, Math.min(n, most))) + (n > most ? " and " + (n - most) + " more" : "");
    }
}
