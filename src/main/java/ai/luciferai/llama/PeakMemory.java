package ai.luciferai.llama;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The most memory that this process has held. */
final class PeakMemory {

    static final long UNKNOWN = -1;
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR = Path.of("/proc/self/clear_refs");
    private static final Pattern HIGH_WATER = Pattern.compile("^VmHWM:\\s+(\\d+) kB$", Pattern.MULTILINE);
    private static final int BYTES_PER_KB = 1024;

    private PeakMemory() {}

    /** Bytes of resident memory at its highest; {@link #UNKNOWN} where the system does not tell (it does on Linux). */
    static long bytes() {
        try {
            return Files.isReadable(STATUS) ? parse(Files.readString(STATUS)) : UNKNOWN;
        } catch (IOException e) {
            return UNKNOWN;
        }
    }

    /** Lets the highest be counted anew from now on, where the system can (Linux). */
    static void reset() {
        try {
            if (Files.isWritable(CLEAR)) {
                Files.writeString(CLEAR, "5");
            }
        } catch (IOException e) {
            // then it stays the process's highest so far
        }
    }

    static long parse(String status) {
        Matcher line = HIGH_WATER.matcher(status);
        return line.find() ? Long.parseLong(line.group(1)) * BYTES_PER_KB : UNKNOWN;
    }
}
