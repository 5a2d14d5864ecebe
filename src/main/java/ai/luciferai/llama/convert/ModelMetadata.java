package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.JsonObject;
import ai.luciferai.llama.hf.ModelCard;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who made a model, what it is called, what it came from: from its card, its configuration, its folder's name, and a file of overrides.
 * The first source that knows a value wins; overrides win over all.
 *
 * <p><i>Source</i>: gguf-py, metadata.py.
 */
final class ModelMetadata {

    private static final Pattern HUB_URL = Pattern.compile("https?://huggingface.co/([^/]+/[^/]+)");
    private static final List<String> PLAIN = List.of("name", "author", "version", "organization", "description", "finetune", "basename", "size_label");
    private static final List<String> SOURCES = List.of("url", "doi", "uuid", "repo_url");
    private static final List<String> ENTRY_KEYS =
            List.of("name", "author", "version", "organization", "description", "url", "doi", "uuid", "repo_url");
    /** Sampling settings: key, GGUF type. */
    private static final String[][] SAMPLING = {{"sequence", "str"}, {"top_k", "i32"}, {"top_p", "f32"}, {"min_p", "f32"},
        {"xtc_probability", "f32"}, {"xtc_threshold", "f32"}, {"temp", "f32"}, {"penalty_last_n", "i32"}, {"penalty_repeat", "f32"},
        {"mirostat", "i32"}, {"mirostat_tau", "f32"}, {"mirostat_eta", "f32"}};
    /** The texts in the order in which they are written. */
    private static final String[] BEFORE_LISTS = {"name", "author", "version", "organization", "finetune", "basename", "description",
        "quantized_by", "size_label", "license", "license.name", "license.link", "url", "doi", "uuid", "repo_url", "source.url", "source.doi",
        "source.uuid", "source.repo_url"};

    private final long parameters;
    /** Under the keys of GGUF without {@code general.} */
    private final Map<String, Object> values = new LinkedHashMap<>();
    /** Where settings of sampling come from, which are the only values that can be of the wrong kind. */
    private final Map<String, Path> files = new LinkedHashMap<>();
    private List<Map<String, Object>> baseModels;
    private List<Map<String, Object>> datasets;
    private List<Object> tags;
    private List<Object> languages;

    private ModelMetadata(long parameters) {
        this.parameters = parameters;
    }

    /**
     * Gathers what is known.
     *
     * @param folder     folder of the model
     * @param overrides  JSON with GGUF keys, or null
     * @param name       name given by the user, or null
     * @param parameters parameters of the model
     */
    static ModelMetadata gather(Path folder, Path overrides, String name, SizeLabel parameters) throws IOException {
        var metadata = new ModelMetadata(parameters.total());
        JsonObject card = ModelCard.read(folder);
        if (card == null) {
            System.getLogger(ModelMetadata.class.getName()).log(System.Logger.Level.WARNING,
                    "the model card of {0} cannot be read and is not used", folder);
        } else {
            metadata.takeCard(card);
        }
        JsonObject config = JsonObject.readIfPresent(folder.resolve("config.json"));
        if (config.get("_name_or_path") instanceof String path && path.chars().filter(c -> c == '/').count() <= 1) {
            metadata.takeId(path);
        }
        Path folderName = folder.toAbsolutePath().normalize().getFileName();
        metadata.takeId(folderName == null ? "" : folderName.toString());
        metadata.takeSampling(folder);
        if (overrides != null) {
            metadata.override(JsonObject.read(overrides));
        }
        if (name != null) {
            metadata.values.put("name", name);
        }
        if (metadata.values.get("name") == null) {
            metadata.values.put("name", String.valueOf(folderName));
        }
        if (metadata.values.get("size_label") == null && parameters.total() > 0) {
            metadata.values.put("size_label", parameters.text());
        }
        return metadata;
    }

    /** The name under which the model goes. */
    String name() {
        return String.valueOf(values.get("name"));
    }

    private void take(String key, Object value) {
        if (value != null) {
            values.putIfAbsent(key, value);
        }
    }

    private void takeCard(JsonObject card) {
        for (String prefix : List.of("", "model_")) {
            PLAIN.forEach(key -> take(key, card.get(prefix + key)));
            SOURCES.forEach(key -> take("source." + key, card.get(prefix + key)));
        }
        take("author", card.get("model_creator"));
        take("basename", card.get("model_type"));
        baseModels = entries(card, "base_model", "base_models", "base_model_sources");
        datasets = entries(card, "datasets", "dataset", "dataset_sources");
        take("license", card.get("license"));
        take("license.name", card.get("license_name"));
        take("license.link", card.get("license_link"));
        tags = joined(joined(null, card.get("tags")), card.get("pipeline_tag"));
        languages = joined(joined(null, card.get("languages")), card.get("language"));
    }

