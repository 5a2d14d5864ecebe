package ai.luciferai.llama.convert;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * The parts of a model's name, {@code [organization/]Base-7B-chat-v2}, found by the reference's heuristics.
 *
 * <p><i>Source</i>: gguf-py, metadata.py {@code get_model_id_components} and {@code id_to_title}. Any part may be null.
 */
record ModelId(String name, String organization, String basename, String finetune, String version, String sizeLabel) {

    private static final Pattern VERSION = Pattern.compile("(v|iter)?\\d+([.]\\d+)*", Pattern.CASE_INSENSITIVE);
    private static final Pattern TYPE = Pattern.compile("i?q\\d(_\\w)*|b?fp?(16|32)", Pattern.CASE_INSENSITIVE);
    private static final Pattern SIZE =
            Pattern.compile("(([A]|\\d+[x])?\\d+([._]\\d+)?[KMBT][\\d]?|small|mini|medium|large|x?xl)", Pattern.CASE_INSENSITIVE);
    private static final Pattern FINETUNE = Pattern.compile("chat|instruct|vision|lora", Pattern.CASE_INSENSITIVE);
    private static final Pattern UNTITLED = Pattern.compile("v\\d+(?:\\.\\d+)*|\\d.*");

    private static final int LONGEST = 1000;

    private enum Kind { BASENAME, SIZE, FINETUNE, VERSION, TYPE }

    private static final class Part {
        private String text;
        private final EnumSet<Kind> kinds = EnumSet.noneOf(Kind.class);

        Part(String text) {
            this.text = text;
        }
    }

    /**
     * Takes a name apart.
     *
     * @param parameters parameters of the model; 0 unknown, negative for an adapter
     */
    static ModelId parse(String id, long parameters) {
        if (id == null) {
            return new ModelId(null, null, null, null, null, null);
        }
        if (id.contains(" ") || id.length() > LONGEST) { // a sentence, not a name in the usual form
            return new ModelId(id, null, null, null, null, null);
        }
        int slash = id.indexOf('/');
        String organization = slash < 0 ? null : id.substring(0, slash);
        String name = id.substring(slash + 1);
        if (organization != null && organization.startsWith(".")) {
            organization = null;
        }
        var parts = new ArrayList<Part>();
        for (String text : name.split("-")) {
            if (!text.isEmpty()) {
                parts.add(new Part(text));
            }
        }
        for (int i = 0; i < parts.size(); i++) {
            annotate(parts.get(i), i, parameters);
        }
        dropWordSizes(parts);
        findBasename(parts);
        String basename = join(parts, Kind.BASENAME, false);
        String size = join(parts, Kind.SIZE, true);
        String finetune = join(parts, Kind.FINETUNE, false);
        String version = String.join("-", parts.stream()
                .filter(p -> p.kinds.contains(Kind.VERSION) && !p.kinds.contains(Kind.BASENAME)).map(p -> p.text).toList());
        version = version.isEmpty() ? null : version;
        boolean vague = size == null && finetune == null && version == null;
        return new ModelId(name, organization, vague ? null : basename, finetune, version, size);
    }

    private static void annotate(Part part, int place, long parameters) {
        if (VERSION.matcher(part.text).matches()) {
            part.kinds.add(Kind.VERSION);
        } else if (TYPE.matcher(part.text).matches()) {
            part.kinds.add(Kind.TYPE);
            part.text = part.text.toUpperCase(Locale.ROOT);
        } else if (place > 0 && SIZE.matcher(part.text).matches()) {
            annotateSize(part, parameters);
        } else if (place > 0 && FINETUNE.matcher(part.text).matches()) {
            part.kinds.add(parameters < 0 && part.text.equalsIgnoreCase("lora") ? Kind.TYPE : Kind.FINETUNE);
        }
    }

