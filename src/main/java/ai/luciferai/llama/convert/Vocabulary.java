package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Enumeration;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.hf.JsonObject;
import ai.luciferai.llama.hf.SentencePieceModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The tokenizers that a GGUF can hold, one method each: reads the files of a model's folder and writes the {@code tokenizer.*} keys.
 *
 * <p><i>Source</i>: llama.cpp, conversion/base.py {@code _set_vocab_*}, gguf-py vocab.py.
 */
final class Vocabulary {

    /** The largest vocabularies have a million. */
    private static final int MOST_TOKENS = 2_000_000;
    private static final System.Logger LOG = System.getLogger(Vocabulary.class.getName());
    static final String OTHER_TOKENIZER = "the tokenizer is of another model, or tokens were added without model.resize_token_embeddings()";

    private final TokenizerFiles files;
    private final JsonObject config;
    private final KeyValues keys;
    private final String preTokenizer;

    /**
     * @param preTokenizer name given by the user, or null to recognise it
     */
    Vocabulary(TokenizerFiles files, JsonObject config, KeyValues keys, String preTokenizer) {
        this.files = files;
        this.config = config;
        this.keys = keys;
        this.preTokenizer = preTokenizer;
    }

    Path folder() {
        return files.folder();
    }

    TokenizerFiles files() {
        return files;
    }

    KeyValues keys() {
        return keys;
    }

    boolean has(String file) {
        return files.has(file);
    }

    JsonObject tokenizerConfig() throws IOException {
        return files.jsonIfPresent("tokenizer_config.json");
    }

    /** {@code vocab_size} of the configuration, or null. */
    Long size() {
        return config.get("vocab_size") instanceof Long size ? size : null;
    }

    // --- SentencePiece -------------------------------------------------------------------------------------------------

    /** {@code tokenizer.model}, or what a fast tokenizer was made of it, with which the reference does not content itself. */
    void sentencePiece() throws IOException {
        if (!has("tokenizer.model") && isByteFallback()) {
            byteFallback();
            return;
        }
        TokenTable table = sentencePieceTable();
        writeSentencePiece(table);
        SpecialTokens.read(files, false, (long) table.size()).write(keys);
    }

    void writeSentencePiece(TokenTable table) {
        keys.string("tokenizer.ggml.model", "llama");
        keys.string("tokenizer.ggml.pre", "default");
        table.write(keys, true);
    }

    TokenTable sentencePieceTable() throws IOException {
        SentencePieceModel model = SentencePieceModel.read(files.path("tokenizer.model"));
        Object size = config.has("vocab_size_per_layer_input") ? config.get("vocab_size_per_layer_input") : config.get("vocab_size");
        TokenTable table = TokenTable.ofHoles(bounded(size instanceof Long n && n > 0 ? n : model.pieces().size()), -10000);
        requireRows(model.pieces().size(), table.size());
        for (int id = 0; id < Math.min(table.size(), model.pieces().size()); id++) {
            SentencePieceModel.Piece piece = model.pieces().get(id);
            boolean user = piece.type() == SentencePieceModel.USER_DEFINED; // stays normal, as in the reference
            table.set(id, piece.text(), piece.score(), user ? TokenTable.NORMAL : piece.type());
        }
        addFromFile(table);
        addFromConfig(table);
        return table;
    }

    /** Tokens of {@code added_tokens.json}. */
    void addFromFile(TokenTable table) throws IOException {
        Path file = files.path("added_tokens.json");
        var beyond = new ArrayList<String>();
        for (var token : JsonObject.readIfPresent(file).values().entrySet()) {
            if (token.getValue() instanceof Long id && id >= 0 && id < table.size()) {
                table.set((int) (long) id, token.getKey(), -1000, TokenTable.USER_DEFINED);
            } else {
                beyond.add("'" + token.getKey() + "' (" + JsonObject.kind(token.getValue()) + ")");
            }
        }
        tellOfTokensBeyond(file, beyond, table.size());
    }

    /** A piece without a row would be lost, or shift those behind it. */
    void requireRows(long pieces, long rows) {
        if (pieces > rows) {
            throw new InvalidFileException(files.path("tokenizer.model"), "pieces", "at most " + rows + ", the rows of the embedding (vocab_size)",
                    String.valueOf(pieces), OTHER_TOKENIZER);
        }
    }

    /**
     * A token beside those of tokenizer.model that the embedding has no row for is left out, as the reference leaves it out: Gemma 3's small
     * model lists the token of images, and many fine-tunes a padding that nothing was ever trained with.
     */
    private static void tellOfTokensBeyond(Path file, List<String> tokens, int size) {
        if (!tokens.isEmpty()) {
            LOG.log(System.Logger.Level.WARNING, "{0}: left out, because the embedding has no row for them (ids from 0 to {1}): {2}", file,
                    String.valueOf(size - 1), Enumeration.of(tokens, 6));
        }
    }

