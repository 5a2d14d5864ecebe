package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.IoFault;
import ai.luciferai.llama.core.UserCache;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;

/** The built-in model as a file, which native code needs: used in place when classes come from a folder, else in the user's cache. */
final class EmbeddedModel {

    static final String RESOURCE = "/ai/luciferai/llama/lucifer-tiny-f16.gguf";
    static final String SHA256 = "d83c364d67dd282e91cf7c4ff3541235d07aaf51b4b3c41e5c841af17e9d54a5";
    private static final String FILE = "lucifer-tiny-f16.gguf";

    private EmbeddedModel() {}

    private interface Work<T> {
        T on(String folder, List<UserCache.Content> contents) throws IOException;
    }

    static Path path() {
        URL url = resource();
        return url.getProtocol().equals("file") ? Path.of(URI.create(url.toString())) : run(url, UserCache::unpacked).resolve(FILE);
    }

    /** For a file that cannot be loaded: whether it was damaged, and now is as the jar has it. */
    static boolean mend() {
        URL url = resource();
        return !url.getProtocol().equals("file") && run(url, UserCache::mend);
    }

    private static URL resource() {
        URL url = EmbeddedModel.class.getResource(RESOURCE);
        if (url == null) {
            throw new IllegalStateException("the embedded model " + RESOURCE + " is missing from this build");
        }
        return url;
    }

    private static <T> T run(URL url, Work<T> work) {
        try {
            return work.on("models/lucifer-tiny-" + SHA256.substring(0, 16), List.of(new UserCache.Content(FILE, SHA256, url)));
        } catch (IOException e) {
            throw new InvalidFileException(Path.of(FILE), "embedded model", "a folder to unpack it into", IoFault.text(e),
                    "make that folder writable, name another with -D" + UserCache.PROPERTY + "=…, or a model of your own", e);
        }
    }
}
