package ai.luciferai.llama.train;

import ai.luciferai.llama.core.InvalidFileException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * What a file of samples is, by its name. Tables and binary formats are refused: read as plain text they would be learnt comma by comma
 * without a word.
 */
enum DataFormat {
    JSON_LINES, TEXT;

    private static final Map<String, String> TABLES = Map.of(".csv", "a table of comma-separated values", ".tsv", "a table of tab-separated values",
            ".parquet", "a Parquet table", ".arrow", "an Arrow table", ".feather", "an Arrow table", ".xlsx", "a spreadsheet", ".xls", "a spreadsheet",
            ".ods", "a spreadsheet");

    private static final Map<String, String> MAGICS = Map.of("PAR1", "a Parquet table", "ARROW1", "an Arrow table", "PK\u0003\u0004", "a zip archive",
            "\u001f\u008b", "a gzip archive", "(\u00b5/\u00fd", "a zstd archive", "GGUF", "a GGUF file", "%PDF", "a PDF document");

    private static final int LONGEST_MAGIC = 6;

    /**
     * The format of a file.
     *
     * @param bytes its content
     * @throws InvalidFileException for a format that holds no samples as they are read here
     */
    static DataFormat of(Path path, byte[] bytes) {
        String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
        String start = new String(bytes, 0, Math.min(bytes.length, LONGEST_MAGIC), StandardCharsets.ISO_8859_1);
        MAGICS.forEach((magic, what) -> {
            if (start.startsWith(magic)) {
                refuse(path, what);
            }
        });
        TABLES.forEach((suffix, what) -> {
            if (name.endsWith(suffix)) {
                refuse(path, what);
            }
        });
        return isJsonLines(path) ? JSON_LINES : TEXT;
    }

    /** Whether the name is that of JSON lines. */
    static boolean isJsonLines(Path path) {
        String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
        return name.endsWith(".jsonl") || name.endsWith(".json");
    }

    private static void refuse(Path path, String what) {
        throw new InvalidFileException(path, "samples", "JSON lines (.jsonl) or plain text", what,
                "write a line {\"prompt\": …, \"completion\": …} for each row", null);
    }
}
