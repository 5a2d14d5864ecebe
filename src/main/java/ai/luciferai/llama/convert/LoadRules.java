package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Enumeration;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.TensorInfo;
import ai.luciferai.llama.hf.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * What llama.cpp's loader asks of a model, asked before it is written: each key and tensor that it requires, in the shape that the keys
 * give it, and none that it has no place for. The rules are its own statements, per architecture, in load-rules.txt.
 *
 * <p>Where the rules use what is not known here, both branches of a condition count and nothing in them is required: what is refused
 * here llama.cpp refuses too.
 *
 * <p><i>Source</i>: llama.cpp v0.5.0, src/models/*.cpp, llama-model.cpp {@code load_hparams}, llama-model-loader.cpp.
 */
final class LoadRules {

    private static final int NOT_REQUIRED = 1;
    private static final int ROPE_LONG = 3;
    private static final Map<String, Integer> ROPE_TYPES = Map.of("none", 0, "linear", 1, "yarn", 2, "longrope", ROPE_LONG);

    private final Path folder;
    private final Metadata metadata;
    private final LoadHparams hparams;
    private final UnaryOperator<String> original;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Set<String> placed = new HashSet<>();
    private final List<String> missing = new ArrayList<>();
    /** By the statement that asks for them: tensors that a layer lacks and need not have, and whether another layer has its own. */
    private final Map<Object, List<String>> gaps = new IdentityHashMap<>();
    private final Set<Object> somewhere = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<String, List<?>> functions = new HashMap<>();
    private Map<String, Long> variables = new HashMap<>();
    /** How many conditions around the current statement are not known. */
    private int unknown;
    private boolean complete = true;

    private LoadRules(Path folder, Metadata metadata, List<TensorInfo> planned, UnaryOperator<String> original) {
        this.original = original;
        this.folder = folder;
        this.metadata = metadata;
        this.hparams = new LoadHparams(metadata);
        planned.forEach(tensor -> tensors.put(tensor.name(), tensor));
    }

    /**
     * Checks a model that is to be written.
     *
     * @param folder   where it comes from
     * @param original what a tensor of GGUF is called in the checkpoint, or null
     */
    static void check(Path folder, Metadata metadata, List<TensorInfo> tensors, UnaryOperator<String> original) {
        List<?> parts = rules(metadata.string(Metadata.ARCHITECTURE));
        if (parts != null) {
            new LoadRules(folder, metadata, tensors, original).run(parts);
        }
    }

