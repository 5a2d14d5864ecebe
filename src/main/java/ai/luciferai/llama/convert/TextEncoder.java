package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.JsonObject;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Encodes a text as the tokenizers library does from a tokenizer.json. Made for recognising a tokenizer by the ids of one text, not for
 * speed.
 *
 * <p><i>Source</i>: tokenizers 0.22: added_vocabulary.rs, normalizers/*.rs, models/bpe, models/wordpiece, processors/*.rs.
 *
 * <p><i>Errors</i>: {@link UnsupportedException} for a part of tokenizer.json that is not known here.
 */
final class TextEncoder {

    /** A component of tokenizer.json that this encoder does not know. */
    static final class UnsupportedException extends Exception {
        private static final long serialVersionUID = 1L;

        UnsupportedException(String component) {
            super(component);
        }
    }

    private record Part(String text, Integer id) {}

    private final FastTokenizer tokenizer;
    private final JsonObject json;
    private final JsonObject model;
    private final Effort effort;
    private final Map<String, Integer> ranks = new HashMap<>();

    TextEncoder(FastTokenizer tokenizer, Effort effort) {
        this.effort = effort;
        this.tokenizer = tokenizer;
        this.json = tokenizer.json();
        this.model = json.requireObject("model");
        List<?> merges = model.get("merges") instanceof List<?> list ? list : List.of();
        for (Object merge : merges) {
            // The two halves are joined by NUL: a blank can be part of a token.
            String key = merge instanceof List<?> pair && pair.size() == 2 ? pair.get(0) + "\0" + pair.get(1)
                    : String.valueOf(merge).replace(' ', '\0');
            ranks.putIfAbsent(key, ranks.size());
        }
    }

    /** Ids of a text with the special tokens that the tokenizer adds. */
    List<Integer> encode(String text) throws UnsupportedException {
        var ids = new ArrayList<Integer>();
        for (Part part : parts(text)) {
            if (part.id != null) {
                ids.add(part.id);
            } else {
                for (String word : PreTokenizer.split(json.objectOrEmpty("pre_tokenizer"), part.text, effort)) {
                    ids.addAll(word(word));
                }
            }
        }
        return withSpecialTokens(ids);
    }

    // --- added tokens and normalizer -----------------------------------------------------------------------------------

    /** Cuts the text at added tokens: those that match the raw text first, the others after normalizing what lies between. */
    private List<Part> parts(String text) throws UnsupportedException {
        var parts = new ArrayList<Part>();
        for (Part raw : cut(text, false)) {
            if (raw.id != null) {
                parts.add(raw);
            } else {
                parts.addAll(cut(normalize(json.objectOrEmpty("normalizer"), raw.text, effort), true));
            }
        }
        return parts;
    }

    private List<Part> cut(String text, boolean normalized) throws UnsupportedException {
        var patterns = new ArrayList<Map.Entry<String, FastTokenizer.Added>>();
        for (FastTokenizer.Added token : tokenizer.added()) {
            if (token.normalized() == normalized && token.text().length() <= Effort.LONGEST) { // a longer one is not in the text
                patterns.add(Map.entry(normalized ? normalize(json.objectOrEmpty("normalizer"), token.text(), effort) : token.text(), token));
            }
        }
        patterns.removeIf(entry -> entry.getKey().isEmpty());
        patterns.sort(Comparator.comparing(entry -> -entry.getKey().length())); // leftmost, then longest
        var parts = new ArrayList<Part>();
        int done = 0;
        int at = 0;
        while (at < text.length()) {
            effort.spend(1 + patterns.size() / 8);
            FastTokenizer.Added found = null;
            int end = at;
            for (var entry : patterns) {
                if (text.startsWith(entry.getKey(), at)
                        && (!entry.getValue().singleWord() || isWord(text, at, at + entry.getKey().length()))) {
                    found = entry.getValue();
                    end = at + entry.getKey().length();
                    break;
                }
            }
            if (found == null) {
                at++;
                continue;
            }
            int begin = at;
            while (found.lstrip() && begin > done && Character.isWhitespace(text.charAt(begin - 1))) {
                begin--;
            }
            while (found.rstrip() && end < text.length() && Character.isWhitespace(text.charAt(end))) {
                end++;
            }
            if (begin > done) {
                parts.add(new Part(text.substring(done, begin), null));
            }
            parts.add(new Part(null, found.id()));
            done = end;
            at = end;
        }
        if (done < text.length()) {
            parts.add(new Part(text.substring(done), null));
        }
        return parts;
    }

    private static boolean isWord(String text, int begin, int end) {
        return (begin == 0 || !isWordCharacter(text.charAt(begin - 1))) && (end == text.length() || !isWordCharacter(text.charAt(end)));
    }

    private static boolean isWordCharacter(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }

