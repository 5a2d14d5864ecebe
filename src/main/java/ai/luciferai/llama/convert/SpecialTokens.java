package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Utf8;
import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.hf.JsonObject;
import ai.luciferai.llama.hf.SmallFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a tokenizer's files say beside its vocabulary: merges, ids of special tokens, whether they are added to a text, chat templates,
 * normalizer flags.
 *
 * <p><i>Source</i>: gguf-py, vocab.py {@code SpecialVocab}; the crude reading of the post-processor is the reference's, and so are its
 * results for odd templates.
 */
final class SpecialTokens {

    /** GGUF keys of the special tokens that llama.cpp knows. */
    private static final Map<String, String> ID_KEYS = Map.of("bos", "bos", "eos", "eos", "unk", "unknown", "sep", "seperator",
            "pad", "padding", "mask", "mask", "eot", "eot", "eom", "eom");
    private static final Set<String> ADD_KEYS = Set.of("bos", "eos", "sep");

    private final TokenizerFiles files;
    private final Path folder;
    private final Long vocabularySize;
    private final List<String> types;
    private final Map<String, Long> ids = new LinkedHashMap<>();
    private final Map<String, Boolean> added = new LinkedHashMap<>();
    private List<String> merges = List.of();
    private Object chatTemplate;
    private Boolean lowercase;
    private Boolean stripAccents;

    private SpecialTokens(TokenizerFiles files, Long vocabularySize, List<String> types) {
        this.files = files;
        this.folder = files.folder();
        this.vocabularySize = vocabularySize;
        this.types = new ArrayList<>(types);
    }

    /**
     * Reads the files of a folder.
     *
     * @param withMerges     whether the merges are wanted
     * @param vocabularySize ids from here on are ignored; null for no limit
     */
    static SpecialTokens read(TokenizerFiles files, boolean withMerges, Long vocabularySize) throws IOException {
        return read(files, withMerges, vocabularySize, List.of("bos", "eos", "unk", "sep", "pad", "cls", "mask"));
    }

    /** {@link #read} for other kinds of special tokens. */
    static SpecialTokens read(TokenizerFiles files, boolean withMerges, Long vocabularySize, List<String> types) throws IOException {
        var tokens = new SpecialTokens(files, vocabularySize, types);
        tokens.readTokenizer(withMerges);
        tokens.readConfig();
        if (withMerges && tokens.merges.isEmpty()) {
            tokens.readMergesFile();
        }
        return tokens;
    }

    /** Sets an id unless it is known already. A negative one, as null, says that there is no such token; the reference refuses it. */
    void set(String type, Object id) {
        if (id instanceof Long number && number >= 0 && (vocabularySize == null || number < vocabularySize)) {
            ids.putIfAbsent(type, number);
        }
    }

    /** Sets an id over a known one. */
    void replace(String type, long id) {
        ids.put(type, id);
    }

    boolean has(String type) {
        return ids.containsKey(type);
    }

    boolean isEmpty() {
        return ids.isEmpty();
    }

    void merges(List<String> list) {
        merges = list;
    }

    /** The chat template of the files: a text, a list of named ones, or null. */
    Object chatTemplate() {
        return chatTemplate;
    }

    void chatTemplate(Object template) {
        chatTemplate = template;
    }

    /** Writes everything in the order of the reference. */
    void write(KeyValues keys) {
        keys.array("tokenizer.ggml.merges", GgufArray.ofStrings(merges));
        ids.forEach((type, id) -> {
            if (ID_KEYS.containsKey(type)) {
                keys.u32("tokenizer.ggml." + ID_KEYS.get(type) + "_token_id", id);
            }
        });
        added.forEach((type, flag) -> {
            if (ADD_KEYS.contains(type)) {
                keys.bool("tokenizer.ggml.add_" + type + "_token", flag);
            }
        });
        writeTemplate(keys, chatTemplate);
        if (lowercase != null) {
            keys.bool("tokenizer.ggml.normalizer.lowercase", lowercase);
        }
        if (stripAccents != null) {
            keys.bool("tokenizer.ggml.normalizer.strip_accents", stripAccents);
        }
    }

    /** Writes one template, or several with names of which "default" is the one. */
    static void writeTemplate(KeyValues keys, Object template) {
        ChatTemplates.tellFaults(template);
        if (template instanceof List<?> list) {
            Object byDefault = null;
            var names = new LinkedHashSet<String>();
            for (Object item : list) {
                if (item instanceof Map<?, ?> choice && choice.get("template") instanceof String text) {
                    String name = String.valueOf(choice.get("name")).codePoints()
                            .map(c -> c < 128 && Character.isLetterOrDigit(c) ? c : '_')
                            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
                    if (name.equals("default")) {
                        byDefault = text;
                    } else if (!name.isEmpty() && !name.equals("None") && choice.get("name") != null) {
                        names.add(name);
                        keys.string("tokenizer.chat_template." + name, text);
                    }
                }
            }
            keys.array("tokenizer.chat_templates", GgufArray.ofStrings(List.copyOf(names)));
            template = byDefault;
        }
        if (template instanceof String text) {
            keys.string("tokenizer.chat_template", text);
        }
    }