    private static List<Object> joined(List<Object> list, Object more) {
        if (more == null) {
            return list;
        }
        var all = list == null ? new ArrayList<>() : new ArrayList<>(list);
        if (more instanceof List<?> items) {
            all.addAll(items);
        } else if (more instanceof String) {
            all.add(more);
        }
        return all;
    }

    private List<Map<String, Object>> entries(JsonObject card, String... keys) {
        for (String key : keys) {
            if (card.values().containsKey(key)) {
                var list = new ArrayList<Map<String, Object>>();
                List<Object> ids = joined(null, card.get(key));
                for (Object id : ids == null ? List.of() : ids) {
                    list.add(entry(id));
                }
                return list;
            }
        }
        return null;
    }

    private Map<String, Object> entry(Object id) {
        var entry = new LinkedHashMap<String, Object>();
        if (id instanceof Map<?, ?> given) {
            given.forEach((key, value) -> entry.put(String.valueOf(key), value));
        } else if (id instanceof String text) {
            boolean url = text.startsWith("http://") || text.startsWith("https://") || text.startsWith("ssh://");
            Matcher hub = HUB_URL.matcher(text);
            if (url) {
                entry.put("repo_url", text);
            }
            if (!url || hub.matches()) {
                ModelId parts = ModelId.parse(url ? hub.group(1) : text, parameters);
                entry.put("name", ModelId.title(parts.name()));
                if (parts.organization() != null) {
                    entry.put("organization", ModelId.title(parts.organization()));
                }
                if (parts.version() != null) {
                    entry.put("version", parts.version());
                }
                if (!url && parts.organization() != null) {
                    entry.put("repo_url", "https://huggingface.co/" + parts.organization() + "/" + parts.name());
                }
            }
        }
        return entry;
    }

    private void takeId(String id) {
        ModelId parts = ModelId.parse(id, parameters);
        take("name", parts.name() == null ? null : ModelId.title(parts.name()));
        take("organization", parts.organization() == null ? null : ModelId.title(parts.organization()));
        take("basename", parts.basename());
        take("finetune", parts.finetune());
        take("version", parts.version());
        take("size_label", parts.sizeLabel());
    }

    private void takeSampling(Path folder) {
        JsonObject generation;
        try {
            generation = JsonObject.readIfPresent(folder.resolve("generation_config.json"));
        } catch (IOException | ai.luciferai.llama.core.InvalidFileException broken) {
            return; // as the reference: not all models have a valid one
        }
        for (String[] setting : SAMPLING) {
            String key = setting[0];
            Object value = switch (key) {
                case "temp" -> generation.get("temperature");
                case "penalty_repeat" -> generation.values().containsKey(key) ? generation.get(key) : generation.get("repetition_penalty");
                default -> generation.get(key);
            };
            if (value != null) {
                values.put("sampling." + key, value);
                files.put("sampling." + key, generation.file());
            }
        }
    }

    private void override(JsonObject file) {
        file.values().forEach((key, value) -> {
            String plain = key.startsWith("general.") ? key.substring("general.".length()) : key;
            switch (plain) {
                case "base_models" -> baseModels = given(value);
                case "datasets" -> datasets = given(value);
                case "tags" -> tags = joined(null, value);
                case "languages" -> languages = joined(null, value);
                default -> {
                    values.put(plain, value);
                    files.put(plain, file.file());
                }
            }
        });
    }

    private List<Map<String, Object>> given(Object value) {
        return value instanceof List<?> list ? list.stream().map(this::entry).toList() : null;
    }

    /** Writes all of it in the order of the reference. */
    void write(KeyValues keys) {
        for (String[] setting : SAMPLING) {
            Object value = values.get("sampling." + setting[0]);
            if (value != null) {
                String key = "general.sampling." + setting[0];
                KeyValues its = keys.from(files.get("sampling." + setting[0]));
                switch (setting[1]) {
                    case "i32" -> its.i32(key, value);
                    case "f32" -> its.f32(key, value);
                    default -> its.string(key, value);
                }
            }
        }
        for (String key : BEFORE_LISTS) {
            Object value = values.get(key);
            if (value instanceof List<?> list) {
                value = String.join(",", list.stream().map(String::valueOf).toList());
            }
            if (value != null) {
                keys.string("general." + key, String.valueOf(value));
            }
        }
        writeEntries(keys, "general.base_model.", baseModels);
        writeEntries(keys, "general.dataset.", datasets);
        if (tags != null) {
            keys.list("general.tags", tags.stream().map(String::valueOf).toList());
        }
        if (languages != null) {
            keys.list("general.languages", languages.stream().map(String::valueOf).toList());
        }
    }

    private static void writeEntries(KeyValues keys, String prefix, List<Map<String, Object>> entries) {
        if (entries == null) {
            return;
        }
        keys.u32(prefix + "count", (long) entries.size());
        for (int i = 0; i < entries.size(); i++) {
            for (String key : ENTRY_KEYS) {
                Object value = entries.get(i).get(key);
                if (value != null) {
                    keys.string(prefix + i + "." + key, String.valueOf(value));
                }
            }
        }
    }
}
