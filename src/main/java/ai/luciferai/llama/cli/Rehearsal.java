package ai.luciferai.llama.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What the start-up cache of {@code convert} is made from: a small checkpoint is converted. Run by the launcher, for nobody to see. */
final class Rehearsal {

    /** Small, so that the cache gets the classes and no profile of their loops: with one made of other data, a conversion can take twice as long. */
    private static final int ROWS = 64;
    private static final int COLUMNS = 64;

    private Rehearsal() {}

    public static void main(String[] args) throws IOException {
        Locale.setDefault(Locale.ROOT);
        Environment environment = Environment.ofProcess();
        Path folder = Files.createTempDirectory("lucifer-llama");
        try {
            writeCheckpoint(folder);
            Main.run(new String[] {"convert", folder.toString(), "--outfile", folder.resolve("out.gguf").toString(), "--outtype", "f16"}, environment);
        } finally {
            try (var files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
        System.exit(ExitCode.OK);
    }

    /** A Llama of one matrix, in BF16, with a tokenizer of two pieces. */
    private static void writeCheckpoint(Path folder) throws IOException {
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": %d, "intermediate_size": 8, "num_hidden_layers": 1,
                 "num_attention_heads": 16, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "vocab_size": %d}""".formatted(COLUMNS, ROWS));
        byte[] pieces = {10, 14, 10, 5, '<', 'u', 'n', 'k', '>', 21, 0, 0, 0, 0, 24, 2, 10, 8, 10, 1, 'a', 21, 0, 0, 0, 0};
        Files.write(folder.resolve("tokenizer.model"), pieces);
        int bytes = 2 * ROWS * COLUMNS;
        byte[] header = "{\"model.embed_tokens.weight\":{\"dtype\":\"BF16\",\"shape\":[%d,%d],\"data_offsets\":[0,%d]}}".formatted(ROWS, COLUMNS, bytes)
                .getBytes(StandardCharsets.US_ASCII);
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).put(header);
        for (int i = 0; i < ROWS * COLUMNS; i++) {
            int small = i % 97 == 0 ? 0x3000 : 0x3C00 + i % 251; // weights around 0.01, a few of them tiny, as in real ones
            file.putShort((short) (small | i << 15));
        }
        Files.write(folder.resolve("model.safetensors"), file.array());
    }
}
