package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** An rpc-server on this machine with one thread: a device with its own memory. */
final class RpcServer implements AutoCloseable {

    private static final int START_SECONDS = 20;

    private final Process process;
    private final String endpoint;
    private final Path log;

    private RpcServer(Process process, String endpoint, Path log) {
        this.process = process;
        this.endpoint = endpoint;
        this.log = log;
    }

    static RpcServer start(Path folder) throws Exception {
        int port = freePort();
        Path log = folder.resolve("rpc-server.log");
        Process process = new ProcessBuilder(Goldens.program("ggml-rpc-server").toString(), "--host", "127.0.0.1", "--port",
                Integer.toString(port), "--threads", "1").redirectErrorStream(true).redirectOutput(log.toFile()).start();
        var server = new RpcServer(process, "127.0.0.1:" + port, log);
        try {
            server.waitUntilListening(port);
            return server;
        } catch (Exception | AssertionError fault) {
            server.close();
            throw fault;
        }
    }

    /**
     * Runs a main class with the server's address as its first argument, in a JVM of its own: a device stays registered for the life of a
     * process.
     */
    void runClient(Class<?> main, Path folder, String... more) throws Exception {
        runClient(main, folder, Map.of(), more);
    }

    /** What clients connect to. */
    String endpoint() {
        return endpoint;
    }

    /** The same with variables of the client's environment. */
    void runClient(Class<?> main, Path folder, Map<String, String> environment, String... more) throws Exception {
        Path out = folder.resolve("client.log");
        List<String> command = Goldens.java();
        command.add(main.getName());
        command.add(endpoint);
        command.addAll(List.of(more));
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile());
        builder.environment().putAll(environment);
        Process client = builder.start();
        boolean ended = client.waitFor(300, TimeUnit.SECONDS);
        client.destroyForcibly();
        assertTrue(ended, () -> "the client hangs: " + read(out));
        assertEquals(0, client.exitValue(), () -> read(out) + "\nserver: " + read(log));
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void waitUntilListening(int port) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (true) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
                return;
            } catch (IOException e) {
                assertTrue(process.isAlive() && System.nanoTime() < end, () -> "the server does not listen: " + read(log));
                Thread.sleep(50);
            }
        }
    }

    private static String read(Path path) {
        try {
            return Files.readAllLines(path).stream().filter(line -> !line.isBlank()).collect(Collectors.joining("\n"));
        } catch (IOException e) {
            return Arrays.toString(e.getStackTrace());
        }
    }
}
