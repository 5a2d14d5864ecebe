package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A tokenizer.json as {@code AutoTokenizer} of transformers 4.57.6 loads it: the model's vocabulary, the added tokens of all files with
 * the ids that the tokenizers library gives them, and the post-processor that the tokenizer's class sets.
 *
 * <p><i>Source</i>: transformers tokenization_utils_fast.py and models/llama/tokenization_llama_fast.py; tokenizers 0.22
 * added_vocabulary.rs.
 */
final class FastTokenizer {

    private static final JsonObject CLASSES = JsonObject.resource(FastTokenizer.class, "tokenizer-classes.json");
    private static final System.Logger LOG = System.getLogger(FastTokenizer.class.getName());
    private static final List<String> SPECIAL_NAMES =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    /** The kinds of models of the tokenizers library; files before 0.9 name none. */
    private static final List<String> MODELS = List.of("BPE", "WordPiece", "Unigram", "WordLevel");
    private static final int MOST_STEPS = 256;

    /** A token beside the model's vocabulary, or one of it that is treated as a unit. */
    record Added(int id, String text, boolean special, boolean normalized, boolean lstrip, boolean rstrip, boolean singleWord) {}

    private final Path file;
    private final JsonObject json;
    private final JsonObject config;
    private final Map<String, Integer> base = new LinkedHashMap<>();
    private final Map<Integer, String> texts = new HashMap<>();
    private final Map<String, Added> added = new LinkedHashMap<>();
    private final Set<String> special = new LinkedHashSet<>();
    private final JsonObject tokenizerClass;
    /** Highest id of an added token that the model does not have. */
    private int highestNew = -1;

    private FastTokenizer(JsonObject json, JsonObject config, JsonObject tokenizerClass) {
        this.file = json.file();
        this.json = json;
        this.config = config;
        this.tokenizerClass = tokenizerClass;
    }

    /** Reads {@code tokenizer.json}, or {@code vocab.json} and {@code merges.txt}, with {@code tokenizer_config.json} where there is one. */
    static FastTokenizer read(TokenizerFiles files) throws IOException {
        JsonObject config = files.jsonIfPresent("tokenizer_config.json");
        JsonObject modelConfig = files.jsonIfPresent("config.json");
        JsonObject tokenizerClass = classOf(config, modelConfig);
        JsonObject json = files.has("tokenizer.json") ? files.json("tokenizer.json") : SlowTokenizer.read(files.folder(), tokenizerClass);
        int steps = objects(json.get("decoder"));
        if (steps > MOST_STEPS) { // each added token takes all of them
            throw new InvalidFileException(json.file(), "decoder", "at most " + MOST_STEPS + " steps", String.valueOf(steps));
        }
        var tokenizer = new FastTokenizer(json, config, tokenizerClass);
        tokenizer.readVocabulary();
        tokenizer.readAdded();
        tokenizer.addFromConfig(files.jsonIfPresent("special_tokens_map.json"), files.jsonIfPresent("added_tokens.json"));
        tokenizer.added.values().forEach(token -> tokenizer.texts.put(token.id, token.text));
        return tokenizer;
    }

    private static int objects(Object value) {
        return switch (value) {
            case Map<?, ?> map -> 1 + map.values().stream().mapToInt(FastTokenizer::objects).sum();
            case List<?> list -> list.stream().mapToInt(FastTokenizer::objects).sum();
            case null, default -> 0;
        };
    }

    private static JsonObject classOf(JsonObject config, JsonObject modelConfig) {
        Object name = config.get("tokenizer_class");
        if (!(name instanceof String) && modelConfig.get("model_type") instanceof String type) {
            name = CLASSES.object("model_types").get(type);
        }
        String plain = String.valueOf(name).replaceFirst("Fast$", "");
        return CLASSES.object("classes").objectOrEmpty(plain);
    }

    /** The regex by which the tokenizer of a class splits text where no tokenizer.json says it. */
    static String split(String className) {
        return CLASSES.object("classes").object(className).requireText("split");
    }