    static String normalize(JsonObject normalizer, String text, Effort effort) throws UnsupportedException {
        Object type = normalizer.get("type");
        if (type == null) {
            return text;
        }
        effort.checked(text);
        effort.spend(16);
        switch (String.valueOf(type)) {
            case "Sequence" -> {
                String result = text;
                for (JsonObject step : SpecialTokens.parts(normalizer, "normalizers")) {
                    result = normalize(step, result, effort);
                }
                return result;
            }
            case "NFC", "NFD", "NFKC", "NFKD" -> {
                return Normalizer.normalize(text, Normalizer.Form.valueOf(String.valueOf(type)));
            }
            case "Lowercase" -> {
                return text.toLowerCase(Locale.ROOT);
            }
            case "StripAccents" -> {
                return text.codePoints().filter(c -> Character.getType(c) != Character.NON_SPACING_MARK)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
            }
            case "Strip" -> {
                String left = Boolean.FALSE.equals(normalizer.get("strip_left")) ? text : text.stripLeading();
                return Boolean.FALSE.equals(normalizer.get("strip_right")) ? left : left.stripTrailing();
            }
            case "Prepend" -> {
                return text.isEmpty() ? text : effort.checked(normalizer.get("prepend") + text);
            }
            case "Replace" -> {
                JsonObject pattern = normalizer.objectOrEmpty("pattern");
                String to = String.valueOf(normalizer.get("content"));
                return pattern.get("String") instanceof String from ? effort.replace(text, from, to)
                        : replaced(text, effort.matches(PreTokenizer.regex(String.valueOf(pattern.get("Regex"))), text), to, effort);
            }
            case "BertNormalizer" -> {
                return bert(normalizer, text);
            }
            default -> throw new UnsupportedException("normalizer " + type);
        }
    }

    private static String replaced(String text, List<int[]> matches, String to, Effort effort) throws UnsupportedException {
        var result = new StringBuilder();
        int done = 0;
        for (int[] match : matches) {
            result.append(text, done, match[0]).append(to);
            done = match[1];
            if (result.length() > Effort.LONGEST) {
                break;
            }
        }
        return effort.checked(result.append(text, done, text.length()).toString());
    }

    private static String bert(JsonObject normalizer, String text) {
        var result = new StringBuilder();
        boolean clean = !Boolean.FALSE.equals(normalizer.get("clean_text"));
        boolean chinese = !Boolean.FALSE.equals(normalizer.get("handle_chinese_chars"));
        text.codePoints().forEach(c -> {
            boolean white = c == '\t' || c == '\n' || c == '\r' || Character.isWhitespace(c) || Character.isSpaceChar(c);
            int kind = Character.getType(c);
            if (clean && (c == 0 || c == 0xFFFD || !white && (kind == Character.CONTROL || kind == Character.FORMAT
                    || kind == Character.PRIVATE_USE || kind == Character.SURROGATE || kind == Character.UNASSIGNED))) {
                return;
            }
            if (clean && white) {
                result.append(' ');
            } else if (chinese && isChinese(c)) {
                result.append(' ').appendCodePoint(c).append(' ');
            } else {
                result.appendCodePoint(c);
            }
        });
        boolean lower = !Boolean.FALSE.equals(normalizer.get("lowercase"));
        boolean strip = normalizer.get("strip_accents") instanceof Boolean flag ? flag : lower;
        String out = result.toString();
        if (strip) {
            out = Normalizer.normalize(out, Normalizer.Form.NFD).codePoints().filter(c -> Character.getType(c) != Character.NON_SPACING_MARK)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
        }
        return lower ? out.toLowerCase(Locale.ROOT) : out;
    }

    private static boolean isChinese(int c) {
        return c >= 0x4E00 && c <= 0x9FFF || c >= 0x3400 && c <= 0x4DBF || c >= 0x20000 && c <= 0x2A6DF || c >= 0x2A700 && c <= 0x2B73F
                || c >= 0x2B740 && c <= 0x2B81F || c >= 0x2B920 && c <= 0x2CEAF || c >= 0xF900 && c <= 0xFAFF || c >= 0x2F800 && c <= 0x2FA1F;
    }

    // --- models --------------------------------------------------------------------------------------------------------

    private List<Integer> word(String word) throws UnsupportedException {
        Object type = model.get("type");
        if ("WordPiece".equals(type)) {
            return wordPiece(word);
        }
        if (!"BPE".equals(type) && !(type == null && model.has("merges"))) {
            throw new UnsupportedException("model " + type);
        }
        if (Boolean.TRUE.equals(model.get("ignore_merges")) && tokenizer.baseId(word) != null) {
            return List.of(tokenizer.baseId(word));
        }
        return bytePairs(word);
    }

