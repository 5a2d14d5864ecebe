package ai.luciferai.llama.core;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Finds the word that somebody probably meant. */
public final class Similar {

    private Similar() {}

    /** The candidate within a third of the word's length in edits, or null. */
    public static String nearest(String word, Collection<String> candidates) {
        String best = null;
        int least = Math.max(1, word.length() / 3) + 1;
        for (String candidate : candidates) {
            int edits = edits(word, candidate);
            if (edits < least || edits == least && best != null && candidate.compareTo(best) < 0) {
                least = edits;
                best = candidate;
            }
        }
        return best;
    }

    /** The candidates with the fewest edits, the nearest first. */
    public static List<String> nearest(String word, Collection<String> candidates, int count) {
        return candidates.stream().sorted(Comparator.<String>comparingInt(candidate -> edits(word, candidate)).thenComparing(c -> c))
                .limit(count).toList();
    }

    /** The work grows with the product of the lengths, and a word may come out of a file. */
    private static String clipped(String word) {
        return word.substring(0, Math.min(word.length(), 200));
    }

    /** Edits between two words: inserted, deleted, replaced and swapped letters (optimal string alignment). */
    private static int edits(String word, String candidate) {
        String a = clipped(word);
        String b = clipped(candidate);
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replaced = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replaced, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
