package ai.luciferai.llama.core;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** What the system refused, in words; of some faults the exceptions have only a name. */
public final class IoFault {

    private IoFault() {}

    /** "FILE: reason" where a file is known. */
    public static String text(IOException e) {
        return e instanceof FileSystemException fault ? fault.getFile() + ": " + reason(fault) : reason(e);
    }

    /** The reason alone, for messages that name the file themselves. */
    public static String reason(IOException e) {
        return e instanceof FileSystemException fault ? reason(fault)
                : "Is a directory".equals(e.getMessage()) ? "a folder" : String.valueOf(e.getMessage());
    }

    private static String reason(FileSystemException e) {
        return switch (e) {
            case NoSuchFileException none -> "no such file or folder";
            case AccessDeniedException denied -> "permission denied";
            case FileAlreadyExistsException there when there.getReason() == null -> "something else has this name";
            default -> e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
        };
    }
}