    private void readVocabulary() {
        Object type = json.requireObject("model").get("type");
        if (type != null && !MODELS.contains(type)) {
            throw new UnsupportedModelException(file, "model.type", String.join(", ", MODELS), JsonObject.kind(type));
        }
        switch (json.requireObject("model").get("vocab")) {
            case Map<?, ?> map -> map.forEach((text, id) -> putBase((String) text, id));
            case List<?> list -> { // Unigram: pairs of text and score
                for (int i = 0; i < list.size(); i++) {
                    putBase(list.get(i) instanceof List<?> pair && pair.size() == 2 ? String.valueOf(pair.getFirst()) : "", (long) i);
                }
            }
            case null, default -> throw new InvalidFileException(file, "model.vocab", "an object or a list", "neither");
        }
    }

    private void putBase(String text, Object id) {
        if (!(id instanceof Long number) || number < 0 || number > 10_000_000) {
            throw new InvalidFileException(file, "model.vocab '" + text + "'", "an id from 0 to 10000000", JsonObject.kind(id));
        }
        base.put(text, (int) (long) number);
        String other = texts.put((int) (long) number, text);
        if (other != null) {
            throw new InvalidFileException(file, "model.vocab, id " + number, "one token for each id", "'" + other + "' and '" + text + "'",
                    "give one of them an id of its own, or take it out");
        }
    }

    private void readAdded() {
        var byId = new TreeMap<Long, JsonObject>();
        for (JsonObject token : SpecialTokens.parts(json, "added_tokens")) {
            byId.put(token.requireWhole("id"), token);
        }
        byId.values().forEach(token -> add(token, token.requireText("content"), Boolean.TRUE.equals(token.get("special"))));
    }

    /** Adds a token, or gives a known one other properties. The id is the model's, or the next free one. */
    private void add(JsonObject properties, String text, boolean isSpecial) {
        if (text.isEmpty()) {
            return;
        }
        boolean normalized = properties.get("normalized") instanceof Boolean flag ? flag : !isSpecial;
        int id = idFor(text);
        highestNew = base.containsKey(text) ? highestNew : Math.max(highestNew, id);
        added.put(text, new Added(id, text, isSpecial, normalized, isSet(properties, "lstrip"), isSet(properties, "rstrip"),
                isSet(properties, "single_word")));
    }

    private static boolean isSet(JsonObject properties, String key) {
        return Boolean.TRUE.equals(properties.get(key));
    }

    private int idFor(String text) {
        if (added.containsKey(text)) {
            return added.get(text).id;
        }
        if (base.containsKey(text)) {
            return base.get(text);
        }
        return Math.max(base.size(), highestNew + 1);
    }

    /** The tokens of tokenizer_config.json, then the special ones that no file lists. */
    private void addFromConfig(JsonObject specialTokensMap, JsonObject addedTokens) {
        var known = new TreeMap<Long, JsonObject>();
        JsonObject decoder = config.objectOrEmpty("added_tokens_decoder");
        for (String id : decoder.values().keySet()) {
            try {
                known.put(Long.valueOf(id), decoder.requireObject(id));
            } catch (NumberFormatException notOne) {
                throw new InvalidFileException(config.file(), "added_tokens_decoder", "numbers as keys", "'" + id + "'");
            }
        }
        known.values().forEach(token -> add(token, token.requireText("content"), isSet(token, "special")));
        if (!config.values().containsKey("added_tokens_decoder")) { // the list of older versions
            Set<String> named = named(specialTokensMap);
            var older = new TreeMap<Long, String>();
            addedTokens.values().forEach((text, id) -> older.put(id instanceof Long number ? number : -1L, text));
            older.values().stream().filter(text -> !added.containsKey(text))
                    .forEach(text -> add(new JsonObject(addedTokens.file(), Map.of()), text, named.contains(text)));
        } else if (decoder.isEmpty() && addedTokens.values().keySet().stream().anyMatch(text -> id(text) == null)) {
            LOG.log(System.Logger.Level.WARNING, "{0}: its tokens are left out, because tokenizer_config.json says that there are none "
                    + "(added_tokens_decoder), and is newer", addedTokens.file());
        }
        for (String name : SPECIAL_NAMES) {
            JsonObject source = config.values().containsKey(name) || !decoder.isEmpty() || !specialTokensMap.has(name) ? config : specialTokensMap;
            Object value = source.values().containsKey(name) ? source.get(name) : tokenizerClass.get(name);
            addSpecial(value);
        }
        for (String list : List.of("additional_special_tokens", "extra_special_tokens")) {
            if (config.get(list) instanceof List<?> items) {
                items.forEach(this::addSpecial);
            }
        }
    }

