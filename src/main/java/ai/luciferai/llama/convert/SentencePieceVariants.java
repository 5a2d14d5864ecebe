package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.GgufType;
import ai.luciferai.llama.hf.JsonObject;
import ai.luciferai.llama.hf.SentencePieceModel;
import java.io.IOException;
import java.util.Base64;
import java.util.List;

/**
 * SentencePiece vocabularies that some families read in a way of their own.
 *
 * <p><i>Source</i>: llama.cpp, conversion/phi.py, internlm.py, xverse.py, glm.py, t5.py, bert.py {@code _xlmroberta_set_vocab}.
 */
final class SentencePieceVariants {

    private final Vocabulary vocabulary;
    private final KeyValues keys;
    /** Id of the token that ends a chat turn, once it was met. */
    private Long chatEnd;

    SentencePieceVariants(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
        this.keys = vocabulary.keys();
    }

    private SentencePieceModel model(String file) throws IOException {
        return SentencePieceModel.read(vocabulary.folder().resolve(file));
    }

    /** Phi-3: added tokens are user-defined unless marked as special, and tokenizer.json has the last word. */
    void phi3() throws IOException {
        SentencePieceModel model = model("tokenizer.model");
        TokenTable table = TokenTable.ofHoles(vocabulary.bounded(vocabulary.size() == null ? model.pieces().size() : vocabulary.size()), -10000);
        vocabulary.requireRows(model.pieces().size(), table.size());
        putPieces(table, model.pieces());
        vocabulary.addFromFile(table);
        addedTokens(table);
        vocabulary.writeSentencePiece(table);
        SpecialTokens.read(vocabulary.files(), false, (long) table.size()).write(keys);
    }

    private void putPieces(TokenTable table, List<SentencePieceModel.Piece> pieces) {
        for (int id = 0; id < pieces.size(); id++) {
            SentencePieceModel.Piece piece = pieces.get(id);
            table.set(id, piece.text(), piece.score(), typeOf(piece));
        }
    }

    private static int typeOf(SentencePieceModel.Piece piece) {
        return piece.type() == SentencePieceModel.USER_DEFINED ? TokenTable.NORMAL : piece.type();
    }

    /** The tokens of tokenizer_config.json, then those of tokenizer.json. */
    private void addedTokens(TokenTable table) throws IOException {
        JsonObject decoder = vocabulary.tokenizerConfig().objectOrEmpty("added_tokens_decoder");
        for (String id : decoder.values().keySet()) {
            added(table, vocabulary.id(id), decoder.requireObject(id));
        }
        JsonObject tokenizer = vocabulary.files().jsonIfPresent("tokenizer.json");
        for (JsonObject token : SpecialTokens.parts(tokenizer, "added_tokens")) {
            added(table, token.requireWhole("id"), token);
        }
    }

    private void added(TokenTable table, long id, JsonObject token) {
        String text = token.requireText("content");
        if (id < 0 || id >= table.size()) {
            throw new InvalidFileException(token.file(), "added token '" + text + "'", "an id below " + table.size(), String.valueOf(id));
        }
        if (text.equals("<|im_end|>")) {
            chatEnd = id;
        }
        table.set((int) id, text, -1000, Boolean.TRUE.equals(token.get("special")) ? TokenTable.CONTROL : TokenTable.USER_DEFINED);
    }

    /** InternLM 2: a piece of a NUL byte becomes a dragon, and the end of a chat turn is the end of the text. */
    void internLm2() throws IOException {
        SentencePieceModel model = model("tokenizer.model");
        var table = new TokenTable();
        vocabulary.requireRows(model.pieces().size(), vocabulary.size() == null ? model.pieces().size() : vocabulary.size());
        for (SentencePieceModel.Piece piece : model.pieces()) {
            boolean nul = piece.text().length == 1 && piece.text()[0] == 0;
            boolean unused = new String(piece.text(), java.nio.charset.StandardCharsets.UTF_8).startsWith("[UNUSED");
            table.add(nul ? Vocabulary.utf8("\uD83D\uDC09") : piece.text(), piece.score(), unused ? TokenTable.UNUSED : typeOf(piece));
        }
        for (String text : JsonObject.readIfPresent(vocabulary.folder().resolve("added_tokens.json")).values().keySet()) {
            table.add(text, -1000, TokenTable.USER_DEFINED);
        }
        addedTokens(table);
        vocabulary.writeSentencePiece(table);
        keys.bool("tokenizer.ggml.add_space_prefix", model.addDummyPrefix());
        SpecialTokens special = SpecialTokens.read(vocabulary.files(), false, (long) table.size());
        if (chatEnd != null) {
            special.replace("eos", chatEnd);
        }
        special.write(keys);
    }

