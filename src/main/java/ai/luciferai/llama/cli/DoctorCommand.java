package ai.luciferai.llama.cli;

import ai.luciferai.llama.Doctor;

/** {@code doctor}: is everything there that is needed? */
final class DoctorCommand implements Command {

    @Override
    public Syntax syntax() {
        return new Syntax("doctor", "", 0, """
                Checks the JDK, the native library, versions and devices, and generates four tokens.
                Ends with 0 when all is well, else with 5; each trouble comes with its remedy.""")
                .group("Doctor").flag("--json", "as JSON");
    }

    @Override
    public int run(Arguments arguments, Environment environment) {
        Doctor.Report report;
        try (ProgressLine progress = environment.progress()) {
            report = Doctor.run(progress, environment.cancel());
        }
        environment.print(arguments.has("--json") ? json(report) : text(report));
        return report.ok() ? ExitCode.OK : ExitCode.NATIVE;
    }

    private static String text(Doctor.Report report) {
        var out = new StringBuilder();
        for (Doctor.Finding finding : report.findings()) {
            out.append(String.format("%-4s %-20s %s%n", finding.ok() ? "ok" : "BAD", finding.name(), finding.detail()));
            if (!finding.remedy().isEmpty()) {
                out.append(" ".repeat(26)).append("HINT: ").append(finding.remedy()).append('\n');
            }
        }
        return out.toString();
    }

    private static String json(Doctor.Report report) {
        return Json.pretty(Json.object("ok", report.ok(), "findings", report.findings().stream().map(f -> Json.object(
                "name", f.name(), "ok", f.ok(), "detail", f.detail(), "remedy", f.remedy().isEmpty() ? null : f.remedy())).toList()));
    }
}
