package ai.luciferai.llama.convert;

import ai.luciferai.llama.gguf.GgufArray;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;

/**
 * The vocabulary of GPT-NeoX 20B, which the first Mamba checkpoints use and do not ship. Only its merges are kept
 * (gpt-neox-merges.txt.gz); all else of it follows from them: two special tokens, the bytes that UTF-8 can have, what the merges make in
 * turn, and runs of blanks.
 *
 * <p><i>Source</i>: llama.cpp v0.5.0 (MIT), models/ggml-vocab-gpt-neox.gguf; a test holds the result to it.
 */
final class NeoxVocabulary {

    private static final int SIZE = 50432;
    private static final int LONGEST_RUN = 24;

    private NeoxVocabulary() {}

    /** Writes the first tokens of it, as many as the model has. */
    static void write(KeyValues keys, long size) {
        List<String> merges = merges();
        TokenTable table = tokens(merges, (int) Math.min(size, SIZE));
        keys.string("tokenizer.ggml.model", "gpt2");
        keys.string("tokenizer.ggml.pre", "mpt");
        table.write(keys, false);
        keys.array("tokenizer.ggml.merges", GgufArray.ofStrings(merges));
        for (String special : List.of("bos", "eos", "unknown")) {
            keys.u32("tokenizer.ggml." + special + "_token_id", 0L);
        }
    }

    private static List<String> merges() {
        try (var in = new GZIPInputStream(NeoxVocabulary.class.getResourceAsStream("gpt-neox-merges.txt.gz"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException broken) {
            throw new IllegalStateException("resource gpt-neox-merges.txt.gz", broken);
        }
    }

    private static TokenTable tokens(List<String> merges, int size) {
        var normal = new LinkedHashSet<>(IntStream.range(0, 256).filter(b -> b < 0xF5 && b != 0xC0 && b != 0xC1)
                .mapToObj(b -> ByteLevel.encode(new byte[] {(byte) b})).sorted().toList());
        merges.forEach(merge -> normal.add(merge.replaceFirst(" ", "")));
        var table = new TokenTable();
        table.add("<|endoftext|>", 0, TokenTable.CONTROL);
        table.add("<|padding|>", 0, TokenTable.CONTROL);
        normal.forEach(text -> table.add(text, 0, TokenTable.NORMAL));
        for (int blanks = LONGEST_RUN; blanks > 1; blanks--) {
            table.add(" ".repeat(blanks), 0, TokenTable.USER_DEFINED);
        }
        while (table.size() < SIZE) {
            table.add("[PAD" + table.size() + "]", 0, TokenTable.USER_DEFINED);
        }
        while (table.size() > size) {
            table.removeLast();
        }
        return table;
    }
}