    private static void annotateSize(Part part, long parameters) {
        String text = part.text.replace('_', '.');
        int n = text.length();
        if (Character.isDigit(text.charAt(n - 1))) { // bloom's 7b1 is 7.1B
            text = text.substring(0, n - 2) + "." + text.charAt(n - 1) + text.charAt(n - 2);
            n = text.length();
        }
        if (n > 1 && Character.isDigit(text.charAt(n - 2)) && "kmbt".indexOf(text.charAt(n - 1)) >= 0) {
            text = text.substring(0, n - 1) + text.substring(n - 1).toUpperCase(Locale.ROOT);
        }
        if (parameters != 0) {
            int power = " KMBT".indexOf(text.charAt(n - 1));
            Double number = parse(text.substring(0, n - 1));
            if (number != null) {
                double label = number * Math.pow(1000, power);
                boolean far = parameters < 0 ? label < Math.abs(parameters) / 8
                        : Math.abs(label - parameters) > Math.floorDiv(7 * parameters, 8L);
                if (far) { // a context length rather than a size
                    part.kinds.add(Kind.FINETUNE);
                    text = text.substring(0, n - 1) + text.substring(n - 1).toLowerCase(Locale.ROOT);
                }
            }
        }
        if (part.kinds.isEmpty()) {
            part.kinds.add(Kind.SIZE);
        }
        part.text = text;
    }

    private static Double parse(String number) {
        try {
            return number.matches("[0-9.]+") ? Double.valueOf(number) : null;
        } catch (NumberFormatException notOne) {
            return null;
        }
    }

    private static void dropWordSizes(List<Part> parts) {
        boolean numeric = parts.stream().filter(p -> p.kinds.contains(Kind.SIZE)).anyMatch(p -> p.text.chars().anyMatch(Character::isDigit));
        if (numeric) {
            parts.stream().filter(p -> p.kinds.contains(Kind.SIZE) && p.text.chars().allMatch(Character::isLetter))
                    .forEach(p -> p.kinds.remove(Kind.SIZE));
        }
    }

    private static void findBasename(List<Part> parts) {
        boolean start = true;
        for (Part part : parts) {
            if (start && (part.kinds.isEmpty() && Character.isLetter(part.text.codePointAt(0)) || part.kinds.contains(Kind.VERSION))) {
                part.kinds.add(Kind.BASENAME);
            } else {
                start = false;
                if (part.kinds.isEmpty()) {
                    part.kinds.add(Kind.FINETUNE);
                }
            }
        }
        var backwards = new ArrayList<>(parts);
        Collections.reverse(backwards);
        for (Part part : backwards) { // a trailing version is none of the basename
            if (!part.kinds.contains(Kind.BASENAME) || part.kinds.size() == 1) {
                break;
            }
            part.kinds.remove(Kind.BASENAME);
        }
    }

    private static String join(List<Part> parts, Kind kind, boolean distinct) {
        List<String> texts = parts.stream().filter(p -> p.kinds.contains(kind)).map(p -> p.text).toList();
        String joined = String.join("-", distinct ? new LinkedHashSet<>(texts) : texts);
        return joined.isEmpty() ? null : joined;
    }

    /** A name as a title: words in lower case get capitals, acronyms and versions stay. */
    static String title(String name) {
        var words = new ArrayList<String>();
        for (String word : name.strip().replace('-', ' ').split("\\s+")) {
            boolean lower = word.chars().anyMatch(Character::isLowerCase)
                    && word.chars().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
            words.add(lower && word.length() <= LONGEST && !UNTITLED.matcher(word).matches() ? capitals(word) : word);
        }
        return String.join(" ", words);
    }

    /** Python's {@code str.title()}: each letter behind a character that is none becomes a capital. */
    private static String capitals(String word) {
        var text = new StringBuilder();
        boolean inside = false;
        for (int c : word.codePoints().toArray()) {
            text.appendCodePoint(inside ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inside = Character.isLetter(c);
        }
        return text.toString();
    }
}
