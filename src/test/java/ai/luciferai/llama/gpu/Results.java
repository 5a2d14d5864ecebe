package ai.luciferai.llama.gpu;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;

/** {@code results.json} and {@code results.md}, whole after each step: who cuts the run off loses only what was not reached. */
final class Results {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final ArrayNode steps = JSON.createArrayNode();
    private final StringBuilder table = new StringBuilder();

    Results(Path folder, Map<String, Object> machine) throws IOException {
        this.folder = Files.createDirectories(folder);
        machine.forEach((name, value) -> table.append("- ").append(name).append(": ").append(value).append('\n'));
        table.append("\n| step | | seconds | GPU MiB | found |\n| --- | --- | ---: | ---: | --- |\n");
        steps.addPOJO(machine);
        write();
    }

    /** @param verdict ok, FELL SHORT, FAILED, not reached, skipped */
    void add(String step, String verdict, double seconds, long gpuMib, Map<String, Object> facts) throws IOException {
        ObjectNode node = steps.addObject().put("step", step).put("verdict", verdict).put("seconds", Outcome.round(seconds)).put("gpu_mib", gpuMib);
        node.putPOJO("facts", facts);
        String found = facts.entrySet().stream().map(e -> e.getKey() + " " + e.getValue()).collect(Collectors.joining(", "));
        String line = "| %s | %s | %.1f | %s | %s |".formatted(step, verdict, seconds, gpuMib > 0 ? gpuMib : "", found.replace("|", "\\|").replace("\n", " "));
        System.out.println(line);
        table.append(line).append('\n');
        write();
    }

    private void write() throws IOException {
        Files.writeString(folder.resolve("results.md"), table);
        JSON.writerWithDefaultPrettyPrinter().writeValue(folder.resolve("results.json").toFile(), steps);
    }
}
