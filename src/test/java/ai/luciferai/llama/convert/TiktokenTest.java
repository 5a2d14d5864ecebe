package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Qwen 1's vocabulary file has ranks and no merges. */
class TiktokenTest {

    @TempDir
    Path folder;

    private JsonObject read(String... lines) throws IOException {
        return Tiktoken.read(Files.writeString(folder.resolve("qwen.tiktoken"), String.join("\n", lines)), "\\p{L}+");
    }

    private static String line(String token, int rank) {
        return Base64.getEncoder().encodeToString(token.getBytes(StandardCharsets.UTF_8)) + " " + rank;
    }

    @Test
    void mergesFollowFromTheRanks() throws IOException {
        JsonObject model = read(line("a", 0), line("b", 1), line(" ", 2), line("ab", 3), line(" a", 4), line("abab", 5), line(" ab", 6))
                .requireObject("model");
        // " ab" is made of " " and "ab", because "ab" has the lower rank, though " a" is a token too.
        assertEquals(List.of("a b", "Ġ a", "ab ab", "Ġ ab"), model.list("merges"));
    }

    @Test
    void specialTokensStandBehindTheRanks() throws IOException {
        List<Object> added = read(line("a", 0)).list("added_tokens");
        assertEquals(208, added.size());
        assertTrue(added.getFirst().toString().contains("<|endoftext|>") && added.getFirst().toString().contains("id=1"), added.getFirst()::toString);
    }

    @Test
    void aFaultyLineIsNamed() {
        for (String faulty : List.of("YQ==", "YQ== x", "!!! 1", "YQ== -1", "YQ== 1 2", line("a", 7))) {
            String message = assertThrows(InvalidFileException.class, () -> read(line("a", 0), faulty)).getMessage();
            assertTrue(message.contains("line 2"), message);
        }
        assertTrue(assertThrows(InvalidFileException.class, () -> read(line("a", 0), line("abc", 1))).getMessage().contains("rank 1"));
    }
}
