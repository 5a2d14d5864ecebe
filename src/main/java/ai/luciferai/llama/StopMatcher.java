package ai.luciferai.llama;

import java.util.List;

/**
 * Finds stop strings in a text that arrives piece by piece. Text that may be the beginning of a stop string is held back until it
 * is certain, so that no part of a stop string is ever released. Of several the one that ends first wins, and of those the longest;
 * so the result does not depend on where the pieces are cut.
 */
final class StopMatcher {

    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private String matched;

    StopMatcher(List<String> stops) {
        this.stops = stops;
    }

    /** Text that is certain now; after a match, what stood before it. */
    String feed(String text) {
        if (stops.isEmpty() || text.isEmpty()) {
            return text;
        }
        int firstNew = held.length();
        held.append(text);
        for (int end = firstNew + 1; end <= held.length(); end++) {
            String stop = longestEndingAt(end);
            if (stop != null) {
                matched = stop;
                return take(end - stop.length(), true);
            }
        }
        return take(held.length() - heldBack(), false);
    }

    /** Text that was held back, when nothing follows. */
    String end() {
        return matched == null ? take(held.length(), true) : "";
    }

    /** The stop string that appeared, or null. */
    String matched() {
        return matched;
    }

    private String longestEndingAt(int end) {
        String longest = null;
        for (String stop : stops) {
            if ((longest == null || stop.length() > longest.length()) && standsAt(stop, end - stop.length(), stop.length())) {
                longest = stop;
            }
        }
        return longest;
    }

    /** Length of the longest end of the held text that begins a stop string. */
    private int heldBack() {
        int longest = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
                if (standsAt(stop, held.length() - n, n)) {
                    longest = n;
                }
            }
        }
        return longest;
    }

    private boolean standsAt(String stop, int start, int length) {
        if (start < 0) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (held.charAt(start + i) != stop.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private String take(int length, boolean dropRest) {
        String text = held.substring(0, length);
        held.delete(0, dropRest ? held.length() : length);
        return text;
    }
}
