package ai.luciferai.llama.convert;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Gives a tokenizer.json parts that are well-formed and odd: regexes, normalizers that swell a text, ids and merges that do not fit. */
final class TokenizerMutant {

    private static final JsonMapper JSON = new JsonMapper();
    static final String[] REGEXES = {"(a+)+$", "(\\s*\\w*)*X", "(.*)*(.*)*(.*)*(.*)*Q", "(a|b|\\p{L}| )*?Z{3}", "(?:(?:x?)*)*y", "(.|\\n)*", "((((a{0,60}){0,60}){0,60}){0,60})!",
        "\\p{NoSuchClass}+", "[", "(?<=a{1,9999})b", "\\1", "(?i:'s|'t)|\\p{N}{1,3}| ?\\p{L}+|\\s+", "", "$", "\\b", "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+", "(?=(.+))\\1", "x*+", ".{0,2000000000}"};
    private static final Object[] TEXTS = {"", " ", "a", "\u2581", "Ġ", "\n", "aa", "x".repeat(5000), "\uD83D\uDE42", "\uD800", 7, true, List.of(), null};
    private static final Object[] IDS = {-1, 0, 1, 5, 339, 340, 1 << 20, 10_000_000, 10_000_001, Integer.MAX_VALUE, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE, 1.5, "3", null};
    private static final String[] STEPS = {"Sequence", "Sequence", "NFC", "NFKD", "Lowercase", "StripAccents", "Strip", "Prepend", "Replace", "Replace", "BertNormalizer", "Split", "Split",
        "ByteLevel", "Digits", "Punctuation", "Whitespace", "WhitespaceSplit", "BertPreTokenizer", "Metaspace", "Fuse", "ByteFallback", "TemplateProcessing", "RobertaProcessing",
        "NoSuchStep"};

    private TokenizerMutant() {}

    static byte[] of(byte[] good, Random random) throws IOException {
        @SuppressWarnings("unchecked") // Jackson's own maps
        Map<String, Object> json = JSON.readValue(good, LinkedHashMap.class);
        for (int i = 0; i < 1 + random.nextInt(2); i++) {
            change(json, random);
        }
        return JSON.writeValueAsBytes(json);
    }

    @SuppressWarnings("unchecked") // as above
    private static void change(Map<String, Object> json, Random random) {
        if (!(json.get("model") instanceof Map<?, ?>)) {
            json.put("model", new LinkedHashMap<>(Map.of("type", "BPE")));
        }
        var model = (Map<String, Object>) json.get("model");
        switch (random.nextInt(9)) {
            case 0 -> json.put("normalizer", step(random, 0));
            case 1, 2 -> json.put("pre_tokenizer", step(random, 0));
            case 3 -> json.put("decoder", step(random, 0));
            case 4 -> json.put("post_processor", step(random, 0));
            case 5 -> json.put("added_tokens", added(random));
            case 6 -> model.put("merges", merges(random));
            case 7 -> vocabulary(model, random);
            default -> model.put(pick(new String[] {"type", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "fuse_unk", "ignore_merges", "vocab"}, random),
                    pick(new Object[] {"BPE", "WordPiece", "Unigram", "WordLevel", "", "##", true, false, null, 7, List.of(), Map.of()}, random));
        }
    }

    private static Map<String, Object> step(Random random, int depth) {
        var step = new LinkedHashMap<String, Object>();
        String type = pick(STEPS, random);
        step.put("type", type);
        if (type.equals("Sequence") && depth < 4) {
            var parts = new ArrayList<Object>();
            for (int i = 0; i < random.nextInt(8); i++) {
                parts.add(step(random, depth + 1));
            }
            for (String list : List.of("normalizers", "pretokenizers", "decoders", "processors")) {
                step.put(list, parts);
            }
        }
        step.put("pattern", Map.of(random.nextBoolean() ? "Regex" : "String", random.nextInt(3) == 0 ? String.valueOf(pick(TEXTS, random)) : pick(REGEXES, random)));
        step.put("behavior", pick(new String[] {"Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext", "Other"}, random));
        for (String key : List.of("content", "prepend", "replacement", "prefix", "cls", "sep", "start", "stop")) {
            if (random.nextBoolean()) {
                step.put(key, pick(TEXTS, random));
            }
        }
        for (String flag : List.of("invert", "add_prefix_space", "use_regex", "individual_digits", "split", "lowercase", "strip_accents", "clean_text")) {
            if (random.nextBoolean()) {
                step.put(flag, random.nextBoolean());
            }
        }
        step.put("single", List.of(Map.of("SpecialToken", Map.of("id", "<s>")), Map.of("Sequence", Map.of("id", "A"))));
        step.put("special_tokens", Map.of("<s>", Map.of("ids", pick(new Object[] {List.of(1), List.of(-1), List.of("x"), 3, List.of(Long.MAX_VALUE)}, random))));
        return step;
    }

    private static List<Object> added(Random random) {
        var list = new ArrayList<Object>();
        for (int i = 0; i < random.nextInt(6); i++) {
            var token = new LinkedHashMap<String, Object>();
            token.put("id", pick(IDS, random));
            token.put("content", random.nextInt(6) == 0 ? "t".repeat(1 << random.nextInt(17)) : pick(TEXTS, random));
            for (String flag : List.of("special", "normalized", "lstrip", "rstrip", "single_word")) {
                token.put(flag, random.nextBoolean());
            }
            list.add(random.nextInt(8) == 0 ? "not an object" : token);
        }
        return list;
    }

    private static List<Object> merges(Random random) {
        var list = new ArrayList<Object>();
        for (int i = 0; i < random.nextInt(40); i++) {
            list.add(pick(new Object[] {"a b", "no such pieces", "", " ", "a", List.of("a", "b"), List.of("a"), List.of("a b", "c"), "zzz qqq", null, 4, "x".repeat(3000) + " y"}, random));
        }
        return list;
    }

    private static void vocabulary(Map<String, Object> model, Random random) {
        if (model.get("vocab") instanceof Map<?, ?> old && !old.isEmpty()) {
            var vocab = new LinkedHashMap<String, Object>();
            old.forEach((text, id) -> vocab.put(String.valueOf(text), id));
            var texts = new ArrayList<>(vocab.keySet());
            for (int i = 0; i < 1 + random.nextInt(5); i++) {
                vocab.put(random.nextBoolean() ? texts.get(random.nextInt(texts.size())) : "new" + i, pick(IDS, random));
            }
            model.put("vocab", vocab);
        } else {
            model.put("vocab", Map.of("a", 0));
        }
    }

    static <T> T pick(T[] choices, Random random) {
        return choices[random.nextInt(choices.length)];
    }
}
