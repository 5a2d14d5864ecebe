package ai.luciferai.llama.core;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Temporary files and folders beside an output, in names that say who writes them: {@code .NAME.MACHINE-PID-START-NUMBER.part}.
 *
 * <p>A process that is killed leaves its own behind. The next that writes an output of that name deletes them: those of this machine as
 * soon as the process does not live any more; those of other machines and containers, whose processes cannot be seen from here, when
 * nothing has been written to them for a day.
 */
public final class Partial {

    /** With the rest of a name still far below the 255 bytes that file systems allow. */
    private static final int MOST_CHARACTERS = 40;

    private static final Duration ABANDONED = Duration.ofDays(1);
    private static final Pattern WRITER = Pattern.compile("([0-9a-f]{1,8})-(\\d{1,18})-(\\d{1,18})-\\d{1,18}\\.part");
    private static final AtomicLong COUNTER = new AtomicLong();

    private Partial() {}

    /** A name beside the target for a file or folder that does not exist yet; first deletes what killed processes have left there. */
    public static Path beside(Path target) throws IOException {
        deleteAbandoned(target);
        long pid = ProcessHandle.current().pid();
        return target.resolveSibling("%s%s-%d-%d-%d.part".formatted(prefix(target), machine(), pid, start(pid), COUNTER.incrementAndGet()));
    }

    /** Makes a folder of such a name. */
    public static Path folderBeside(Path target) throws IOException {
        try {
            return Files.createDirectory(beside(target));
        } catch (FileSystemException e) {
            throw notMade(target, e);
        }
    }

    /** What the system refused, of the file that was asked for; nobody knows the other. */
    static FileSystemException notMade(Path target, FileSystemException e) {
        String why = e instanceof AccessDeniedException ? "no permission to make files in its folder"
                : e instanceof NoSuchFileException ? "its folder takes no files" : e.getReason();
        var fault = new FileSystemException(target.toString(), null, why == null ? e.getClass().getSimpleName() : why);
        fault.initCause(e);
        return fault;
    }

    /** Deletes a file, or a folder with all in it; nothing when it is not there. */
    public static void delete(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (var files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static String prefix(Path target) {
        String name = target.getFileName().toString();
        int end = name.codePointCount(0, name.length()) <= MOST_CHARACTERS ? name.length() : name.offsetByCodePoints(0, MOST_CHARACTERS);
        return "." + name.substring(0, end) + ".";
    }

    private static void deleteAbandoned(Path target) {
        String prefix = prefix(target);
        try (var siblings = Files.newDirectoryStream(target.getParent(), path -> path.getFileName().toString().startsWith(prefix))) {
            for (Path sibling : siblings) {
                Matcher writer = WRITER.matcher(sibling.getFileName().toString().substring(prefix.length()));
                if (writer.matches() && isAbandoned(sibling, writer)) {
                    delete(sibling);
                }
            }
        } catch (IOException | DirectoryIteratorException | UncheckedIOException e) {
            // The folder of somebody else: leftovers are not what a run should fail of.
        }
    }

    private static boolean isAbandoned(Path path, Matcher writer) throws IOException {
        return writer.group(1).equals(machine())
                ? !isAlive(Long.parseLong(writer.group(2)), Long.parseLong(writer.group(3)))
                : Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS).toInstant().isBefore(Instant.now().minus(ABANDONED));
    }

    /** Not merely a process that was given the same number later. */
    private static boolean isAlive(long pid, long start) {
        return ProcessHandle.of(pid).isPresent() && start(pid) == start;
    }

    /** When a process started, in clock ticks since the machine did; 0 where Linux's table of processes is not there to say so. */
    private static long start(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            // Field 22; the second, the program's name in parentheses, may hold blanks and parentheses.
            return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19]);
        } catch (IOException | RuntimeException e) {
            return 0;
        }
    }

    /** Tells apart those who do not see each other's processes: machines, their boots, and containers. */
    private static String machine() {
        try {
            String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id"));
            return Integer.toHexString((boot + Files.readSymbolicLink(Path.of("/proc/self/ns/pid"))).hashCode());
        } catch (IOException | RuntimeException e) {
            return "0";
        }
    }
}