    /** XLM-RoBERTa: Unigram, out of sentencepiece.bpe.model with the ids of its Hugging Face tokenizer, or out of tokenizer.json. */
    void xlmRoberta(Object tokenTypes) throws IOException {
        TokenTable table;
        boolean prefix;
        boolean removeBlanks;
        byte[] charsMap;
        if (vocabulary.has("sentencepiece.bpe.model")) {
            SentencePieceModel model = model("sentencepiece.bpe.model");
            table = realigned(model);
            prefix = model.addDummyPrefix();
            removeBlanks = model.removeExtraWhitespaces();
            charsMap = model.charsMap();
        } else {
            FastTokenizer tokenizer = FastTokenizer.read(vocabulary.files());
            table = unigram(tokenizer);
            JsonObject config = vocabulary.tokenizerConfig();
            prefix = Boolean.TRUE.equals(config.get("add_prefix_space"));
            removeBlanks = Boolean.TRUE.equals(config.get("clean_up_tokenization_spaces"));
            charsMap = charsMap(tokenizer.json().objectOrEmpty("normalizer"));
        }
        writeUnigram(table, prefix, tokenTypes == null ? (Object) 1L : tokenTypes, removeBlanks, charsMap);
    }

    private long paddedSize(int pieces) {
        return vocabulary.bounded(Math.max(vocabulary.size() == null ? 0 : vocabulary.size(), pieces));
    }

    private TokenTable realigned(SentencePieceModel model) {
        TokenTable raw = TokenTable.ofHoles(paddedSize(model.pieces().size()), -10000);
        putPieces(raw, model.pieces());
        var table = new TokenTable();
        for (String text : List.of("<s>", "<pad>", "</s>")) {
            table.add(text, 0, TokenTable.CONTROL);
        }
        table.add("<unk>", 0, TokenTable.UNKNOWN);
        for (int id = 3; id < raw.size() - 1; id++) {
            table.add(raw.text(id), raw.score(id), raw.type(id));
        }
        return table;
    }

    private TokenTable unigram(FastTokenizer tokenizer) throws IOException {
        TokenTable table = TokenTable.ofHoles(paddedSize(tokenizer.baseSize()), -10000);
        List<Object> pairs = tokenizer.json().requireObject("model").list("vocab");
        Integer unknown = tokenizer.id(String.valueOf(SpecialTokens.text(vocabulary.tokenizerConfig().get("unk_token"))));
        Object modelUnknown = tokenizer.json().requireObject("model").get("unk_id");
        long unknownId = unknown != null ? unknown : modelUnknown instanceof Long id ? id : 3;
        for (int id = 0; pairs != null && id < pairs.size(); id++) {
            String text = tokenizer.text(id);
            if (text != null && pairs.get(id) instanceof List<?> pair && pair.size() == 2 && pair.get(1) instanceof Number score) {
                int type = id == unknownId ? TokenTable.UNKNOWN : tokenizer.isSpecial(text) ? TokenTable.CONTROL
                        : tokenizer.added(id) != null ? TokenTable.USER_DEFINED : TokenTable.NORMAL;
                table.set(id, text, score.floatValue(), type);
            }
        }
        return table;
    }

    private byte[] charsMap(JsonObject normalizer) {
        Object text = normalizer.get("precompiled_charsmap");
        for (JsonObject step : SpecialTokens.parts(normalizer, "normalizers")) {
            text = text == null ? step.get("precompiled_charsmap") : text;
        }
        try {
            return text instanceof String base64 ? Base64.getDecoder().decode(base64) : new byte[0];
        } catch (IllegalArgumentException odd) {
            throw new InvalidFileException(normalizer.file(), "normalizer.precompiled_charsmap", "base64", odd.getMessage());
        }
    }

    /** GLM-4: the names of its special tokens are fixed. */
    static void glm4(Vocabulary vocabulary) throws IOException {
        glm(vocabulary, "eos", "<|endoftext|>", "eot", "<|user|>", "unk", "<|endoftext|>", "bos", "<|endoftext|>");
    }

    /** ChatGLM: as GLM-4, without a begin token. */
    static void chatGlm(Vocabulary vocabulary) throws IOException {
        glm(vocabulary, "eos", "<|endoftext|>", "eot", "<|user|>", "unk", "<|endoftext|>");
    }

    /** GLM-4.5. */
    static void glm45(Vocabulary vocabulary) throws IOException {
        glm(vocabulary, "bos", "[gMASK]", "eot", "<|user|>", "unk", "<|endoftext|>", "eom", "<|observation|>");
    }

