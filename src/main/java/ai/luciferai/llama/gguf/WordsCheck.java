package ai.luciferai.llama.gguf;

import java.nio.ByteOrder;
import java.util.BitSet;

/**
 * The part of {@link VocabularyCheck} for the words themselves: llama.cpp's tokenizers recurse by the length of a word or take the
 * square or cube of it, when a vocabulary is loaded or for each place of a text. The longest words that are known have some hundred
 * bytes (runs of blanks); the limits are far above.
 */
final class WordsCheck {

    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String TYPES = "tokenizer.ggml.token_type";
    private static final String CHARSMAP = "tokenizer.ggml.precompiled_charsmap";

    private static final int NORMAL = 1; // LLAMA_TOKEN_TYPE_NORMAL

    /** Of any vocabulary. Runs of 512 blanks, two bytes each, are known. */
    private static final int MAX_BYTES = 4096;
    /** naive_trie calls itself for each byte, with some hundred bytes of stack: on a thread with 256 KiB this is half of it. */
    private static final int MAX_TRIE_BYTES = 1000;
    /** At each place of a text llm_tokenizer_wpm tries all lengths up to that of the longest word. */
    private static final int MAX_BERT_BYTES = 512;
    /** llama_decode_text writes the whole word for each character that stands for no byte. */
    private static final int MAX_UNDECODABLE_BYTES = 128;
    /** llm_tokenizer_plamo2 writes all parts of all endings of a word: about ten seconds of work. */
    private static final long MAX_PLAMO_WORK = 1_000_000_000;
    /** What a character becomes when a text is normalized: the longest of Unicode's has 33 bytes. */
    private static final int MAX_REPLACEMENT_BYTES = 128;

    private final Metadata metadata;
    private final GgufArray tokens;

    WordsCheck(Metadata metadata) {
        this.metadata = metadata;
        this.tokens = metadata.strings(TOKENS);
    }

    void run(String model) {
        switch (model) {
            case "t5" -> {
                requireShort(MAX_TRIE_BYTES);
                requireShortReplacements();
            }
            case "rwkv" -> {
                requireShort(MAX_TRIE_BYTES);
                requireFirstBytes();
            }
            case "bert" -> requireShort(MAX_BERT_BYTES);
            case "plamo2" -> requireLittlePlamoWork();
            case "gpt2" -> {
                requireShort(MAX_BYTES);
                requireDecodable();
            }
            default -> requireShort(MAX_BYTES);
        }
    }

    private void requireShort(int limit) {
        for (int i = 0; i < tokens.length(); i++) {
            if (tokens.byteLength(i) > limit) {
                throw metadata.wrong(TOKENS, "tokens of at most %d bytes".formatted(limit), "%d bytes in token %d, which begins with '%s'"
                        .formatted(tokens.byteLength(i), i, tokens.string(i, 16)));
            }
        }
    }

    /** llm_tokenizer_rwkv goes round for ever at a text whose first byte begins words, but is none. */
    private void requireFirstBytes() {
        var words = new BitSet();
        var firsts = new int[256];
        for (int i = 0; i < tokens.length(); i++) {
            byte[] word = RwkvWords.unescape(tokens.bytes(i));
            if (word.length == 1) {
                words.set(Byte.toUnsignedInt(word[0]));
            } else if (word.length > 1) {
                firsts[Byte.toUnsignedInt(word[0])] = i + 1;
            }
        }
        for (int first = 0; first < firsts.length; first++) {
            if (firsts[first] > 0 && !words.get(first)) {
                throw metadata.wrong(TOKENS, "a token for each byte that a token begins with",
                        "none for 0x%02X, with which token %d begins".formatted(first, firsts[first] - 1));
            }
        }
    }

    private void requireLittlePlamoWork() {
        long work = 0;
        for (int i = 0; i < tokens.length(); i++) {
            long length = tokens.byteLength(i);
            work = Math.addExact(work, Math.min(MAX_PLAMO_WORK, length * length * length));
            if (work > MAX_PLAMO_WORK) {
                throw metadata.wrong(TOKENS, "tokens with a sum of cubed lengths of at most " + MAX_PLAMO_WORK,
                        "more from token 0 to %d, which has %d bytes".formatted(i, length));
            }
        }
    }

    private void requireDecodable() {
        GgufArray types = metadata.has(TYPES) ? metadata.array(TYPES) : null;
        for (int i = 0; i < tokens.length(); i++) {
            boolean normal = types == null || types.integer(i) == NORMAL;
            if (normal && tokens.byteLength(i) > MAX_UNDECODABLE_BYTES && !tokens.string(i).chars().allMatch(WordsCheck::standsForAByte)) {
                throw metadata.wrong(TOKENS, "byte-level text in tokens of more than %d bytes".formatted(MAX_UNDECODABLE_BYTES),
                        "other characters in token %d, which begins with '%s'".formatted(i, tokens.string(i, 16)));
            }
        }
    }

    /** GPT-2's letters for the 256 bytes: those of Latin-1 that can be seen, and U+0100 to U+0143 for the others. */
    private static boolean standsForAByte(int c) {
        return c >= 0x21 && c <= 0x7E || c >= 0xA1 && c <= 0xFF && c != 0xAD || c >= 0x100 && c <= 0x143;
    }

    /** After the size of a table and the table the map holds texts, each with a zero byte behind it. */
    private void requireShortReplacements() {
        if (!metadata.has(CHARSMAP)) {
            return;
        }
        GgufArray map = metadata.array(CHARSMAP);
        if (map.type() != GgufType.INT8 && map.type() != GgufType.UINT8 || map.length() < Integer.BYTES) {
            throw metadata.wrong(CHARSMAP, "an array of bytes with a table", map.toString());
        }
        int start = Integer.BYTES + tableBytes(map);
        for (int i = start; i < map.length(); i++) {
            if (map.integer(i) == 0) {
                start = i + 1;
            } else if (i - start >= MAX_REPLACEMENT_BYTES) {
                throw metadata.wrong(CHARSMAP, "replacements of at most %d bytes".formatted(MAX_REPLACEMENT_BYTES), "a longer one");
            }
        }
    }

    private int tableBytes(GgufArray map) {
        long size = 0;
        for (int i = 0; i < Integer.BYTES; i++) {
            int place = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? i : Integer.BYTES - 1 - i;
            size |= (map.integer(i) & 0xFF) << 8 * place;
        }
        if (size > map.length() - Integer.BYTES) {
            throw metadata.wrong(CHARSMAP, "a table of at most %d bytes".formatted(map.length() - Integer.BYTES), Long.toString(size));
        }
        return (int) size;
    }
}
