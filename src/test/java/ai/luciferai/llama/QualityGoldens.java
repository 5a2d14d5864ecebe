package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Texts and models for the tests of quality, and the numbers that llama-perplexity prints about them on this machine. */
final class QualityGoldens {

    static final Path FOLDER = Path.of("src/test/fixtures/quality");
    static final Path TEXT = FOLDER.resolve("commands.txt");

    private static final Pattern RESULT = Pattern.compile("^Final|PPL\\(|KLD:|Δp|Same top p:");
    private static final Pattern NUMBER = Pattern.compile("-?\\d+\\.\\d+");

    /** A program's numbers by its options: it says the same each time. */
    private static final Map<List<String>, List<String>> KNOWN = new HashMap<>();

    private QualityGoldens() {}

    /** The numbers in llama-perplexity's results, as printed and in its order, without those in the names of the lines. */
    static List<String> perplexity(String... options) {
        // 43 numbers are those of a divergence, two those of a perplexity alone
        int whole = List.of(options).contains("--kl-divergence") ? 43 : 2;
        return KNOWN.computeIfAbsent(List.of(options), command -> Upstream.whole(() -> numbers(options), numbers -> numbers.size() == whole));
    }

    private static List<String> numbers(String... options) {
        return Upstream.perplexity(options).stream().map(line -> line.replaceFirst("^[0-9.]+ I ", ""))
                .filter(line -> !line.startsWith("chunk") && RESULT.matcher(line).find())
                .map(line -> line.substring(Math.max(line.lastIndexOf(':'), line.indexOf('=')) + 1))
                .flatMap(values -> NUMBER.matcher(values).results().map(r -> r.group())).toList();
    }

    /** A checkpoint of fixtures/convert as GGUF. */
    static Path converted(String name, Path folder) throws IOException {
        Path out = folder.resolve(name + ".gguf");
        if (!Files.exists(out)) {
            Convert.run(ConvertOptions.of(Path.of("src/test/fixtures/convert").resolve(name)).withOutfile(out), Progress.NONE, Cancel.NONE);
        }
        return out;
    }
}
