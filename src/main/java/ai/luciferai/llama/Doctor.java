package ai.luciferai.llama;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.ffi.NativeLibrary;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The verb {@code doctor}: checks what the library needs, and says what to do where something is missing. */
public final class Doctor {

    private static final int JAVA_VERSION = 25;
    private static final int TOKENS = 4;
    private static final String REBUILD = "build it again with mvn verify, or download a release for this system";

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

    /** One check's work: what was found, or an exception. */
    private interface Work {
        String look();
    }

    /** Looks at JDK, library, versions and devices, and generates four tokens with the embedded model. Never throws but on cancel. */
    public static Report run(Progress progress, Cancel cancel) {
        List<Finding> findings = new ArrayList<>();
        findings.add(java());
        findings.add(check("native access", "start java with --enable-native-access=ALL-UNNAMED", Doctor::nativeAccess));
        findings.add(check("native library", REBUILD, () -> NativeLibrary.require().path().toString()));
        if (findings.getLast().ok()) {
            findings.add(check("versions", REBUILD, Doctor::versions));
            findings.add(check("devices", "see the command devices", Doctor::devices));
            findings.add(check("generate", "report this with the output of doctor -vv", () -> generate(progress, cancel)));
        }
        return new Report(findings);
    }

    private static Finding java() {
        int version = Runtime.version().feature();
        boolean ok = version >= JAVA_VERSION;
        return new Finding("java", ok, Runtime.version() + " in " + System.getProperty("java.home"),
                ok ? "" : "install JDK " + JAVA_VERSION + " and start with it");
    }

    private static Finding check(String name, String remedy, Work work) {
        try {
            return new Finding(name, true, work.look(), "");
        } catch (CancelledException e) {
            throw e;
        } catch (BridgeException e) {
            return new Finding(name, false, e.getMessage(), e.hint() == null ? remedy : e.hint());
        } catch (RuntimeException | LinkageError e) {
            return new Finding(name, false, e.toString(), remedy);
        }
    }

    private static String nativeAccess() {
        Module module = Doctor.class.getModule();
        if (!module.isNativeAccessEnabled()) {
            throw new IllegalStateException("not enabled for " + (module.isNamed() ? module.getName() : "the class path"));
        }
        return "enabled";
    }

    private static String versions() {
        return NativeLibrary.require().buildInfo().entrySet().stream().map(e -> e.getKey() + " " + e.getValue())
                .collect(Collectors.joining(", "));
    }

    private static String devices() {
        List<Device> devices = Devices.list();
        Check.require(!devices.isEmpty(), "devices", "at least the CPU", "none");
        return devices.stream().map(d -> d.name() + " (" + d.description() + ")").collect(Collectors.joining(", "));
    }

    private static String generate(Progress progress, Cancel cancel) {
        GenerateOptions options = GenerateOptions.defaults().withMaxTokens(TOKENS).withIgnoreEos(true)
                .withSampling(Sampling.greedy());
        // one thread: the quickest for so small a model, also on a machine that is busy
        Generate.Request request = Generate.Request.of(Prompt.text("list files\n")).withOptions(options)
                .withContextOptions(ContextOptions.defaults().withThreads(1));
        Completion c = Generate.run(request, token -> {}, progress, cancel).completion();
        cancel.check("doctor");
        Check.require(c.tokens().size() == TOKENS, "generate", TOKENS + " tokens", c.tokens().size());
        return "%d tokens of the embedded model in %.0f ms".formatted(TOKENS, c.timings().totalMillis());
    }
}
