package ai.luciferai.llama.core;

/** The model, adapter or machine is sound but this version cannot do what was asked with it. Remedy: another model or version. */
public final class UnsupportedModelException extends BridgeException {

    private static final long serialVersionUID = 1L;

    private final String model;
    private final String where;
    private final String supported;
    private final String got;

    /**
     * @param model     file or name of the model (required)
     * @param where     the feature: "architecture", "tensor type of 'blk.0.attn_q.weight'", "chat template" (required)
     * @param supported what would work (required)
     * @param got       what this model has (required)
     */
    public UnsupportedModelException(Object model, String where, String supported, String got) {
        this(model, where, supported, got, null);
    }

    /** With the remedy, or null. */
    public UnsupportedModelException(Object model, String where, String supported, String got, String hint) {
        super("%s: %s is not supported: expected %s, got %s".formatted(model, clipped(where), clipped(supported), clipped(got)), hint, null);
        this.model = String.valueOf(model);
        this.where = where;
        this.supported = supported;
        this.got = got;
    }

    /** File or name of the model. */
    public String model() {
        return model;
    }

    /** The feature that is not supported. */
    public String where() {
        return where;
    }

    /** What would work. */
    public String supported() {
        return supported;
    }

    /** What this model has. */
    public String got() {
        return got;
    }
}
