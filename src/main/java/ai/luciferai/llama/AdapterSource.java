package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidOptionException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * A LoRA adapter file that is loaded with the model and active in every session.
 *
 * @param path  the adapter's GGUF file
 * @param scale factor on the adapter's own scale; 1 is full strength
 */
public record AdapterSource(Path path, float scale) {

    public AdapterSource {
        Check.present("lora", path);
        Check.finite("lora scale", scale);
    }

    public static AdapterSource of(Path path) {
        return new AdapterSource(path, 1f);
    }

    /** Reads {@code FILE} or {@code FILE:SCALE}. */
    public static AdapterSource parse(String text) {
        Check.notEmpty("lora", text);
        int colon = text.lastIndexOf(':');
        try {
            if (colon <= 0 || !looksLikeNumber(text.substring(colon + 1)) && !isMeantAsScale(text, colon)) {
                return of(Path.of(text));
            }
            return new AdapterSource(Path.of(text.substring(0, colon)), Float.parseFloat(text.substring(colon + 1)));
        } catch (NumberFormatException e) {
            throw new InvalidOptionException("lora", "FILE or FILE:SCALE", text, "'" + text.substring(colon + 1) + "' is no number");
        } catch (InvalidPathException e) {
            throw new InvalidOptionException("lora", "FILE or FILE:SCALE", text, e.getReason());
        }
    }

    /** Where there is no such file, but one of the name before the colon. */
    private static boolean isMeantAsScale(String text, int colon) {
        return !Files.exists(Path.of(text)) && Files.exists(Path.of(text.substring(0, colon)));
    }

    private static boolean looksLikeNumber(String s) {
        return !s.isEmpty() && s.chars().allMatch(c -> "0123456789.+-eE".indexOf(c) >= 0);
    }
}
