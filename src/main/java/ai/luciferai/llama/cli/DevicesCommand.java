package ai.luciferai.llama.cli;

import ai.luciferai.llama.Device;
import ai.luciferai.llama.Devices;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code devices}: what can compute here. */
final class DevicesCommand implements Command {

    @Override
    public Syntax syntax() {
        return new Syntax("devices", "", 0, """
                Lists the devices that models can use, with their memory, and the backends that were not loaded.
                The name in the first column is what --device takes.""")
                .group("Devices")
                .option("--rpc", "HOST:PORT,…", "rpc-servers whose devices to list as well")
                .flag("--json", "as JSON");
    }

    @Override
    public int run(Arguments arguments, Environment environment) {
        arguments.list("--rpc", ',').forEach(Devices::addRpcServer);
        List<Device> devices = Devices.list();
        List<Devices.Skipped> skipped = Devices.skipped();
        environment.print(arguments.has("--json") ? json(devices, skipped) : table(devices, skipped));
        return ExitCode.OK;
    }

    private static String table(List<Device> devices, List<Devices.Skipped> skipped) {
        var out = new StringBuilder();
        out.append(String.format("%-10s %-8s %-14s %10s %10s  %-26s %s%n", "NAME", "BACKEND", "TYPE", "FREE MiB", "TOTAL MiB", "LIBRARY",
                "DESCRIPTION"));
        for (Device device : devices) {
            out.append(String.format("%-10s %-8s %-14s %10d %10d  %-26s %s%n", device.name(), device.backend(), type(device),
                    device.freeBytes() >> 20, device.totalBytes() >> 20, library(device), device.description()));
        }
        for (Devices.Skipped one : skipped) {
            out.append("not loaded: ").append(one.library()).append(": ").append(one.reason()).append('\n');
        }
        return out.toString();
    }

    private static String type(Device device) {
        return device.type().name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static String library(Device device) {
        return device.library().isEmpty() ? "linked in" : Path.of(device.library()).getFileName().toString();
    }

    private static String json(List<Device> devices, List<Devices.Skipped> skipped) {
        List<Map<String, Object>> there = devices.stream().map(d -> Json.object("name", d.name(), "description", d.description(),
                "type", type(d), "backend", d.backend(), "free_bytes", d.freeBytes(), "total_bytes", d.totalBytes(),
                "library", d.library())).toList();
        List<Map<String, Object>> missing = skipped.stream().map(s -> Json.object("library", s.library(), "reason", s.reason())).toList();
        return Json.pretty(Json.object("devices", there, "not_loaded", missing));
    }
}
