package ai.luciferai.llama.train;

import ai.luciferai.llama.core.InvalidFileException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What a file of samples is, by its name. Tables and binary formats are refused: read as plain text they would be learnt comma by comma
 * without a word.
 */
enum DataFormat {
    JSON_LINES, TEXT;

    private static final Map<String, String> TABLES = Map.of(".csv", "a table of comma-separated values", ".tsv", "a table of tab-separated values",
            ".parquet", "a Parquet table", ".arrow", "an Arrow table", ".feather", "an Arrow table", ".xlsx", "a spreadsheet", ".xls", "a spreadsheet",
            ".ods", "a spreadsheet");

    /** Beginnings that no text has. */
    private static final Map<String, String> BINARY_MAGICS = Map.ofEntries(Map.entry("PK\u0003\u0004", "a zip archive"),
            Map.entry("\u001f\u008b", "a gzip archive"), Map.entry("(\u00b5/\u00fd", "a zstd archive"), Map.entry("\u0089PNG", "an image (PNG)"),
            Map.entry("\u00ff\u00d8\u00ff", "an image (JPEG)"), Map.entry("\u007fELF", "a program"), Map.entry("\u0080\u0002", "a Python pickle"),
            Map.entry("\u0080\u0004", "a Python pickle"), Map.entry("\u00d0\u00cf\u0011\u00e0", "a document of an old Office"));

    /** Beginnings that a text may have too: they count where something follows that no text has. */
    private static final Map<String, String> MAGICS = Map.of("PAR1", "a Parquet table", "ARROW1", "an Arrow table", "GGUF", "a GGUF file",
            "SQLite format 3", "an SQLite database", "GIF8", "an image (GIF)", "RIFF", "a picture or sound (RIFF)", "BZh", "a bzip2 archive",
            "OggS", "a sound (Ogg)", "ID3", "a sound (MP3)");

    private static final Pattern PDF = Pattern.compile("%PDF-\\d\\.\\d\\s*[\r\n].*", Pattern.DOTALL);

    private static final int HEAD = 24;

    /**
     * The format of a file.
     *
     * @param bytes its content
     * @throws InvalidFileException for a format that holds no samples as they are read here
     */
    static DataFormat of(Path path, byte[] bytes) {
        String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
        refuseBinary(path, bytes);
        TABLES.forEach((suffix, what) -> {
            if (name.endsWith(suffix)) {
                refuse(path, what);
            }
        });
        return isJsonLines(path) ? JSON_LINES : TEXT;
    }

    private static void refuseBinary(Path path, byte[] bytes) {
        String start = new String(bytes, 0, Math.min(bytes.length, HEAD), StandardCharsets.ISO_8859_1);
        BINARY_MAGICS.forEach((magic, what) -> {
            if (start.startsWith(magic)) {
                refuse(path, what);
            }
        });
        MAGICS.forEach((magic, what) -> {
            if (start.startsWith(magic) && start.chars().skip(magic.length()).anyMatch(DataFormat::isOfNoText)) {
                refuse(path, what);
            }
        });
        if (PDF.matcher(start).matches()) {
            refuse(path, "a PDF document");
        }
        int zero = 0;
        while (zero < bytes.length && bytes[zero] != 0) {
            zero++;
        }
        if (zero < bytes.length) {
            refuse(path, start.startsWith("\u00ff\u00fe") || start.startsWith("\u00fe\u00ff") ? "text in UTF-16, which iconv -f utf-16 -t utf-8 converts"
                    : "a binary file, or text in UTF-16 (byte " + zero + " is zero)");
        }
    }

    private static boolean isOfNoText(int b) {
        return b >= 0x7f || b < ' ' && b != '\t' && b != '\n' && b != '\r' && b != '\f';
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
