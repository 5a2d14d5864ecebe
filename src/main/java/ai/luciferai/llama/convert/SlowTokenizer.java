package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tokenizer.json that transformers makes of the older files {@code vocab.json} and {@code merges.txt}, {@code vocab.txt}, or
 * Qwen 1's {@code qwen.tiktoken}.
 *
 * <p><i>Source</i>: transformers 4.57.6, convert_slow_tokenizer.py {@code GPT2Converter}, {@code Qwen2Converter},
 * {@code RobertaConverter}, {@code BertConverter}.
 */
final class SlowTokenizer {

    private SlowTokenizer() {}

    /** @throws InvalidFileException when the folder has none of the files of a tokenizer */
    static JsonObject read(Path folder, JsonObject tokenizerClass) throws IOException {
        Path vocabulary = folder.resolve("vocab.json");
        Path merges = folder.resolve("merges.txt");
        if (Files.isRegularFile(vocabulary) && Files.isRegularFile(merges)) {
            return byteLevel(vocabulary, merges, tokenizerClass);
        }
        Path ranks = folder.resolve("qwen.tiktoken");
        if (Files.isRegularFile(ranks)) {
            return Tiktoken.read(ranks, FastTokenizer.split("Qwen2Tokenizer"));
        }
        Path words = folder.resolve("vocab.txt");
        if (Files.isRegularFile(words)) {
            return wordPiece(words, JsonObject.readIfPresent(folder.resolve("tokenizer_config.json")));
        }
        throw new InvalidFileException(folder, "tokenizer",
                "tokenizer.json, tokenizer.model, vocab.json with merges.txt, qwen.tiktoken, or vocab.txt", "none of them",
                "copy the tokenizer files of the original model into the folder");
    }

    private static JsonObject byteLevel(Path vocabulary, Path merges, JsonObject tokenizerClass) throws IOException {
        var pairs = new ArrayList<Object>();
        String[] lines = SpecialTokens.readText(merges).split("\n");
        for (int i = lines.length > 0 && lines[0].startsWith("#version") ? 1 : 0; i < lines.length; i++) {
            if (!lines[i].isBlank()) {
                pairs.add(lines[i]);
            }
        }
        Map<String, Object> vocab = JsonObject.read(vocabulary).values();
        Map<String, Object> json = byteLevel(vocab, pairs, tokenizerClass.has("split") ? tokenizerClass.text("split") : null, List.of());
        if (Boolean.TRUE.equals(tokenizerClass.get("roberta"))) {
            json.put("post_processor", map("type", "RobertaProcessing",
                    "sep", List.of("</s>", vocab.getOrDefault("</s>", 2L)), "cls", List.of("<s>", vocab.getOrDefault("<s>", 0L))));
        }
        return new JsonObject(vocabulary, json);
    }

    /** Byte-level BPE; {@code split} is the regex of a class that does not split as GPT-2 does, and normalizes to NFC, or null. */
    static Map<String, Object> byteLevel(Map<String, Object> vocabulary, List<Object> merges, String split, List<Object> added) {
        Map<String, Object> bytes = map("type", "ByteLevel", "add_prefix_space", false, "use_regex", split == null);
        var json = new LinkedHashMap<String, Object>();
        json.put("added_tokens", added);
        json.put("normalizer", split == null ? null : map("type", "NFC"));
        json.put("pre_tokenizer", split == null ? bytes : map("type", "Sequence", "pretokenizers", List.of(
                map("type", "Split", "pattern", map("Regex", split), "behavior", "Isolated", "invert", false), bytes)));
        json.put("decoder", map("type", "ByteLevel"));
        json.put("model", map("type", "BPE", "vocab", vocabulary, "merges", merges));
        return json;
    }

    private static JsonObject wordPiece(Path words, JsonObject config) throws IOException {
        var vocab = new LinkedHashMap<String, Object>();
        for (String word : SpecialTokens.readText(words).split("\n")) {
            vocab.put(word, (long) vocab.size());
        }
        boolean lower = !Boolean.FALSE.equals(config.get("do_lower_case"));
        Object chinese = config.values().getOrDefault("tokenize_chinese_chars", true);
        var json = new LinkedHashMap<String, Object>();
        json.put("normalizer", map("type", "BertNormalizer", "clean_text", true, "handle_chinese_chars", chinese,
                "strip_accents", config.get("strip_accents"), "lowercase", lower));
        json.put("pre_tokenizer", map("type", "BertPreTokenizer"));
        json.put("decoder", map("type", "WordPiece", "prefix", "##"));
        json.put("post_processor", map("type", "BertProcessing",
                "sep", List.of("[SEP]", vocab.getOrDefault("[SEP]", 0L)), "cls", List.of("[CLS]", vocab.getOrDefault("[CLS]", 0L))));
        json.put("model", map("type", "WordPiece", "unk_token", "[UNK]", "continuing_subword_prefix", "##", "vocab", vocab));
        return new JsonObject(words, json);
    }

    /** A map of keys and values in turn; values may be null. */
    private static Map<String, Object> map(Object... keysAndValues) {
        var map = new LinkedHashMap<String, Object>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }
}
