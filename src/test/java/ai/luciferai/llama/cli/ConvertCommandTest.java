package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.ConvertOptions;
import ai.luciferai.llama.ConvertType;
import ai.luciferai.llama.core.InvalidOptionException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Words of {@code convert} become its options. */
class ConvertCommandTest {

    private static ConvertOptions options(String... words) {
        return ConvertCommand.options(new ConvertCommand().syntax().parse(words, 0));
    }

    @Test
    void takesTheGuidesCommand() {
        ConvertOptions options = options("model", "--outfile", "model.gguf", "--outtype", "bf16", "--chat-template", "chatml");
        assertEquals(Path.of("model"), options.input());
        assertEquals(Optional.of(Path.of("model.gguf")), options.outfile());
        assertEquals(ConvertType.BF16, options.type());
        assertEquals(Optional.of("chatml"), options.details().chatTemplate());
    }

    @Test
    void defaultsToF16InTheModelsFolder() {
        ConvertOptions options = options("model");
        assertEquals(ConvertType.F16, options.type());
        assertEquals(Optional.empty(), options.outfile());
        assertEquals(ConvertType.AUTO, options("model", "--outtype", "q4_k_m").type());
    }

    @Test
    void countsSplitSizesInPowersOfThousand() {
        assertEquals(2_000_000_000L, options("model", "--split-max-size", "2G").splitMaxSize());
        assertEquals(300_000_000L, options("model", "--split-max-size", "300M").splitMaxSize());
        assertEquals(77, options("model", "--split-max-size", "77").splitMaxSize());
        assertThrows(InvalidOptionException.class, () -> options("model", "--split-max-size", "much"));
    }

    @Test
    void namesAnUnknownType() {
        String message = assertThrows(InvalidOptionException.class, () -> options("model", "--outtype", "f17")).getMessage();
        assertTrue(message.contains("--outtype") && message.contains("bf16") && message.contains("Q4_K_M") && message.contains("f17"), message);
    }

    @Test
    void saysOnRequestWhatItWasAndWhatItTook(@TempDir Path folder) {
        String[] words = {"convert", "src/test/fixtures/convert/qwen2-bpe", "--outfile", folder.resolve("out.gguf").toString(), "--force"};
        assertFalse(CliRun.of(words).err().contains("tensors"));
        CliRun run = CliRun.of(Stream.concat(Stream.of(words), Stream.of("-v")).toArray(String[]::new));
        assertTrue(run.err().matches("(?s).*\\(qwen2\\): \\d+ tensors, [0-9.]+ M parameters, matrices as f16; .* read, .* written in .* s\\s+"), run.err());
    }
}
