package ai.luciferai.llama;

import ai.luciferai.llama.convert.Conversion;
import ai.luciferai.llama.convert.Converter;
import ai.luciferai.llama.convert.OutputType;
import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What to convert and how.
 *
 * @param input        folder of the model or adapter, or one of its weight files, or an old GGML or GGUF file
 * @param outfile      file to write; a folder: a name made of the model's; empty: that name, in the input's folder
 * @param type         type of the matrices
 * @param details      what the output says about the model beyond what its files say
 * @param vocabOnly    whether only keys and tokenizer are written
 * @param splitMaxSize most bytes of tensor data in one file; 0: one file
 * @param dryRun       whether everything is checked and nothing written
 * @param force        whether existing files may be replaced
 */
public record ConvertOptions(Path input, Optional<Path> outfile, ConvertType type, Details details, boolean vocabOnly, long splitMaxSize,
        boolean dryRun, boolean force) {

    public ConvertOptions {
        Check.present("input", input);
        Check.present("outtype", type);
        Check.present("details", details);
        Check.atLeast("split-max-size", splitMaxSize, 0);
    }

    /**
     * What wins over the files of the model. All may be empty.
     *
     * @param modelName    name of the model
     * @param chatTemplate name of a well-known chat template ({@code chatml}), or a file with one in Jinja
     * @param metadata     JSON file with GGUF keys under {@code general.}
     * @param preTokenizer llama.cpp's name of the pre-tokenizer, where it is not recognised
     * @param base         folder with the configuration of an adapter's base model, where the adapter does not name one
     */
    public record Details(Optional<String> modelName, Optional<String> chatTemplate, Optional<Path> metadata, Optional<String> preTokenizer,
            Optional<Path> base) {

        /** Nothing. */
        public static Details none() {
            return new Details(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
        }
    }

    /** F16, for adapters F32, and of GGUF and GGML files what they have; into the folder of the model. */
    public static ConvertOptions of(Path input) {
        ConvertType type;
        try {
            type = switch (Conversion.kind(input)) {
                case MODEL -> ConvertType.F16;
                case ADAPTER -> ConvertType.F32;
                case GGUF, GGML -> ConvertType.AUTO;
            };
        } catch (IOException | InvalidFileException e) {
            type = ConvertType.F16; // the conversion itself will say what is wrong
        }
        return new ConvertOptions(input, Optional.empty(), type, Details.none(), false, 0, false, false);
    }

    public ConvertOptions withOutfile(Path v) {
        return new ConvertOptions(input, Optional.of(v), type, details, vocabOnly, splitMaxSize, dryRun, force);
    }

    public ConvertOptions withType(ConvertType v) {
        return new ConvertOptions(input, outfile, v, details, vocabOnly, splitMaxSize, dryRun, force);
    }

    public ConvertOptions withDetails(Details v) {
        return new ConvertOptions(input, outfile, type, v, vocabOnly, splitMaxSize, dryRun, force);
    }

    public ConvertOptions withVocabOnly(boolean v) {
        return new ConvertOptions(input, outfile, type, details, v, splitMaxSize, dryRun, force);
    }

    public ConvertOptions withSplitMaxSize(long v) {
        return new ConvertOptions(input, outfile, type, details, vocabOnly, v, dryRun, force);
    }

    public ConvertOptions withDryRun(boolean v) {
        return new ConvertOptions(input, outfile, type, details, vocabOnly, splitMaxSize, v, force);
    }

    public ConvertOptions withForce(boolean v) {
        return new ConvertOptions(input, outfile, type, details, vocabOnly, splitMaxSize, dryRun, v);
    }

    Converter.Request request() {
        return new Converter.Request(input, outfile.orElse(null), OutputType.valueOf(type.name()), details.chatTemplate.orElse(null),
                details.modelName.orElse(null), details.metadata.orElse(null), details.preTokenizer.orElse(null), details.base.orElse(null),
                vocabOnly, splitMaxSize, dryRun, force);
    }
}
