package ai.luciferai.llama.report;

/** How wide a text is on a drawing: nobody can ask a font, so these are widths that common fonts do not exceed by much. */
final class Letters {

    /** Size of all letters on drawings. */
    static final double SIZE = 12;

    private static final String NARROW = " .,:;|!'ijl-()[]frtI";
    private static final String WIDE = "mwMW@%—…";
    /** From here on mostly East Asian letters and pictures, which are as wide as high. */
    private static final int SQUARE = 0x1100;

    private Letters() {}

    static double width(String text) {
        return text.codePoints().mapToDouble(Letters::width).sum();
    }

    private static double width(int letter) {
        if (letter >= SQUARE) {
            return SIZE * 1.1;
        }
        return NARROW.indexOf(letter) >= 0 ? SIZE * 0.42 : WIDE.indexOf(letter) >= 0 || Character.isUpperCase(letter) ? SIZE * 0.85 : SIZE * 0.66;
    }

    /** The text, or its start and its end where it would be wider. Names of models differ at the end. */
    static String fit(String text, double width) {
        if (width(text) <= width) {
            return text;
        }
        int[] letters = text.codePoints().toArray();
        for (int kept = Math.min(letters.length - 1, (int) (width / (SIZE * 0.42))); kept > 0; kept--) {
            int head = kept / 3;
            String cut = new String(letters, 0, head) + "…" + new String(letters, letters.length - (kept - head), kept - head);
            if (width(cut) <= width) {
                return cut;
            }
        }
        return "…";
    }
}