    /** The texts of the special tokens that the files name. */
    private Set<String> named(JsonObject specialTokensMap) {
        var named = new HashSet<String>();
        for (JsonObject file : List.of(config, specialTokensMap)) {
            SPECIAL_NAMES.forEach(name -> named.add(SpecialTokens.text(file.get(name))));
            if (file.get("additional_special_tokens") instanceof List<?> items) {
                items.forEach(item -> named.add(SpecialTokens.text(item)));
            }
        }
        return named;
    }

    private void addSpecial(Object token) {
        String text = SpecialTokens.text(token);
        if (text != null && special.add(text) && !added.containsKey(text)) {
            add(token instanceof Map<?, ?> ? SpecialTokens.parts(new JsonObject(file, Map.of("t", List.of(token))), "t").getFirst()
                    : new JsonObject(file, Map.of()), text, true);
        }
    }

    /** The file that the tokenizer was read from. */
    Path file() {
        return file;
    }

    JsonObject json() {
        return json;
    }

    /** Number of tokens of the model itself. */
    int baseSize() {
        return base.size();
    }

    /** Number of tokens in all. */
    int size() {
        return texts.size();
    }

    int maxId() {
        return texts.keySet().stream().mapToInt(Integer::intValue).max().orElse(-1);
    }

    /** Text of an id, or null for a hole. */
    String text(int id) {
        return texts.get(id);
    }

    /** Id of a text of the model's vocabulary, or null. */
    Integer baseId(String text) {
        return base.get(text);
    }

    /** Id of a text, added or of the model, or null. */
    Integer id(String text) {
        Added token = added.get(text);
        return token != null ? (Integer) token.id : base.get(text);
    }

    /** The added token of an id, or null. */
    Added added(int id) {
        String text = texts.get(id);
        Added token = text == null ? null : added.get(text);
        return token != null && token.id == id ? token : null;
    }

    /** The added tokens by id. */
    List<Added> added() {
        return added.values().stream().sorted((a, b) -> Integer.compare(a.id, b.id)).toList();
    }

    /** Whether a text is one of the named special tokens (begin, end, unknown …). */
    boolean isSpecial(String text) {
        return special.contains(text);
    }

    /**
     * Ids that the class of the tokenizer puts in front of and behind a text, or null when tokenizer.json's own post-processor counts.
     */
    List<List<Integer>> classTemplate() {
        if (!Boolean.TRUE.equals(tokenizerClass.get("sets_template"))) {
            return null;
        }
        boolean begin = config.get("add_bos_token") instanceof Boolean flag ? flag : true;
        boolean end = config.get("add_eos_token") instanceof Boolean flag && flag;
        return List.of(begin ? ids("bos_token") : List.of(), end ? ids("eos_token") : List.of());
    }

    private List<Integer> ids(String name) {
        Object token = config.values().containsKey(name) ? config.get(name) : tokenizerClass.get(name);
        Integer id = SpecialTokens.text(token) == null ? null : id(SpecialTokens.text(token));
        return id == null ? List.of() : List.of(id);
    }

    /**
     * An added token after encoding and decoding, which is how the reference normalizes it: the same text but for what the decoder does.
     */
    String decodedAgain(Added token) {
        var tokens = new ArrayList<>(List.of(token.text));
        List<String> decoded = Decoder.decode(json.objectOrEmpty("decoder"), tokens);
        String text = String.join("", decoded);
        return Boolean.TRUE.equals(config.get("clean_up_tokenization_spaces")) ? Decoder.cleanUp(text) : text;
    }
}