    /** A line of the table, parsed; null where there is none. Only one line is needed, and parsing all would take longer than converting. */
    private static List<?> rules(String name) {
        try (var in = LoadRules.class.getResourceAsStream("load-rules.txt")) {
            String line = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().filter(l -> l.startsWith(name + " ")).findFirst().orElse(null);
            return line == null ? null : (List<?>) JsonObject.parse(Path.of("load-rules.txt"),
                    new ByteArrayInputStream(line.substring(name.length()).getBytes(StandardCharsets.UTF_8)));
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private void run(List<?> parts) {
        statements((List<?>) rules("defaults"));
        variables.putAll(hparams.common());
        metadataRopeType();
        statements((List<?>) parts.get(0));
        variables.putAll(hparams.locals(variables));
        statements((List<?>) parts.get(1));
        report();
    }

    private void metadataRopeType() {
        String type = metadata.string(hparams.key(".rope.scaling.type"), "linear");
        Integer number = ROPE_TYPES.get(type);
        variables.put("hparams.rope_scaling_type_train", number == null ? null : (Long) (long) number);
    }

    private void report() {
        if (!missing.isEmpty()) {
            throw new InvalidFileException(folder, "weights", "all tensors of " + hparams.architecture() + " with " + hparams.layers() + " layers",
                    "no " + some(missing.stream().distinct().map(this::withOriginal).toList()), "a file of the model is missing, or config.json is of another model");
        }
        gaps.keySet().retainAll(somewhere);
        if (!gaps.isEmpty()) {
            List<String> gap = gaps.values().stream().flatMap(List::stream).sorted().toList();
            throw new InvalidFileException(folder, "weights", "a tensor of each layer or of none", "no " + some(gap.stream().map(this::withOriginal).toList())
                    + ", which other layers have", "a file of the model is missing, or config.json is of another model");
        }
        List<String> extra = tensors.keySet().stream().filter(name -> !placed.contains(name)).toList();
        if (complete && !extra.isEmpty()) {
            throw new UnsupportedModelException(folder, "weights", "the tensors that llama.cpp knows of " + hparams.architecture(),
                    "beside them " + some(extra), "config.json is of another model, or the model has parts that llama.cpp cannot run");
        }
    }

    private String withOriginal(String name) {
        String known = original.apply(name);
        return known == null ? name : name + " (" + known + ")";
    }

    private static String some(List<String> names) {
        return Enumeration.of(names, 6);
    }

    private void statements(List<?> statements) {
        for (Object one : statements) {
            List<?> statement = (List<?>) one;
            switch ((String) statement.getFirst()) {
                case "=" -> variables.put(text(statement, 1), unknown > 0 ? null : value(text(statement, 2)));
                case "?" -> condition(value(text(statement, 1)), (List<?>) statement.get(2), (List<?>) statement.get(3));
                case "for" -> loop(statement);
                case "key" -> key(text(statement, 1), text(statement, 2), Long.valueOf(1).equals(statement.get(3)));
                case "t" -> tensor(statement);
                case "assert" -> require(text(statement, 1));
                case "call" -> call(text(statement, 1), (List<?>) statement.get(2));
                default -> throw new IllegalStateException("load-rules.txt: " + statement);
            }
        }
    }

    private static String text(List<?> statement, int i) {
        return (String) statement.get(i);
    }

    private void condition(Long value, List<?> then, List<?> otherwise) {
        if (value != null) {
            statements(value != 0 ? then : otherwise);
            return;
        }
        unknown++;
        statements(then);
        statements(otherwise);
        unknown--;
    }

    private void loop(List<?> statement) {
        Long from = value(text(statement, 2));
        Long below = value(text(statement, 3));
        if (from == null || below == null) {
            complete = false;
            return;
        }
        for (long i = from; i < below; i++) {
            variables.put(text(statement, 1), i);
            statements((List<?>) statement.get(4));
        }
    }

    private void call(String function, List<?> arguments) {
        List<?> definition = functions.computeIfAbsent(function, LoadRules::rules);
        List<?> parameters = (List<?>) definition.get(0);
        var inner = new HashMap<>(variables);
        for (int i = 0; i < parameters.size(); i++) {
            inner.put((String) parameters.get(i), value((String) arguments.get(i)));
        }
        Map<String, Long> outer = variables;
        variables = inner;
        statements((List<?>) definition.get(1));
        variables = outer;
    }

    private void key(String variable, String name, boolean required) {
        String key = hparams.key(name);
        if (unknown > 0) {
            variables.put(variable, null);
        } else if (metadata.has(key)) {
            variables.put(variable, LoadHparams.number(metadata.get(key).value()));
        } else if (required) {
            throw metadata.wrong(key, "a value, without which llama.cpp does not load the model", "none in config.json");
        }
    }

    private void require(String condition) {
        Long holds = value(condition);
        if (unknown == 0 && holds != null && holds == 0) {
            throw new UnsupportedModelException(folder, "sizes in config.json", condition.equals("0") ? "those of a model that llama.cpp can run" : condition,
                    "others");
        }
    }

    private void tensor(List<?> statement) {
        String pattern = text(statement, 2);
        Long block = text(statement, 3).isEmpty() ? null : value(text(statement, 3));
        String name = block == null ? pattern : pattern.replace("{}", block.toString());
        Long flags = value(text(statement, 5));
        TensorInfo tensor = tensors.get(name);
        variables.put(text(statement, 1), tensor == null ? 0L : 1L);
        boolean required = unknown == 0 && flags != null && (flags & NOT_REQUIRED) == 0;
        if (tensor == null && required) {
            missing.add(name);
        } else if (tensor != null) {
            placed.add(name);
            if (unknown == 0) {
                requireShape(tensor, (List<?>) statement.get(4));
            }
        }
        if (block != null && unknown == 0 && (pattern.endsWith(".bias") || pattern.endsWith("_norm.weight"))) {
            if (tensor == null) {
                gaps.computeIfAbsent(statement, s -> new ArrayList<>()).add(name);
            } else {
                somewhere.add(statement);
            }
        }
    }

    private void requireShape(TensorInfo tensor, List<?> sizes) {
        var expected = new ArrayList<String>();
        boolean fits = true;
        for (int d = 0; d < TensorInfo.MAX_DIMENSIONS; d++) {
            Long size = d < sizes.size() ? value((String) sizes.get(d)) : Long.valueOf(1);
            fits &= size == null || size == tensor.ne(d);
            if (d < sizes.size()) {
                expected.add(size == null ? "?" : size.toString());
            }
        }
        if (!fits) {
            throw new InvalidFileException(folder, "tensor '" + tensor.name() + "', shape", "[" + String.join(", ", expected) + "] with the sizes in config.json",
                    tensor.shapeText(), "config.json is of another model, or a size in it was changed");
        }
    }

    private Long value(String expression) {
        return LoadExpression.evaluate(expression, new LoadExpression.Scope() {
            @Override
            public Long variable(String name) {
                return variables.get(name);
            }

            @Override
            public Long call(String name, List<Long> arguments) {
                return hparams.call(name, arguments, variables);
            }

            @Override
            public Long quoted(String text) {
                String name = text.replace("{n_layer}", String.valueOf(variables.get("n_layer")));
                boolean has = name.startsWith(".") ? metadata.has(hparams.key(name)) : tensors.containsKey(name);
                return has ? 1L : 0L;
            }
        });
    }
}
