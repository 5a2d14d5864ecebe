package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What llama-imatrix and llama-perplexity found, see {@code src/test/fixtures/quality/make_goldens.sh}. On a CPU like the one that ran
 * them every digit is wanted; other CPUs add up in another order, and the values have to be close.
 */
final class QualityGoldens {

    static final Path FOLDER = Path.of("src/test/fixtures/quality");
    static final Path TEXT = FOLDER.resolve("commands.txt");

    private static final Pattern FEATURE =
            Pattern.compile("\\b(avx|avx2|fma|f16c|bmi2|avx512[a-z0-9_]*|avx_vnni|amx_[a-z0-9]*)\\b");
    private static final Pattern NUMBER = Pattern.compile("-?\\d+\\.\\d+");
    /** Of a value on another CPU: far above what the order of additions does, far below what a mistake would. */
    private static final double TOLERANCE = 2e-3;

    private QualityGoldens() {}

    static boolean sameCpu() throws IOException {
        Path cpus = Path.of("/proc/cpuinfo");
        return Files.isReadable(cpus) && features(Files.readString(cpus)).equals(features(Files.readString(FOLDER.resolve("cpu.txt"))));
    }

    private static Set<String> features(String text) {
        var features = new TreeSet<String>();
        FEATURE.matcher(text).results().forEach(r -> features.add(r.group()));
        return features;
    }

    /** The numbers of a golden, as printed, without those in the names of the lines. */
    static List<String> numbers(String golden) throws IOException {
        var numbers = new ArrayList<String>();
        for (String line : Files.readAllLines(FOLDER.resolve(golden))) {
            if (!line.startsWith("#")) {
                NUMBER.matcher(line.substring(Math.max(line.lastIndexOf(':'), line.indexOf('=')) + 1)).results()
                        .forEach(r -> numbers.add(r.group()));
            }
        }
        return numbers;
    }

    static void assertSame(List<String> golden, List<String> ours) throws IOException {
        if (sameCpu()) {
            assertEquals(golden, ours);
            return;
        }
        assertEquals(golden.size(), ours.size());
        for (int i = 0; i < golden.size(); i++) {
            double expected = Double.parseDouble(golden.get(i));
            assertEquals(expected, Double.parseDouble(ours.get(i)), Math.max(0.05, TOLERANCE * Math.abs(expected)), "number " + i);
        }
    }

    static void assertSame(float[] golden, float[] ours, String what) {
        assertEquals(golden.length, ours.length, what);
        for (int i = 0; i < golden.length; i++) {
            assertEquals(golden[i], ours[i], Math.max(1e-6, TOLERANCE * Math.abs(golden[i])), what + "[" + i + "]");
        }
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