    private void readTokenizer(boolean withMerges) throws IOException {
        JsonObject tokenizer = files.has("tokenizer.json") ? files.json("tokenizer.json") : null;
        JsonObject config = files.jsonIfPresent("tokenizer_config.json");
        boolean configured = Files.isRegularFile(config.file());
        List<Object> addedTokens = List.of();
        if (tokenizer != null) {
            if (withMerges) {
                merges = mergesOf(tokenizer);
            }
            readNormalizer(tokenizer.objectOrEmpty("normalizer"));
            addedTokens = tokenizer.get("added_tokens") instanceof List ? tokenizer.list("added_tokens") : List.of();
            new PostProcessor(config, configured).read(tokenizer.objectOrEmpty("post_processor"));
        }
        if (!configured) {
            return;
        }
        chatTemplate = config.values().containsKey("chat_template") ? config.get("chat_template") : templateFiles();
        if (!(chatTemplate instanceof String || chatTemplate instanceof List)) {
            chatTemplate = null;
        }
        for (String type : types) {
            if (config.get("add_" + type + "_token") instanceof Boolean flag) {
                added.put(type, flag);
            }
            String text = text(config.get(type + "_token"));
            if (text != null) {
                for (Object item : addedTokens) {
                    if (item instanceof Map<?, ?> token && text.equals(token.get("content"))) {
                        set(type, token.get("id"));
                        break;
                    }
                }
            }
        }
    }

    /** The text of a token that is given as a string or as an object with its content. */
    static String text(Object token) {
        Object text = token instanceof Map<?, ?> map ? map.get("content") : token;
        return text instanceof String string ? string : null;
    }

    /** Merges as "a b", both of the list-of-strings and of the list-of-pairs form. */
    static List<String> mergesOf(JsonObject tokenizer) {
        if (!(tokenizer.objectOrEmpty("model").get("merges") instanceof List<?> list)) {
            return List.of();
        }
        var texts = new ArrayList<String>(list.size());
        for (Object merge : list) {
            if (merge instanceof String text) {
                texts.add(text);
            } else if (merge instanceof List<?> pair && pair.size() == 2 && pair.get(0) instanceof String a && pair.get(1) instanceof String b) {
                texts.add(a.replace(' ', '\u0120') + " " + b.replace(' ', '\u0120'));
            } else {
                throw new InvalidFileException(tokenizer.file(), "merges", "texts or pairs of texts", JsonObject.kind(merge));
            }
        }
        return texts;
    }

    private void readNormalizer(JsonObject normalizer) {
        switch (String.valueOf(normalizer.get("type"))) {
            case "Lowercase" -> lowercase = true;
            case "StripAccents" -> stripAccents = true;
            case "BertNormalizer" -> {
                lowercase = normalizer.values().containsKey("lowercase") ? normalizer.flag("lowercase") : lowercase;
                stripAccents = normalizer.values().containsKey("strip_accents") ? normalizer.flag("strip_accents") : stripAccents;
            }
            case "Sequence" -> parts(normalizer, "normalizers").forEach(this::readNormalizer);
            default -> { }
        }
    }

    /** The objects of a list, of which anything else is skipped. */
    static List<JsonObject> parts(JsonObject of, String key) {
        var parts = new ArrayList<JsonObject>();
        if (of.get(key) instanceof List<?> list) {
            for (Object item : list) {
                if (item instanceof Map<?, ?> map) {
                    var values = new LinkedHashMap<String, Object>();
                    map.forEach((k, v) -> values.put(String.valueOf(k), v));
                    parts.add(new JsonObject(of.file(), values));
                }
            }
        }
        return parts;
    }

    private Object templateFiles() throws IOException {
        Path jinja = folder.resolve("chat_template.jinja");
        if (Files.isRegularFile(jinja)) {
            String text = readText(jinja);
            Path more = folder.resolve("additional_chat_templates");
            if (!Files.isDirectory(more)) {
                return text;
            }
            var list = new ArrayList<Object>();
            list.add(Map.of("name", "default", "template", text));
            try (var files = Files.list(more)) { // by name, so that the output does not depend on the order of the folder
                for (Path file : files.filter(f -> f.toString().endsWith(".jinja")).sorted().toList()) {
                    String name = file.getFileName().toString();
                    list.add(Map.of("name", name.substring(0, name.length() - ".jinja".length()), "template", readText(file)));
                }
            }
            return list.size() == 1 ? text : list;
        }
        Path json = folder.resolve("chat_template.json");
        return Files.isRegularFile(json) ? JsonObject.read(json).get("chat_template") : null;
    }

    /** A text file as Python reads it: every line end is a newline. A mark of byte order is no part of a template. */
    static String readText(Path file) throws IOException {
        return Utf8.withoutMark(new String(SmallFile.read(file), StandardCharsets.UTF_8)).replace("\r\n", "\n").replace('\r', '\n');
    }

