package ai.luciferai.llama.core;

/** Native or device memory did not suffice. Remedy: fewer GPU layers, a smaller context, a smaller quantization. */
public final class OutOfMemoryException extends BridgeException {

    private static final long serialVersionUID = 1L;

    /**
     * @param message what could not be allocated, with sizes where known (required)
     * @param hint    which option to lower, or null
     */
    public OutOfMemoryException(String message, String hint) {
        super(message, hint, null);
    }
}