    /** Tokens of tokenizer_config.json's {@code added_tokens_decoder}. */
    void addFromConfig(TokenTable table) throws IOException {
        var beyond = new ArrayList<String>();
        for (var token : tokenizerConfig().objectOrEmpty("added_tokens_decoder").values().entrySet()) {
            int id = id(token.getKey());
            String text = SpecialTokens.text(token.getValue());
            if (text == null) {
                throw new InvalidFileException(files.path("tokenizer_config.json"), "added_tokens_decoder '" + token.getKey() + "'",
                        "an object with content", JsonObject.kind(token.getValue()));
            }
            if (id >= 0 && id < table.size()) {
                setAdded(table, id, text, token.getValue() instanceof Map<?, ?> map && Boolean.TRUE.equals(map.get("special")));
            } else {
                beyond.add("'" + text + "' (" + id + ")");
            }
        }
        tellOfTokensBeyond(files.path("tokenizer_config.json"), beyond, table.size());
    }

    /** A special token becomes a control token; any other is user-defined, with real blanks. */
    static void setAdded(TokenTable table, int id, String text, boolean special) {
        if (special || TokenTable.looksSpecial(text)) {
            table.set(id, text, -1000, TokenTable.CONTROL);
        } else {
            table.set(id, text.replace('\u2581', ' '), -1000, TokenTable.USER_DEFINED);
        }
    }