    private static void glm(Vocabulary vocabulary, String... typesAndTokens) throws IOException {
        FastTokenizer tokenizer = vocabulary.writeByteLevel("gpt2");
        SpecialTokens special = SpecialTokens.read(vocabulary.files(), true, null);
        for (int i = 0; i < typesAndTokens.length; i += 2) {
            Integer id = tokenizer.id(typesAndTokens[i + 1]);
            if (id == null) {
                throw new InvalidFileException(tokenizer.file(), "added tokens", "the token " + typesAndTokens[i + 1], "none");
            }
            special.set(typesAndTokens[i], (long) id);
        }
        special.write(vocabulary.keys());
    }

    /** XVERSE: the tokens of tokenizer.json, without scores. */
    void xverse() throws IOException {
        FastTokenizer tokenizer = FastTokenizer.read(vocabulary.files());
        var table = new TokenTable();
        for (int id = 0; id < vocabulary.bounded(vocabulary.size() == null ? tokenizer.size() : vocabulary.size()); id++) {
            String text = tokenizer.text(id);
            if (text == null) {
                throw new InvalidFileException(tokenizer.file(), "vocabulary", "a token for each id", "none for " + id);
            }
            FastTokenizer.Added added = tokenizer.added(id);
            if (text.equals("\0") || text.matches("<0x[0-9A-Fa-f]{2}>")) {
                table.add(text.equals("\0") ? "<b'\\x00'>" : text, 0, TokenTable.BYTE);
            } else {
                table.add(text, 0, added == null ? TokenTable.NORMAL : added.special() ? TokenTable.CONTROL : TokenTable.USER_DEFINED);
            }
        }
        keys.string("tokenizer.ggml.model", "llama");
        keys.string("tokenizer.ggml.pre", "default");
        table.write(keys, false);
        SpecialTokens.read(vocabulary.files(), false, (long) table.size()).write(keys);
    }

    /** InternLM 3: the end of a chat turn is the end of the text. */
    void internLm3() throws IOException {
        TokenTable table = vocabulary.sentencePieceTable();
        vocabulary.writeSentencePiece(table);
        SpecialTokens special = SpecialTokens.read(vocabulary.files(), false, (long) table.size());
        JsonObject config = vocabulary.tokenizerConfig();
        if (config.values().containsKey("add_prefix_space")) {
            keys.bool("tokenizer.ggml.add_space_prefix", config.get("add_prefix_space"));
        }
        JsonObject added = config.objectOrEmpty("added_tokens_decoder");
        for (String id : added.values().keySet()) {
            JsonObject token = added.requireObject(id);
            if (Boolean.TRUE.equals(token.get("special")) && "<|im_end|>".equals(token.get("content")) && special.has("eos")) {
                special.replace("eos", vocabulary.id(id));
            }
        }
        special.write(keys);
    }

    /** T5: Unigram; the few models with a BPE of SentencePiece are like Llama's. */
    void t5() throws IOException {
        SentencePieceModel model = model(vocabulary.has("tokenizer.model") ? "tokenizer.model" : "spiece.model");
        if (model.modelType() == SentencePieceModel.BPE) {
            vocabulary.sentencePiece();
            return;
        }
        TokenTable table = TokenTable.ofHoles(vocabulary.bounded(Math.max(model.pieces().size(),
                vocabulary.size() == null ? 0 : vocabulary.size())), -10000);
        putPieces(table, model.pieces());
        vocabulary.addFromFile(table);
        writeUnigram(table, model.addDummyPrefix(), null, model.removeExtraWhitespaces(), model.charsMap());
    }

    /** Writes a Unigram vocabulary; {@code tokenTypes} is null where the model has none. */
    private void writeUnigram(TokenTable table, boolean prefix, Object tokenTypes, boolean removeBlanks, byte[] charsMap) throws IOException {
        keys.string("tokenizer.ggml.model", "t5");
        keys.string("tokenizer.ggml.pre", "default");
        table.write(keys, true);
        keys.bool("tokenizer.ggml.add_space_prefix", prefix);
        if (tokenTypes != null) {
            keys.u32("tokenizer.ggml.token_type_count", tokenTypes);
        }
        keys.bool("tokenizer.ggml.remove_extra_whitespaces", removeBlanks);
        long[] bytes = new long[charsMap.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = charsMap[i] & 0xFF;
        }
        keys.array("tokenizer.ggml.precompiled_charsmap", GgufArray.ofIntegers(GgufType.UINT8, bytes));
        SpecialTokens.read(vocabulary.files(), false, (long) table.size()).write(keys);
    }
}
