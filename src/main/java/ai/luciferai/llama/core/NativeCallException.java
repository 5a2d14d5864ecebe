package ai.luciferai.llama.core;

import java.util.ArrayList;
import java.util.List;

/** A native call failed in a way that has no better exception: the message carries the native cause and llama.cpp's error lines. */
public final class NativeCallException extends BridgeException {

    private static final long serialVersionUID = 1L;

    private final String function;
    private final String status;
    private final String nativeMessage;
    private final ArrayList<String> log;

    /**
     * @param function C function that failed (required)
     * @param status   its status without prefix: "FAILED", "ABORTED" (required)
     * @param message  message of the native side, may be empty (required)
     * @param log      error lines that llama.cpp wrote during the call, oldest first (required, may be empty)
     */
    public NativeCallException(String function, String status, String message, List<String> log) {
        this(function, status, message, log, null);
    }

    /** With the remedy, or null. */
    public NativeCallException(String function, String status, String message, List<String> log, String hint) {
        super(text(function, status, message, log), hint, null);
        this.function = function;
        this.status = status;
        this.nativeMessage = message;
        this.log = new ArrayList<>(log);
    }

    private static String text(String function, String status, String message, List<String> log) {
        var text = new StringBuilder();
        if (message.isBlank()) {
            text.append(function).append(" failed (").append(status).append(')');
        } else { // first what a user can make something of
            text.append(message.strip()).append(" (").append(function).append(": ").append(status).append(')');
        }
        for (String line : log) {
            if (!message.contains(line.strip())) {
                text.append(System.lineSeparator()).append("  ").append(line.strip());
            }
        }
        return text.toString();
    }

    /** C function that failed. */
    public String function() {
        return function;
    }

    /** Its status without prefix. */
    public String status() {
        return status;
    }

    /** Message of the native side alone. */
    public String nativeMessage() {
        return nativeMessage;
    }

    /** Error lines that llama.cpp wrote during the call, oldest first. */
    public List<String> log() {
        return List.copyOf(log);
    }
}
