package ai.luciferai.llama.core;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Free disk space, asked for before hours of work rather than missed after them. */
public final class DiskSpace {

    private DiskSpace() {}

    /**
     * Checks that a file of some size can be written.
     *
     * @param target where the file shall appear; its folder exists
     * @param bytes  size of the file to come
     * @throws FileSystemException when the disk has less free space
     */
    public static void require(Path target, long bytes) throws IOException {
        FileStore store = Files.getFileStore(target.toAbsolutePath().getParent());
        long free = store.getUsableSpace();
        // Some virtual file systems report nothing at all: no reason to refuse.
        if (free < bytes && store.getTotalSpace() > 0) {
            throw new FileSystemException(target.toString(), null,
                    "not enough disk space: needs %s, %s has %s free".formatted(text(bytes), store, text(free)));
        }
    }

    /** A size for people: "3.2 GiB". */
    public static String text(long bytes) {
        if (bytes < 1024) {
            return bytes + " bytes";
        }
        String[] units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
        double value = bytes / 1024.0;
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return String.format(java.util.Locale.ROOT, "%.1f %s", value, units[unit]);
    }
}