    int id(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException notOne) {
            throw new InvalidFileException(files.path("tokenizer_config.json"), "added_tokens_decoder", "numbers as keys", "'" + text + "'");
        }
    }

    /** A vocabulary of a size that a model can have: a corrupt file must not ask for all memory. */
    long bounded(long size) {
        if (size < 1 || size > MOST_TOKENS) {
            throw new InvalidFileException(files.path("config.json"), "key 'vocab_size'", "a number from 1 to " + MOST_TOKENS, String.valueOf(size));
        }
        return size;
    }

    // --- the tokenizer of Llama files ----------------------------------------------------------------------------------

    /** SentencePiece, else BPE with byte fallback, else byte-level BPE: the order of the reference's Llama class. */
    void llama() throws IOException {
        Object prefixSpace = tokenizerConfig().get("add_prefix_space");
        if (prefixSpace != null) {
            keys.bool("tokenizer.ggml.add_space_prefix", prefixSpace);
        }
        if (has("tokenizer.model")) {
            sentencePiece();
        } else {
            fastTokenizer();
        }
        long size = size() == null ? 32000 : size();
        if (size == 32016) { // CodeLlama
            SpecialTokens tokens = SpecialTokens.read(files, false, null, List.of("prefix", "suffix", "middle", "eot"));
            tokens.set("prefix", 32007L);
            tokens.set("suffix", 32008L);
            tokens.set("middle", 32009L);
            tokens.set("eot", 32010L);
            tokens.write(keys);
        }
        if (size == 49152) { // small Granite models
            keys.bool("tokenizer.ggml.add_bos_token", false);
        }
    }

    /** SentencePiece where there is such a file, else byte-level BPE. */
    void sentencePieceOrByteLevel() throws IOException {
        if (has("tokenizer.model")) {
            sentencePiece();
        } else {
            byteLevel();
        }
    }

    /** What tokenizer.json alone holds: BPE with byte fallback, else byte-level BPE. */
    void fastTokenizer() throws IOException {
        if (isByteFallback()) {
            byteFallback();
        } else {
            byteLevel();
        }
    }

    /** Whether tokenizer.json is a SentencePiece BPE in disguise: byte fallback and a decoder in steps. */
    boolean isByteFallback() throws IOException {
        if (!has("tokenizer.json")) {
            return false;
        }
        JsonObject tokenizer = files.json("tokenizer.json");
        JsonObject model = tokenizer.objectOrEmpty("model");
        return "BPE".equals(model.get("type")) && Boolean.TRUE.equals(model.get("byte_fallback"))
                && "Sequence".equals(tokenizer.objectOrEmpty("decoder").get("type"));
    }

    /**
     * BPE with byte fallback out of tokenizer.json, written as SentencePiece. llama.cpp merges by score, so a token's score is the negated rank
     * of the first merge that makes it; the reference gives all tokens one score, and with it merges from left to right. For the same reason
     * the blank in front of a text is denied where the tokenizer has none.
     */
    void byteFallback() throws IOException {
        FastTokenizer tokenizer = FastTokenizer.read(files);
        if (!prependsBlank(tokenizer.json().objectOrEmpty("normalizer")) && !prependsBlank(tokenizer.json().objectOrEmpty("pre_tokenizer"))) {
            keys.bool("tokenizer.ggml.add_space_prefix", false);
        }
        Map<String, Integer> ranks = ranks(SpecialTokens.mergesOf(tokenizer.json()));
        var table = new TokenTable();
        for (int id = 0; id < tokenizer.baseSize(); id++) {
            String text = tokenizer.text(id);
            if (text == null) {
                throw new InvalidFileException(files.path("tokenizer.json"), "vocabulary", "a token for each id", "none for " + id);
            }
            boolean isByte = text.matches("<0x[0-9A-Fa-f]{2}>");
            Integer rank = ranks.get(text);
            table.add(text, rank == null ? -1000 : -rank, isByte ? TokenTable.BYTE : tokenizer.isSpecial(text) ? TokenTable.CONTROL : TokenTable.NORMAL);
        }
        for (FastTokenizer.Added added : tokenizer.added()) {
            if (added.id() >= tokenizer.baseSize()) {
                table.add(added.text(), -1000, tokenizer.isSpecial(added.text()) ? TokenTable.CONTROL : TokenTable.USER_DEFINED);
            }
        }
        while (size() != null && table.size() < Math.min(size(), MOST_TOKENS)) {
            table.add("[PAD" + table.size() + "]", -10000, TokenTable.UNUSED);
        }
        writeSentencePiece(table);
        SpecialTokens.read(files, false, (long) table.size()).write(keys);
    }

    private static Map<String, Integer> ranks(List<String> merges) {
        var ranks = new HashMap<String, Integer>();
        for (String merge : merges) {
            ranks.putIfAbsent(merge.replaceFirst(" ", ""), ranks.size());
        }
        return ranks;
    }

    /** Whether a normalizer or pre-tokenizer puts a blank in front of the text. */
    private static boolean prependsBlank(JsonObject step) {
        return switch (String.valueOf(step.get("type"))) {
            case "Sequence" -> Stream.of("normalizers", "pretokenizers").flatMap(list -> SpecialTokens.parts(step, list).stream())
                    .anyMatch(Vocabulary::prependsBlank);
            case "Prepend" -> true;
            case "Metaspace" -> !"never".equals(step.get("prepend_scheme")) && !Boolean.FALSE.equals(step.get("add_prefix_space"));
            default -> false;
        };
    }

    // --- byte-level BPE ------------------------------------------------------------------------------------------------

    /** Byte-level BPE out of tokenizer.json, or of vocab.json and merges.txt. */
    void byteLevel() throws IOException {
        writeByteLevel("gpt2");
        SpecialTokens.read(files, true, null).write(keys);
    }

    /** The vocabulary of {@link #byteLevel} without what stands beside it. */
    FastTokenizer writeByteLevel(String model) throws IOException {
        FastTokenizer tokenizer = FastTokenizer.read(files);
        String pre = preTokenizer(tokenizer);
        TokenTable table = table(tokenizer);
        keys.string("tokenizer.ggml.model", model);
        keys.string("tokenizer.ggml.pre", pre);
        table.write(keys, false);
        return tokenizer;
    }

    /** Qwen 1: byte-level BPE out of a tiktoken file, with its end of text for all that has no token of its own. */
    void qwen() throws IOException {
        if (has("tokenizer.json")) { // a conversion by somebody else
            byteLevel();
            return;
        }
        FastTokenizer tokenizer = writeByteLevel("gpt2");
        SpecialTokens special = SpecialTokens.read(files, false, null);
        special.merges(SpecialTokens.mergesOf(tokenizer.json()));
        Integer end = tokenizer.id("<|endoftext|>");
        boolean unnamed = special.isEmpty();
        for (String type : unnamed ? List.of("bos", "eos", "unk") : List.of("unk")) {
            special.set(type, end == null ? null : (Object) (long) end);
        }
        special.write(keys);
    }

    /** The name of the pre-tokenizer: as given, or recognised. */
    String preTokenizer(FastTokenizer tokenizer) {
        return preTokenizer != null ? preTokenizer : PreTokenizers.recognise(tokenizer);
    }

    /** Tokens and types of a fast tokenizer, filled up to {@code vocab_size}. */
    TokenTable table(FastTokenizer tokenizer) {
        long size = bounded(size() == null ? tokenizer.size() : size());
        if (tokenizer.maxId() >= size) {
            throw new InvalidFileException(tokenizer.file(), "tokens", "ids below " + size + ", the rows of the embedding (vocab_size)",
                    "'" + tokenizer.text(tokenizer.maxId()) + "' with id " + tokenizer.maxId(), OTHER_TOKENIZER);
        }
        TokenTable table = TokenTable.ofHoles(size, 0);
        for (int id = 0; id < size; id++) {
            String text = tokenizer.text(id);
            FastTokenizer.Added added = tokenizer.added(id);
            if (added != null) {
                text = added.normalized() ? text : tokenizer.decodedAgain(added);
                if (added.special() || TokenTable.looksSpecial(text)) {
                    table.set(id, text, 0, TokenTable.CONTROL);
                } else {
                    table.set(id, text.replace('\u2581', ' '), 0, TokenTable.USER_DEFINED);
                }
            } else if (text != null) {
                table.set(id, text, 0, TokenTable.NORMAL);
            }
        }
        return table;
    }

    /** Bytes of a text. */
    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
