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

    private static final String ROWS = "write a line {\"prompt\": …, \"completion\": …} for each row";
    private static final String TEXT_OF_IT = "write what shall be learnt of it as text, or as JSON lines";

    /** @param remedy what makes samples of it */
    private record Foreign(String what, String remedy) {}

    private static final Map<String, String> TABLES = Map.of(".csv", "a table of comma-separated values", ".tsv", "a table of tab-separated values",
            ".parquet", "a Parquet table", ".arrow", "an Arrow table", ".feather", "an Arrow table", ".xlsx", "a spreadsheet", ".xls", "a spreadsheet",
            ".ods", "a spreadsheet");

    /** Beginnings that no text has. */
    private static final Map<String, Foreign> BINARY_MAGICS = Map.ofEntries(Map.entry("PK\u0003\u0004", packed("zip", "unzip")),
            Map.entry("\u001f\u008b", packed("gzip", "gunzip")), Map.entry("(\u00b5/\u00fd", packed("zstd", "unzstd")),
            Map.entry("\u00fd7zXZ\0", packed("xz", "unxz")), Map.entry("7z\u00bc\u00af", packed("7z", "7z x")),
            Map.entry("\u0089PNG", other("an image (PNG)")), Map.entry("\u00ff\u00d8\u00ff", other("an image (JPEG)")),
            Map.entry("\u007fELF", other("a program")), Map.entry("\u0080\u0002", other("a Python pickle")),
            Map.entry("\u0080\u0004", other("a Python pickle")), Map.entry("\u00d0\u00cf\u0011\u00e0", other("a document of an old Office")));

    /** Beginnings that a text may have too: they count where something follows that no text has. */
    private static final Map<String, Foreign> MAGICS = Map.of("PAR1", new Foreign("a Parquet table", ROWS), "ARROW1", new Foreign("an Arrow table", ROWS),
            "GGUF", other("a GGUF file"), "SQLite format 3", new Foreign("an SQLite database", ROWS), "GIF8", other("an image (GIF)"),
            "RIFF", other("a picture or sound (RIFF)"), "BZh", packed("bzip2", "bunzip2"), "OggS", other("a sound (Ogg)"),
            "ID3", other("a sound (MP3)"));

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
                refuse(path, new Foreign(what, ROWS));
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
            refuse(path, other("a PDF document"));
        }
        int zero = 0;
        while (zero < bytes.length && bytes[zero] != 0) {
            zero++;
        }
        if (zero < bytes.length) {
            String convert = "iconv -f utf-16 -t utf-8 converts text in UTF-16";
            boolean marked = start.startsWith("\u00ff\u00fe") || start.startsWith("\u00fe\u00ff");
            refuse(path, marked ? new Foreign("text in UTF-16", convert)
                    : new Foreign("a binary file, or text in UTF-16 (byte " + zero + " is zero)", TEXT_OF_IT + "; " + convert));
        }
    }

    private static Foreign packed(String format, String command) {
        return new Foreign("a file packed with " + format, "unpack it first: " + command);
    }

    private static Foreign other(String what) {
        return new Foreign(what, TEXT_OF_IT);
    }

    private static boolean isOfNoText(int b) {
        return b >= 0x7f || b < ' ' && b != '\t' && b != '\n' && b != '\r' && b != '\f';
    }

    /** Whether the name is that of JSON lines. */
    static boolean isJsonLines(Path path) {
        String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
        return name.endsWith(".jsonl") || name.endsWith(".json");
    }

    private static void refuse(Path path, Foreign foreign) {
        throw new InvalidFileException(path, "samples", "JSON lines (.jsonl) or plain text", foreign.what(), foreign.remedy());
    }
}
