package ai.luciferai.llama;

/** A loaded {@link Adapter} and the strength with which a session uses it: 1 is full, 0 is none. */
public record AdapterScale(Adapter adapter, float scale) {

    public AdapterScale {
        Check.present("adapter", adapter);
        Check.finite("adapter scale", scale);
    }
}
