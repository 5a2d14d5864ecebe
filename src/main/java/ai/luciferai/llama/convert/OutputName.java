package ai.luciferai.llama.convert;

import ai.luciferai.llama.gguf.Metadata;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * The usual name of a GGUF file: {@code Base-7B-Chat-v2-Q8_0.gguf}.
 *
 * <p><i>Source</i>: gguf-py, utility.py {@code naming_convention}.
 */
final class OutputName {

    private OutputName() {}

    /** The file to write: as given, with {@code {ftype}} filled in; or in the given folder, under a name made of the model's. */
    static Path resolve(Converter.Request request, Path folder, Metadata keys, OutputType type) {
        Path output = request.output() == null ? folder : request.output();
        if (Files.isDirectory(output)) {
            return output.resolve(of(keys, type, request.vocabularyOnly()));
        }
        String name = output.getFileName().toString();
        for (String label : List.of("ftype", "outtype")) {
            name = name.replace("{" + label + "}", type.name().toLowerCase(Locale.ROOT))
                    .replace("{" + label.toUpperCase(Locale.ROOT) + "}", type.name());
        }
        return output.resolveSibling(name);
    }

    private static String of(Metadata keys, OutputType type, boolean vocabularyOnly) {
        String base = keys.string("general.basename", keys.string("general.name", "ggml-model"));
        var name = new StringBuilder(base.strip().replace(' ', '-').replace('/', '-'));
        if (!vocabularyOnly) {
            append(name, keys.string("general.size_label", ""));
        }
        append(name, keys.string("general.finetune", ""));
        append(name, keys.string("general.version", ""));
        append(name, vocabularyOnly ? "vocab" : type.name());
        append(name, keys.has("adapter.type") ? "LoRA" : "");
        // The parts come from the model's files: none of them may lead to another folder or be no name at all.
        String plain = name.toString().replaceAll("[/\\\\\\p{Cntrl}]", "-");
        return plain.substring(0, Math.min(plain.length(), 200)) + ".gguf";
    }

    private static void append(StringBuilder name, String part) {
        if (!part.isBlank()) {
            name.append('-').append(part.strip().replace(' ', '-'));
        }
    }
}
