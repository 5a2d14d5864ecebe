package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Sha256;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.hf.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Finds the name under which llama.cpp knows a BPE tokenizer's pre-tokenizer.
 *
 * <p>First as the reference does: by a hash of the ids of one text, which names the very vocabulary. Where the hash is unknown (a
 * fine-tune with more tokens, another begin token), by structure: the tokenizer's own pre-tokenizer and the splits that llama.cpp would
 * make under each name cut a text of many kinds, and the names that cut it alike are equal at run time but for the merging of whole words;
 * of those the first in the order of {@link #PREFERRED}, then of the table, is taken and logged.
 */
final class PreTokenizers {

    private static final JsonObject TABLE = JsonObject.resource(PreTokenizers.class, "pre-tokenizers.json");
    /** The usual name of each group of names that split alike. */
    private static final List<String> PREFERRED =
            List.of("llama-bpe", "smaug-bpe", "qwen2", "gpt-2", "starcoder", "gpt-4o", "deepseek-v3", "bloom", "gemma4", "bailingmoe");
    /** Cases that the reference's text lacks: marks, wide digits, mixed case, long numbers, line ends. */
    private static final String PROBE = TABLE.text("text") + "\r\n\r\nHelloWORLD fooBar ÀÉÎ e\u0301e\u0301 straße ﬁ Ωmega 1234567 ١٢٣٤ ½² "
            + "don't DON'T l'été ¿qué? 'tis 'Twas (x)=y; a/b//c ... --- \t\tx  y   z\n  if (a[i] >= 10) { return -1; }\n\n\n日本語テスト 한국어 ไทย हिन्दी "
            + "العربية ،؟ user@example.com http://a.b/c?d=e&f=1 $5.00 €3 #tag ✓ 👩\u200D👩\u200D👧 \u00A0nbsp\u3000wide ";

    private PreTokenizers() {}

    /** @throws UnsupportedModelException when no known name fits; the message has the nearest ones */
    static String recognise(FastTokenizer tokenizer) {
        String unsupported;
        try {
            var effort = new Effort();
            String hash = hash(new TextEncoder(tokenizer, effort).encode(TABLE.requireText("text")));
            if (TABLE.object("hashes").has(hash)) {
                return TABLE.object("hashes").texts(hash).getFirst();
            }
            return byStructure(tokenizer, effort);
        } catch (TextEncoder.UnsupportedException part) {
            unsupported = part.getMessage();
        }
        throw new UnsupportedModelException(tokenizer.file(), "pre-tokenizer", "one of " + String.join(", ", known()), "its " + unsupported,
                "--pre NAME sets the name by hand");
    }

    /** The names that llama.cpp knows. */
    static TreeSet<String> known() {
        var names = new TreeSet<>(TABLE.object("splits").values().keySet());
        TABLE.object("hashes").values().values().forEach(entry -> names.add(String.valueOf(((List<?>) entry).getFirst())));
        return names;
    }

    /** SHA-256 of the ids as Python prints a list. */
    static String hash(List<Integer> ids) {
        return Sha256.hex(ids.toString().getBytes(StandardCharsets.US_ASCII));
    }

    private static String byStructure(FastTokenizer tokenizer, Effort effort) throws TextEncoder.UnsupportedException {
        JsonObject json = tokenizer.json();
        String probe = TextEncoder.normalize(json.objectOrEmpty("normalizer"), PROBE, effort);
        JsonObject pre = json.objectOrEmpty("pre_tokenizer");
        Set<Integer> own = borders(PreTokenizer.split(pre, probe, effort), bytesOf(pre));
        boolean ignoreMerges = Boolean.TRUE.equals(json.objectOrEmpty("model").get("ignore_merges"));
        var names = new ArrayList<>(TABLE.object("splits").values().keySet());
        names.sort(Comparator.comparingInt(name -> PREFERRED.contains(name) ? PREFERRED.indexOf(name) : PREFERRED.size()));
        var alike = new ArrayList<String>();
        var nearest = new ArrayList<String>();
        int fewest = Integer.MAX_VALUE;
        for (String name : names) {
            JsonObject entry = TABLE.object("splits").object(name);
            Set<Integer> theirs = borders(cut(probe, entry.texts("regexes"), effort), false);
            var different = new TreeSet<>(own);
            different.addAll(theirs);
            different.removeIf(border -> own.contains(border) && theirs.contains(border));
            boolean same = different.isEmpty() && Boolean.TRUE.equals(entry.get("bytes")) == bytesOf(pre);
            if (same) {
                alike.add(name);
            }
            if (different.size() < fewest) {
                fewest = different.size();
                nearest.clear();
            }
            if (different.size() == fewest) {
                nearest.add(name);
            }
        }
        if (!alike.isEmpty()) {
            String name = alike.stream().filter(one -> ignoresMerges(one) == ignoreMerges).findFirst().orElse(alike.getFirst());
            warn(tokenizer, name, alike);
            return name;
        }
        throw new UnsupportedModelException(tokenizer.file(), "pre-tokenizer",
                "one that splits text like one of llama.cpp's", "one that differs; nearest: " + String.join(", ", nearest),
                "--pre NAME sets the name by hand");
    }

    private static boolean ignoresMerges(String name) {
        return Boolean.TRUE.equals(TABLE.object("splits").object(name).get("ignore_merges"));
    }

    /** Says how the name was decided, and between which: who knows the model's base can tell. */
    private static void warn(FastTokenizer tokenizer, String name, List<String> alike) {
        List<String> others = alike.stream().filter(one -> !one.equals(name)).toList();
        System.getLogger(PreTokenizers.class.getName()).log(System.Logger.Level.WARNING,
                "pre-tokenizer of {0}: its vocabulary is not a known one; ''{1}'' splits text as it does{2}", tokenizer.file(), name,
                others.isEmpty() ? "" : ", and so do " + String.join(", ", others) + ": --pre NAME if its base is one of these");
    }

    private static boolean bytesOf(JsonObject preTokenizer) {
        return "ByteLevel".equals(preTokenizer.get("type"))
                || SpecialTokens.parts(preTokenizer, "pretokenizers").stream().anyMatch(PreTokenizers::bytesOf);
    }

    /** Cuts a text as llama.cpp does: each regex cuts the pieces that the one before left. */
    private static List<String> cut(String text, List<String> regexes, Effort effort) throws TextEncoder.UnsupportedException {
        List<String> pieces = List.of(text);
        for (String regex : regexes) {
            var next = new ArrayList<String>();
            Pattern pattern = PreTokenizer.regex(regex);
            for (String piece : pieces) {
                int done = 0;
                for (int[] match : effort.matches(pattern, piece)) {
                    if (match[0] > done) {
                        next.add(piece.substring(done, match[0]));
                    }
                    if (match[1] > match[0]) {
                        next.add(piece.substring(match[0], match[1]));
                    }
                    done = match[1];
                }
                if (done < piece.length()) {
                    next.add(piece.substring(done));
                }
            }
            pieces = next;
        }
        return pieces;
    }

    /** Where the pieces end, in bytes of UTF-8. */
    private static Set<Integer> borders(List<String> pieces, boolean byteLevel) {
        var borders = new HashSet<Integer>();
        int at = 0;
        for (String piece : pieces) {
            at += byteLevel ? piece.length() : piece.getBytes(StandardCharsets.UTF_8).length;
            borders.add(at);
        }
        return borders;
    }
}
