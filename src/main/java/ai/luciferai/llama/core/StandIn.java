package ai.luciferai.llama.core;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** Work on a file that exists for a moment, in place of one that the user knows: messages about it name that one. */
public final class StandIn {

    private final Path temporary;
    private final Path known;

    private StandIn(Path temporary, Path known) {
        this.temporary = temporary;
        this.known = known;
    }

    /** Some work. */
    @FunctionalInterface
    public interface Work<T> {
        T run() throws IOException;
    }

    /**
     * Does the work.
     *
     * @param temporary the file that the work is about
     * @param known     what it was made of, or will become
     */
    public static <T> T of(Path temporary, Path known, Work<T> work) throws IOException {
        try {
            return work.run();
        } catch (InvalidFileException | UnsupportedModelException | InvalidOptionException e) {
            throw new StandIn(temporary, known).told(e);
        } catch (FileSystemException e) {
            throw new StandIn(temporary, known).told(e);
        }
    }

    /** What the system refused; of a folder, any file in it stands for what it will become. */
    private FileSystemException told(FileSystemException e) {
        if (e.getFile() == null || !Path.of(e.getFile()).startsWith(temporary)) {
            return e;
        }
        var told = new FileSystemException(known.toString(), null, IoFault.reason(e));
        told.initCause(e);
        return told;
    }

    private BridgeException told(BridgeException e) {
        BridgeException told = switch (e) {
            case InvalidFileException f -> new InvalidFileException(f.path().equals(temporary) ? known : f.path(), said(f.where()),
                    said(f.expected()), said(f.got()), said(f.hint()), f);
            case UnsupportedModelException u -> new UnsupportedModelException(said(u.model()), said(u.where()), said(u.supported()),
                    said(u.got()), said(u.hint()));
            case InvalidOptionException o -> new InvalidOptionException(o.option(), said(o.expected()), said(o.got()), said(o.hint()));
            default -> e;
        };
        return told.getMessage().equals(e.getMessage()) ? e : told;
    }

    private String said(String text) {
        return text == null ? null : text.replace(temporary.toString(), known.toString());
    }
}
