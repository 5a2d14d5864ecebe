package ai.luciferai.llama.cli;

import ai.luciferai.llama.InfoReport;
import ai.luciferai.llama.QuantType;
import ai.luciferai.llama.QuantizeChoice;
import ai.luciferai.llama.QuantizePlan;
import ai.luciferai.llama.QuantizeReport;
import ai.luciferai.llama.QuantizeResult;
import ai.luciferai.llama.core.DiskSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What {@code quantize} prints. */
final class QuantizeText {

    private QuantizeText() {}

    static String types() {
        var out = new StringBuilder("type        bits/weight  remarks (bits per weight of Llama 3.1 8B)\n");
        for (QuantType type : QuantType.values()) {
            out.append(line("%-10s  %11s  %s%s%n", type, bits(type.bitsPerWeight()), type.description(),
                    type.needsImportance() ? "; needs an importance matrix" : ""));
        }
        return out.toString();
    }

    static String typesJson() {
        var types = new ArrayList<Map<String, Object>>();
        for (QuantType type : QuantType.values()) {
            types.add(Json.object("type", type.name(), "bits_per_weight", type.bitsPerWeight(), "description", type.description(),
                    "needs_imatrix", type.needsImportance()));
        }
        return Json.pretty(types);
    }

    /** What a model is, and what size it would have in each type. */
    static String info(InfoReport model, List<QuantizePlan> plans) {
        QuantizePlan first = plans.getFirst();
        var out = new StringBuilder(line("GGUF model file version %d%n", model.format().version()));
        out.append(line("%s, %s, %d parameters, %s, %s, %s bits per weight%n%n", first.options().input(), model.architecture(),
                model.parameters(), model.fileType(), DiskSpace.text(model.bytes()), bits(first.bitsPerWeightBefore())));
        out.append("type             size  bits/weight  remarks\n");
        for (QuantizePlan plan : plans) {
            out.append(line("%-10s %10s  %11s  %s%n", plan.options().type(), DiskSpace.text(plan.fileBytes()), bits(plan.bitsPerWeight()),
                    remarks(plan)));
        }
        return out.toString();
    }

    private static String remarks(QuantizePlan plan) {
        var remarks = new ArrayList<String>();
        remarks.add(plan.options().type().description());
        if (plan.importanceMissing()) {
            remarks.add("needs an importance matrix");
        }
        if (plan.fallbacks() > 0) {
            remarks.add(plan.fallbacks() + " tensors fall back to a larger type");
        }
        return String.join("; ", remarks);
    }

    static String infoJson(InfoReport model, List<QuantizePlan> plans) {
        var types = new ArrayList<Map<String, Object>>();
        plans.forEach(plan -> types.add(Json.object("type", plan.options().type().name(), "bytes", plan.fileBytes(),
                "bits_per_weight", plan.bitsPerWeight(), "fallbacks", plan.fallbacks(), "imatrix_missing", plan.importanceMissing())));
        return Json.pretty(Json.object("model", plans.getFirst().options().input(), "architecture", model.architecture(),
                "parameters", model.parameters(), "file_type", model.fileType(), "bytes", model.bytes(),
                "bits_per_weight", plans.getFirst().bitsPerWeightBefore(), "types", types));
    }

    static String plan(QuantizePlan plan) {
        var out = new StringBuilder(line("%-40s %-8s %-8s %12s %12s%n", "tensor", "from", "to", "bytes", "new bytes"));
        for (QuantizePlan.TensorPlan tensor : plan.tensors()) {
            out.append(line("%-40s %-8s %-8s %12d %12d%s%n", tensor.name(), tensor.from(), tensor.to(),
                    tensor.bytesBefore(), tensor.bytesAfter(), tensor.fallback() ? "  (fallback)" : ""));
        }
        return out.append(total(plan)).toString();
    }

    private static String total(QuantizePlan plan) {
        return line("%s: %s -> %s, %s -> %s bits per weight, %d of %d tensors converted%n", plan.options().type(),
                DiskSpace.text(plan.bytesBefore()), DiskSpace.text(plan.bytesAfter()), bits(plan.bitsPerWeightBefore()),
                bits(plan.bitsPerWeight()), plan.converted(), plan.tensors().size());
    }

    static String planJson(QuantizePlan plan) {
        return Json.pretty(json(plan));
    }

    private static Map<String, Object> json(QuantizePlan plan) {
        var tensors = new ArrayList<Map<String, Object>>();
        plan.tensors().forEach(tensor -> tensors.add(Json.object("name", tensor.name(), "shape", tensor.shape(),
                "from", tensor.from(), "to", tensor.to(), "bytes_before", tensor.bytesBefore(),
                "bytes_after", tensor.bytesAfter(), "fallback", tensor.fallback())));
        return Json.object("input", plan.options().input(), "type", plan.options().type().name(), "bytes_before", plan.bytesBefore(),
                "bytes_after", plan.bytesAfter(), "file_bytes", plan.fileBytes(), "bits_per_weight", plan.bitsPerWeight(),
                "imatrix_missing", plan.importanceMissing(), "warnings", plan.warnings(), "tensors", tensors);
    }

    static String report(QuantizeReport report) {
        return line("%s: %s, %s, %s bits per weight, %.1f s%n", report.outputs().getFirst(), report.plan().options().type(),
                DiskSpace.text(report.bytes()), bits(report.plan().bitsPerWeight()), report.millis() / 1000);
    }

    static String reportJson(QuantizeReport report) {
        return Json.pretty(json(report));
    }

    private static Map<String, Object> json(QuantizeReport report) {
        var counts = new TreeMap<String, Object>();
        report.plan().tensors().forEach(tensor -> counts.merge(tensor.to(), 1, (a, b) -> (Integer) a + (Integer) b));
        return Json.object("input", report.plan().options().input(), "outputs", report.outputs(),
                "type", report.plan().options().type().name(), "bytes", report.bytes(), "bits_per_weight", report.plan().bitsPerWeight(),
                "tensors", counts, "warnings", report.plan().warnings(), "millis", report.millis());
    }

    /** Why a type was chosen, for stderr. */
    static String choice(QuantizeChoice choice) {
        var out = new StringBuilder("for ").append(choice.budget().text()).append(":");
        for (QuantizeChoice.Candidate candidate : choice.considered()) {
            out.append(line("%n  %-8s %10s  %s", candidate.type(), DiskSpace.text(candidate.fileBytes()), candidate.verdict()));
        }
        return out.toString();
    }

    static String results(List<QuantizeResult> results) {
        var out = new StringBuilder();
        for (QuantizeResult result : results) {
            out.append(switch (result.state()) {
                case DONE -> report(result.report().orElseThrow());
                case SKIPPED -> line("%s: exists, skipped%n", result.options().output());
                case FAILED -> line("%s: failed%n", result.options().output());
            });
        }
        return out.toString();
    }

    static String resultsJson(List<QuantizeResult> results) {
        var list = new ArrayList<Map<String, Object>>();
        results.forEach(result -> list.add(Json.object("type", result.options().type().name(), "output", result.options().output(),
                "state", result.state().name().toLowerCase(Locale.ROOT), "report", result.report().map(QuantizeText::json).orElse(null),
                "error", result.failure().map(Exception::getMessage).orElse(null))));
        return Json.pretty(list);
    }

    private static String bits(double value) {
        return Double.isNaN(value) ? "-" : line("%.2f", value);
    }

    private static String line(String format, Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }
}
