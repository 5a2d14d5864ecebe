package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.JsonObject;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name that each tensor of a checkpoint gets in the GGUF, from the reference's own table (tensor-names.json): per architecture the
 * kinds of tensors that it has, and per kind the names under which checkpoints hold it, {@code {bid}} standing for the block.
 */
final class TensorNames {

    private static final JsonObject TABLE = JsonObject.resource(TensorNames.class, "tensor-names.json");

    private static final Pattern BLOCK = Pattern.compile("(?<=\\.|^)(0|[1-9]\\d{0,8})(?=\\.|$)");

    private final String architecture;
    private final long blocks;
    private final Set<String> kinds;
    /** Patterns of checkpoints to patterns of GGUF. */
    private final Map<String, String> names = new LinkedHashMap<>();

    /** Has the table read, which is done once, before this returns. */
    static void readTable() {}

    /**
     * @param architecture GGUF name of the architecture
     * @param blocks       number of layers
     */
    TensorNames(String architecture, long blocks) {
        this.architecture = architecture;
        this.blocks = blocks;
        List<String> ofArchitecture = TABLE.object("architectures").texts(architecture);
        if (ofArchitecture == null) {
            throw new IllegalArgumentException("no tensor table for architecture " + architecture);
        }
        this.kinds = new HashSet<>(ofArchitecture);
        TABLE.object("model").values().keySet().forEach(kind -> add(TABLE.object("model"), kind));
        JsonObject overlay = TABLE.object("overlay").objectOrEmpty(architecture);
        for (String kind : TABLE.object("block").values().keySet()) {
            add(overlay.has(kind) ? overlay : TABLE.object("block"), kind);
        }
        for (String kind : overlay.values().keySet()) {
            if (!TABLE.object("block").has(kind)) {
                add(overlay, kind);
            }
        }
    }

    private void add(JsonObject table, String kind) {
        if (kinds.contains(kind)) {
            String name = pattern(kind);
            names.put(name, name);
            table.texts(kind).forEach(from -> names.put(from, name));
        }
    }

    private static String pattern(String kind) {
        return TABLE.object("names").texts(kind).getFirst();
    }

    /** GGUF name for a checkpoint's name, or null when the architecture has no such tensor. */
    String find(String name) {
        String whole = exact(name);
        if (whole != null) {
            return whole;
        }
        for (String suffix : List.of(".weight", ".bias")) {
            if (name.endsWith(suffix)) {
                String stem = exact(name.substring(0, name.length() - suffix.length()));
                if (stem != null) {
                    return stem + suffix;
                }
            }
        }
        return null;
    }

    /** Looks a name up as it is, then with each of its numbers in turn as the block. */
    private String exact(String name) {
        String mapped = names.get(name);
        for (Matcher number = BLOCK.matcher(name); mapped == null && number.find(); ) {
            String found = names.get(name.substring(0, number.start()) + "{bid}" + name.substring(number.end()));
            if (found != null && Long.parseLong(number.group()) < blocks) {
                mapped = found.replace("{bid}", number.group());
            }
        }
        return mapped;
    }

    /** What a tensor of GGUF is called in a checkpoint with these names: as those that begin most like it; null when none does. */
    String inCheckpoint(String ggufName, Collection<String> beside) {
        String suffix = ggufName.endsWith(".bias") ? ".bias" : ".weight";
        if (!ggufName.endsWith(suffix)) {
            return null;
        }
        String stem = ggufName.substring(0, ggufName.length() - suffix.length());
        Matcher number = BLOCK.matcher(stem);
        String block = number.find() ? number.group() : "";
        String pattern = block.isEmpty() ? stem : stem.substring(0, number.start()) + "{bid}" + stem.substring(number.end());
        String best = null;
        int alike = 0;
        for (var name : names.entrySet()) {
            if (name.getValue().equals(pattern) && !name.getKey().equals(pattern)) {
                String known = name.getKey().replace("{bid}", "0") + suffix;
                int here = beside.stream().mapToInt(other -> alike(known, other)).max().orElse(0);
                best = here > alike ? name.getKey().replace("{bid}", block) + suffix : best;
                alike = Math.max(here, alike);
            }
        }
        return best;
    }

    /** Length of the whole parts at which two names begin alike. */
    private static int alike(String name, String other) {
        int parts = 0;
        for (int i = 0; i < Math.min(name.length(), other.length()) && name.charAt(i) == other.charAt(i); i++) {
            parts = name.charAt(i) == '.' || i == name.length() - 1 ? i + 1 : parts;
        }
        return parts;
    }

    /** Whether the architecture has tensors of that kind. */
    boolean has(String kind) {
        return kinds.contains(kind);
    }

    /** GGUF name of a kind of tensor, with {@code .weight}. */
    String of(String kind, int block) {
        return of(kind, block, ".weight");
    }

    /** GGUF name of a kind of tensor with a suffix. */
    String of(String kind, int block, String suffix) {
        if (!has(kind)) {
            throw new Tensor.ShapeException("architecture " + architecture + " has no " + kind);
        }
        return pattern(kind).replace("{bid}", Integer.toString(block)) + suffix;
    }

    /** Whether a GGUF name is the weight of that kind, in that block (-1: outside the blocks). */
    boolean is(String name, String kind, int block) {
        if (!has(kind)) {
            return false;
        }
        String pattern = pattern(kind);
        return pattern.contains("{bid}") == block >= 0 && name.equals(pattern.replace("{bid}", Integer.toString(block)) + ".weight");
    }
}
