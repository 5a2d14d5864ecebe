package ai.luciferai.llama;

import ai.luciferai.llama.convert.Conversion;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;

/** The verb {@code convert}: a Hugging Face or PyTorch model becomes a GGUF file, in Java alone. */
public final class Convert {

    private Convert() {}

    /**
     * Converts. The output appears when it is complete; cancelled or failed, nothing is left.
     *
     * @throws ai.luciferai.llama.core.InvalidFileException      when the input is damaged or incomplete
     * @throws ai.luciferai.llama.core.UnsupportedModelException when the architecture or tokenizer is not known
     * @throws ai.luciferai.llama.core.CancelledException        when asked to stop
     */
    public static ConvertReport run(ConvertOptions options, Progress progress, Cancel cancel) throws IOException {
        return new ConvertReport(options, Conversion.run(options.request(), progress, cancel));
    }

    /** The model classes that can be converted, by the name that config.json gives them. */
    public static java.util.List<String> architectures() {
        return Conversion.architectures();
    }
}