    private List<Integer> bytePairs(String word) throws UnsupportedException {
        String prefix = model.get("continuing_subword_prefix") instanceof String text ? text : "";
        String suffix = model.get("end_of_word_suffix") instanceof String text ? text : "";
        effort.checked(prefix + suffix);
        effort.spend((long) word.length() * (prefix.length() + suffix.length()));
        var symbols = new ArrayList<String>();
        int[] characters = word.codePoints().toArray();
        boolean unknownBefore = false;
        for (int i = 0; i < characters.length; i++) {
            String symbol = (i > 0 ? prefix : "") + Character.toString(characters[i]) + (i == characters.length - 1 ? suffix : "");
            if (tokenizer.baseId(symbol) != null) {
                symbols.add(symbol);
                unknownBefore = false;
            } else {
                List<String> bytes = byteTokens(symbol);
                Object unknown = model.get("unk_token");
                if (bytes != null) {
                    symbols.addAll(bytes);
                } else if (unknown instanceof String text && !(unknownBefore && Boolean.TRUE.equals(model.get("fuse_unk")))) {
                    symbols.add(text);
                    unknownBefore = true;
                }
            }
        }
        while (symbols.size() > 1) {
            effort.spend(10L * symbols.size());
            int best = Integer.MAX_VALUE;
            int place = -1;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                Integer rank = ranks.get(symbols.get(i) + "\0" + symbols.get(i + 1));
                if (rank != null && rank < best) {
                    best = rank;
                    place = i;
                }
            }
            if (place < 0) {
                break;
            }
            symbols.set(place, symbols.get(place) + symbols.get(place + 1).substring(prefix.length()));
            symbols.remove(place + 1);
        }
        return symbols.stream().map(tokenizer::baseId).filter(java.util.Objects::nonNull).toList();
    }

    private List<String> byteTokens(String symbol) {
        if (!Boolean.TRUE.equals(model.get("byte_fallback"))) {
            return null;
        }
        var tokens = new ArrayList<String>();
        for (byte b : Vocabulary.utf8(symbol)) {
            String token = String.format("<0x%02X>", b);
            if (tokenizer.baseId(token) == null) {
                return null;
            }
            tokens.add(token);
        }
        return tokens;
    }

    private List<Integer> wordPiece(String word) throws UnsupportedException {
        String prefix = model.get("continuing_subword_prefix") instanceof String text ? text : "##";
        Integer unknown = tokenizer.baseId(String.valueOf(model.get("unk_token")));
        var ids = new ArrayList<Integer>();
        int at = 0;
        if (word.codePointCount(0, word.length()) > 100) {
            return unknown == null ? List.of() : List.of(unknown);
        }
        effort.checked(prefix);
        effort.spend((long) word.length() * prefix.length());
        while (at < word.length()) {
            int end = word.length();
            Integer id = null;
            while (end > at && (id = tokenizer.baseId((at > 0 ? prefix : "") + word.substring(at, end))) == null) {
                end = word.offsetByCodePoints(end, -1);
            }
            if (id == null) {
                return unknown == null ? List.of() : List.of(unknown);
            }
            ids.add(id);
            at = end;
        }
        return ids;
    }

    // --- post-processor ------------------------------------------------------------------------------------------------

    private List<Integer> withSpecialTokens(List<Integer> ids) throws UnsupportedException {
        List<List<Integer>> template = tokenizer.classTemplate();
        if (template != null) {
            var all = new ArrayList<>(template.get(0));
            all.addAll(ids);
            all.addAll(template.get(1));
            return all;
        }
        return process(json.objectOrEmpty("post_processor"), ids, effort);
    }

    private static List<Integer> process(JsonObject processor, List<Integer> ids, Effort effort) throws UnsupportedException {
        switch (String.valueOf(processor.get("type"))) {
            case "null", "ByteLevel" -> {
                return ids;
            }
            case "Sequence" -> {
                List<Integer> result = ids;
                for (JsonObject step : SpecialTokens.parts(processor, "processors")) {
                    result = process(step, result, effort);
                }
                return result;
            }
            case "RobertaProcessing", "BertProcessing" -> {
                var all = new ArrayList<Integer>();
                all.add(second(processor.get("cls")));
                all.addAll(ids);
                all.add(second(processor.get("sep")));
                return all;
            }
            case "TemplateProcessing" -> {
                var all = new ArrayList<Integer>();
                for (JsonObject piece : SpecialTokens.parts(processor, "single")) {
                    effort.spend(16 + 16L * ids.size());
                    if (piece.has("Sequence")) {
                        all.addAll(ids);
                    } else {
                        String name = String.valueOf(piece.objectOrEmpty("SpecialToken").get("id"));
                        Object special = processor.objectOrEmpty("special_tokens").objectOrEmpty(name).get("ids");
                        if (special instanceof List<?> list) {
                            for (Object id : list) {
                                all.add(id instanceof Long number ? (int) (long) number : -1);
                            }
                        }
                    }
                }
                return all;
            }
            default -> throw new UnsupportedException("post-processor " + processor.get("type"));
        }
    }

    private static int second(Object pair) throws UnsupportedException {
        if (pair instanceof List<?> list && list.size() == 2 && list.get(1) instanceof Long id) {
            return (int) (long) id;
        }
        throw new UnsupportedException("post-processor token " + JsonObject.kind(pair));
    }
}
