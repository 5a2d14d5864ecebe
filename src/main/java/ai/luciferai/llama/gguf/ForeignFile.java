package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.InvalidFileException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What is given in place of a GGUF file, and what to do with it. */
final class ForeignFile {

    /** Length of what {@link #hint} looks at. */
    static final int HEAD = 9;

    private static final String CONVERT = ": lucifer-llama convert makes a GGUF file of it";

    private ForeignFile() {}

    /** A folder is no GGUF file; one that can be converted says so. */
    static void requireNoFolder(Path path) {
        if (Files.isDirectory(path)) {
            String hint = Files.exists(path.resolve("adapter_config.json")) ? "this is an adapter of PEFT" + CONVERT + " for --lora"
                    : Files.exists(path.resolve("config.json")) ? "this is a model of Hugging Face" + CONVERT
                    : "name the file in it";
            throw new InvalidFileException(path, "file", "a GGUF file", "a folder", hint);
        }
    }

    /** The remedy for a file that begins with these bytes, one a character, or null. */
    static String hint(String text) {
        // safetensors: u64 length of the header, then the header, which is a JSON object
        if (text.length() == HEAD && text.charAt(8) == '{' && text.startsWith("\0\0\0", 5)) {
            return "this is a safetensors file" + CONVERT + ", or of the folder that it lies in";
        }
        return switch (text.substring(0, Math.min(4, text.length()))) {
            case "lmgg", "fmgg", "tjgg" -> "this is a GGML file of before GGUF" + CONVERT;
            case "algg" -> "this is a LoRA adapter of before GGUF: convert the original one, a folder of PEFT";
            case "vers" -> "this may be a Git LFS pointer: download the file itself";
            case "PK\3\4" -> "this may be a PyTorch or zip archive: convert it first";
            case "<!DO", "<htm" -> "this is a web page: the download went wrong";
            default -> null;
        };
    }
}