    private void readConfig() throws IOException {
        JsonObject config = files.jsonIfPresent("config.json");
        JsonObject text = config.objectOrEmpty("text_config");
        for (String type : types) {
            String key = type + "_token_id";
            set(type, config.get(key) != null ? config.get(key) : text.get(key));
        }
    }

    private void readMergesFile() throws IOException {
        Path file = folder.resolve("merges.txt");
        if (!Files.isRegularFile(file)) {
            return;
        }
        var list = new ArrayList<String>();
        String[] lines = readText(file).split("\n");
        for (int i = lines.length > 0 && lines[0].strip().startsWith("#") ? 1 : 0; i < lines.length; i++) {
            String[] parts = lines[i].strip().split("\\s+");
            if (parts.length == 2) {
                list.add(parts[0] + " " + parts[1]);
            }
        }
        merges = list;
    }

    /** Finds out of the post-processor which special tokens are added to a text. */
    private final class PostProcessor {

        private final Map<String, Object> config;
        private final boolean configured;
        private String bos;
        private String cls;
        private String eos;
        private String sep;

        PostProcessor(JsonObject config, boolean configured) {
            this.config = config.values();
            this.configured = configured;
        }

        void read(JsonObject postProcessor) {
            bos = value("bos_token");
            cls = value("cls_token");
            eos = value("eos_token");
            sep = value("sep_token");
            if (bos == null && cls != null && configured) {
                config.put("bos_token", config.get("cls_token"));
                bos = cls;
            }
            if (eos == null && sep != null && configured) {
                config.put("eos_token", config.get("sep_token"));
                eos = sep;
            }
            List<JsonObject> processors = postProcessor.has("processors") ? parts(postProcessor, "processors") : List.of(postProcessor);
            for (JsonObject processor : processors) {
                switch (String.valueOf(processor.get("type"))) {
                    case "RobertaProcessing" -> roberta(processor);
                    case "TemplateProcessing" -> template(parts(processor, "single"), parts(processor, "pair"));
                    default -> { }
                }
            }
        }

        private String value(String key) {
            String text = text(config.get(key));
            return text == null || text.isEmpty() ? null : text;
        }

        private void roberta(JsonObject processor) {
            added.put("bos", true);
            added.put("eos", true);
            added.put("sep", true);
            if (cls == null && configured) {
                cls = firstOf(processor.get("cls"), bos);
                config.put("cls_token", cls);
            }
            if (sep == null && configured) {
                sep = firstOf(processor.get("sep"), eos);
                config.put("sep_token", sep);
            }
        }

        private static String firstOf(Object list, String otherwise) {
            return list instanceof List<?> items && !items.isEmpty() && items.getFirst() instanceof String text ? text : otherwise;
        }

        private void template(List<JsonObject> single, List<JsonObject> pair) {
            String first = single.size() > 1 ? special(single.getFirst()) : null;
            String last = single.size() > 1 ? special(single.getLast()) : null;
            if (first != null) {
                leading(first);
            }
            if (last != null) {
                trailing(last);
            }
            int from = first != null && !pair.isEmpty() && first.equals(special(pair.getFirst())) ? 1 : 0;
            int to = last != null && !pair.isEmpty() && last.equals(special(pair.getLast())) ? pair.size() - 1 : pair.size();
            if (from < to) {
                separator(pair.subList(from, to), last);
            }
        }

        private void leading(String first) {
            if (!configured) {
                bos = first;
            } else if (!first.equals(bos) && !first.equals(cls)) {
                if (bos == null) {
                    bos = first;
                    config.put("bos_token", first);
                }
                if (cls == null) {
                    cls = first;
                    config.put("cls_token", first);
                }
            }
            added.put("bos", first.equals(bos) || first.equals(cls));
        }

        private void trailing(String last) {
            if (!configured) {
                eos = last;
            } else if (!last.equals(eos)) {
                for (String type : List.of("eot", "eom")) {
                    if (!types.contains(type)) {
                        types.add(type);
                        config.put(type + "_token", eos);
                        break;
                    }
                }
                eos = last;
                config.put("eos_token", last);
            }
            added.put("eos", last.equals(eos));
        }

        private void separator(List<JsonObject> pair, String last) {
            if (!"A".equals(pair.getFirst().objectOrEmpty("Sequence").get("id"))
                    || !"B".equals(pair.getLast().objectOrEmpty("Sequence").get("id")) || pair.size() < 3) {
                return;
            }
            List<JsonObject> middle = pair.subList(1, pair.size() - 1);
            boolean add = separates(special(middle.getFirst())) && last == null;
            add |= middle.size() == 2 && separates(special(middle.get(1)));
            added.put("sep", add);
            if (add && sep == null && configured) {
                config.put("sep_token", eos);
            }
        }

        private boolean separates(String token) {
            return token != null && (token.equals(sep) || token.equals(eos));
        }

        private static String special(JsonObject entry) {
            return entry.objectOrEmpty("SpecialToken").get("id") instanceof String id && !id.isEmpty() ? id : null;
        }
    }
}
