package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A {@code *.tiktoken} vocabulary as Qwen 1 ships it: lines of a token in base64 and its rank. It has no merges; they follow from the
 * ranks, since a token's last merge joins the two parts that all lower ranks leave of it.
 *
 * <p>The special tokens stand in the model's own Python code, which is not run: they are Qwen's, behind the ranks.
 *
 * <p><i>Source</i>: llama.cpp, conversion/qwen.py {@code QwenModel.bpe}; the names of the special tokens: Qwen-7B.
 */
final class Tiktoken {

    private static final int EXTRA_TOKENS = 205;
    /** Longest token that is taken apart: the work grows with its square, and real tokens have at most some 128 bytes. */
    private static final int LONGEST = 1024;

    private final Path file;
    private final Map<String, Integer> ranks = new LinkedHashMap<>();

    private Tiktoken(Path file) {
        this.file = file;
    }

    /** The tokenizer.json that the file amounts to. */
    static JsonObject read(Path file, String split) throws IOException {
        var vocabulary = new Tiktoken(file);
        int number = 0;
        for (String line : SpecialTokens.readText(file).split("\n")) {
            number++;
            if (!line.isBlank()) {
                vocabulary.add(line.strip(), number);
            }
        }
        return new JsonObject(file, SlowTokenizer.byteLevel(new LinkedHashMap<>(vocabulary.vocabulary()), vocabulary.merges(), split,
                vocabulary.specialTokens()));
    }

    private void add(String line, int number) {
        String[] parts = line.split(" ");
        try {
            int rank = Integer.parseInt(parts[1]);
            byte[] token = Base64.getDecoder().decode(parts[0]);
            if (parts.length == 2 && rank >= 0 && token.length > 0 && token.length <= LONGEST
                    && ranks.putIfAbsent(ByteLevel.encode(token), rank) == null) {
                return;
            }
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException malformed) {
            // reported below, with all the other faults of a line
        }
        throw new InvalidFileException(file, "line " + number, "a new token in base64 and its rank",
                line.length() > 60 ? line.substring(0, 60) + "…" : line);
    }

    private Map<String, Object> vocabulary() {
        var vocabulary = new LinkedHashMap<String, Object>();
        ranks.forEach((token, rank) -> vocabulary.put(token, (long) rank));
        return vocabulary;
    }

    private List<Object> merges() {
        var merges = new ArrayList<Object>();
        ranks.forEach((token, rank) -> {
            if (token.length() > 1) {
                List<String> parts = parts(token, rank);
                if (parts.size() != 2) {
                    throw new InvalidFileException(file, "token of rank " + rank, "two tokens of lower rank that make it up",
                            parts.size() + " parts");
                }
                merges.add(parts.get(0) + " " + parts.get(1));
            }
        });
        return merges;
    }

    /** What is left of a token when only lower ranks are merged, the lowest first. */
    private List<String> parts(String token, int limit) {
        var parts = new ArrayList<String>();
        for (int i = 0; i < token.length(); i++) {
            parts.add(token.substring(i, i + 1));
        }
        while (true) {
            int best = limit;
            int place = -1;
            for (int i = 0; i + 1 < parts.size(); i++) {
                int rank = ranks.getOrDefault(parts.get(i) + parts.get(i + 1), Integer.MAX_VALUE);
                if (rank < best) {
                    best = rank;
                    place = i;
                }
            }
            if (place < 0) {
                return parts;
            }
            parts.set(place, parts.get(place) + parts.remove(place + 1));
        }
    }

    private List<Object> specialTokens() {
        var names = new ArrayList<>(List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>"));
        for (int i = 0; i < EXTRA_TOKENS; i++) {
            names.add("<|extra_" + i + "|>");
        }
        var tokens = new ArrayList<Object>();
        for (String name : names) {
            Map<String, Object> token = new HashMap<>();
            token.put("id", (long) ranks.size() + tokens.size());
            token.put("content", name);
            token.put("special", true);
            tokens.add(token);
        }
        return tokens;
    }
}
