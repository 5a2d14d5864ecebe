package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.util.List;

/** The verb {@code doctor}: checks what the library needs, and says what to do where something is missing. */
public final class Doctor {

    private Doctor() {}

    /**
     * One check.
     *
     * @param name   what was looked at
     * @param ok     whether it is as it should be
     * @param detail what was found
     * @param remedy what to do; empty when ok
     */
    public record Finding(String name, boolean ok, String detail, String remedy) {}

    /** All checks, in order. */
    public record Report(List<Finding> findings) {

        public Report {
            findings = List.copyOf(findings);
        }

        /** Whether every check is fine. */
        public boolean ok() {
            return findings.stream().allMatch(Finding::ok);
        }
    }

    /** Looks at JDK, library, versions and devices, and generates four tokens with the embedded model. Never throws but on cancel. */
    public static Report run(Progress progress, Cancel cancel) {
        throw new UnsupportedOperationException();
    }
}
