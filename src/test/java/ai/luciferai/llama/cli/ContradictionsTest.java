package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is asked for acts or is refused, before anything is read: words that contradict each other, or that nothing of the others uses. */
class ContradictionsTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            quantize x.gguf --types Q8_0 --dry-run              | option --dry-run: expected one TYPE, got --types
            quantize x.gguf --types Q8_0 --for-ram 1G           | option --for-ram: expected no --types beside it
            quantize x.gguf --info --target-size 1G             | option --target-size: expected no --info beside it
            quantize x.gguf Q4_K_M --for-ram 1G                 | option --for-ram: expected no TYPE beside it, got 'Q4_K_M'
            quantize x.gguf o.gguf --for-ram 1G --out-dir .     | option --out-dir: expected no OUT beside it, got 'o.gguf'
            quantize x.gguf o.gguf Q8_0 --out-dir .             | option --out-dir: expected no OUT beside it, got 'o.gguf'
            quantize x.gguf Q8_0 --out-dir no/where             | option --out-dir: expected an existing folder, got 'no/where'
            quantize x.gguf Q8_0 o.gguf                         | THREADS: expected a whole number, got 'o.gguf'
            quantize x.gguf o.gguf Q8_0 many                    | THREADS: expected a whole number, got 'many'
            quantize x.gguf o.gguf Q8_0 3 -t 2                  | quantize: expected IN [OUT] TYPE [THREADS], got THREADS beside -t
            quantize x.gguf Q8_0 3 4                            | quantize: expected IN [OUT] TYPE [THREADS], got '4'
            imatrix x.gguf -m y.gguf -f t.txt                   | MODEL: expected one model, got one and -m
            info x.gguf -m y.gguf                               | MODEL: expected one GGUF file, got one and -m
            evaluate x.gguf --exact-match d.jsonl --chunks 3    | option --chunks: expected -f FILE beside it, got none
            evaluate x.gguf -f t.txt -n 3                       | option -n: expected --prompts or --exact-match beside it, got neither
            tokenize -p x --ids --json                          | option --json: expected no --ids beside it
            embed -p x --json --array                           | option --array: expected no --json beside it
            embed -p x --no-normalize --embd-normalize 2        | option --embd-normalize: expected no --no-normalize beside it
            embed -p x --stdin                                  | option --stdin: expected one text, got this beside -p
            finetune -m x -f y --lora-out z --json --json-steps | option --json-steps: expected no --json beside it
            bench -lm mmap --mlock                              | option -lm: expected none of --mmap and --mlock beside it
            bench --rope-scale 2 --rope-freq-scale 0.5          | option --rope-scale: expected no --rope-freq-scale beside it
            generate -p x --samplers top_k --sampler-seq k      | option --sampler-seq: expected no --samplers beside it
            """)
    void areRefusedByTheirNames(String words, String message) {
        CliRun run = CliRun.of(words.split(" "));
        assertEquals(ExitCode.USAGE, run.code(), run.err());
        assertTrue(run.err().startsWith("error: " + message), run.err());
        assertEquals("", run.out());
    }

    /** A file that is written anew says of itself what it says; its types are changed by quantize. */
    @ParameterizedTest
    @CsvSource({"--outtype f16", "--model-name X", "--chat-template chatml", "--metadata m.json", "--pre gpt-2", "--base .", "--vocab-only"})
    void convertRefusesWhatDoesNotActOnAGgufFile(String words, @TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("old.gguf"), "GGUF and what follows");
        CliRun run = CliRun.of(("convert " + file + " " + words).split(" "));
        assertEquals(ExitCode.USAGE, run.code(), run.err());
        assertTrue(run.err().startsWith("error: option " + words.split(" ")[0] + ": expected "), run.err());
    }

    @Test
    void convertKnowsItsInputsByTheirKind(@TempDir Path folder) throws IOException {
        Path text = Files.writeString(folder.resolve("notes.txt"), "notes");
        CliRun run = CliRun.of("convert", text.toString());
        assertEquals(ExitCode.INPUT_FILE, run.code());
        assertTrue(run.err().startsWith("error: " + text + ": input: expected a folder with config.json and weights, or a weight file"), run.err());
    }
}
