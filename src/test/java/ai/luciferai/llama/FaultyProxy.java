package ai.luciferai.llama;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stands between a client and an rpc-server, passes on what both say, and does harm instead of passing on one of the server's replies.
 * A reply is its length in 8 bytes, and so many bytes.
 */
final class FaultyProxy implements AutoCloseable {

    /** What comes in place of a reply. */
    enum Fault {
        /** Random bytes of the right number. */
        JUNK,
        /** Another length than the reply has. */
        JUNK_LENGTH,
        /** Nothing any more. */
        SILENCE,
        /** Half of it, and the end of the connection. */
        CLOSE
    }

    private final ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final int serverPort;
    private final Fault fault;
    private final int at;
    private final AtomicInteger replies = new AtomicInteger();
    private final Random random;

    /** @param at the reply, from 1, counted over all connections, that the fault comes in place of; 0: none */
    FaultyProxy(int serverPort, Fault fault, int at) throws IOException {
        this.serverPort = serverPort;
        this.fault = fault;
        this.at = at;
        this.random = new Random(at);
        Thread.ofVirtual().start(this::accept);
    }

    String endpoint() {
        return "127.0.0.1:" + listening.getLocalPort();
    }

    /** Replies that the server has given so far. */
    int replies() {
        return replies.get();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = track(listening.accept());
                Socket server = track(new Socket(InetAddress.getLoopbackAddress(), serverPort));
                Thread.ofVirtual().start(() -> ending(client, server, () -> client.getInputStream().transferTo(server.getOutputStream())));
                Thread.ofVirtual().start(() -> ending(client, server, () -> passOn(server, client)));
            }
        } catch (IOException closed) {
            // the proxy's end
        }
    }

    private Socket track(Socket socket) throws IOException {
        socket.setTcpNoDelay(true);
        open.add(socket);
        return socket;
    }

    private interface Passing {
        void run() throws IOException, InterruptedException;
    }

    private static void ending(Socket client, Socket server, Passing passing) {
        try (client; server) {
            passing.run();
        } catch (IOException | InterruptedException end) {
            // of one of the two
        }
    }

    private void passOn(Socket server, Socket client) throws IOException, InterruptedException {
        DataInputStream in = new DataInputStream(server.getInputStream());
        OutputStream out = client.getOutputStream();
        while (true) {
            long length = Long.reverseBytes(in.readLong());
            byte[] reply = new byte[Math.toIntExact(length)];
            in.readFully(reply);
            if (replies.incrementAndGet() == at) {
                harm(out, reply);
                return;
            }
            out.write(message(length, reply));
        }
    }

    private void harm(OutputStream out, byte[] reply) throws IOException, InterruptedException {
        switch (fault) {
            case JUNK -> {
                random.nextBytes(reply);
                out.write(message(reply.length, reply));
                Thread.sleep(Long.MAX_VALUE);
            }
            case JUNK_LENGTH -> {
                out.write(message(random.nextLong(), reply));
                Thread.sleep(Long.MAX_VALUE);
            }
            case SILENCE -> Thread.sleep(Long.MAX_VALUE);
            case CLOSE -> out.write(message(reply.length, reply), 0, 8 + reply.length / 2);
        }
    }

    private static byte[] message(long length, byte[] body) {
        return ByteBuffer.allocate(8 + body.length).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(body).array();
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
