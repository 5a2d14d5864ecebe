package ai.luciferai.llama.cli;

import ai.luciferai.llama.InfoReport;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report of {@code info} as JSON; metadata, tensors and template on request, because they can be long. */
final class InfoJson {

    private InfoJson() {}

    static String of(InfoReport report, boolean metadata, boolean tensors, boolean template) {
        Map<String, Object> json = Json.object("file", report.options().model(), "contents", report.contents().name().toLowerCase(java.util.Locale.ROOT), "version", report.format().version(),
                "byte_order", report.format().byteOrder().toString().toLowerCase(Locale.ROOT),
                "alignment", report.format().alignment(), "parts", report.format().parts().size(),
                "architecture", report.architecture(), "name", report.name(), "parameters", report.parameters(),
                "file_type", report.fileType(), "bits_per_weight", report.bitsPerWeight(), "bytes", report.bytes(),
                "tensor_bytes", report.tensorBytes(), "tensor_count", report.tensors().size(),
                "metadata_count", report.metadata().size(), "has_chat_template", !report.chatTemplate().isEmpty(),
                "problem", report.problem().isEmpty() ? null : report.problem());
        report.adapter().ifPresent(adapter -> json.put("adapter", Json.object("type", adapter.type(), "ranks", adapter.ranks(), "alpha",
                adapter.alpha().isPresent() ? adapter.alpha().getAsDouble() : null, "weights", adapter.weights(), "base_model", adapter.base())));
        report.activations().ifPresent(activations -> json.put("activations", Json.object("datasets", activations.datasets(), "chunks",
                activations.chunks(), "chunk_size", activations.chunkSize(), "weights", activations.tensors())));
        if (metadata) {
            var values = new LinkedHashMap<String, Object>();
            report.metadata().forEach(pair -> values.put(pair.key(), Json.object("type", pair.type(), "value", value(pair))));
            json.put("metadata", values);
        }
        if (tensors) {
            json.put("tensors", report.tensors().stream().map(t -> Json.object("name", t.name(), "type", t.type(), "shape", t.shape(),
                    "bytes", t.bytes(), "part", t.part() + 1, "offset", t.offset())).toList());
        }
        if (template) {
            json.put("chat_template", report.chatTemplate());
        }
        return Json.pretty(json);
    }

    /** A metadata value with the digits that its type has: the f32 nearest to 1e-5 is that, not 9.999999747378752E-6. */
    static Object value(InfoReport.Pair pair) {
        return pair.type().startsWith("f32") ? single(pair.value()) : pair.value();
    }

    private static Object single(Object value) {
        return switch (value) {
            case Double number -> number.floatValue();
            case List<?> items -> items.stream().map(InfoJson::single).toList();
            default -> value;
        };
    }
}
