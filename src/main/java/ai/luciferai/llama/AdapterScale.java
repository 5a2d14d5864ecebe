package ai.luciferai.llama;

import ai.luciferai.llama.ffi.ContextHandle;
import java.util.List;

/** A loaded {@link Adapter} and the strength with which a session uses it: 1 is full, 0 is none. */
public record AdapterScale(Adapter adapter, float scale) {

    public AdapterScale {
        Check.present("adapter", adapter);
        Check.finite("adapter scale", scale);
    }

    /** Makes these the active ones of a context. */
    static void apply(List<AdapterScale> adapters, ContextHandle context) {
        float[] scales = new float[adapters.size()];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = adapters.get(i).scale();
        }
        context.setAdapters(adapters.stream().map(a -> a.adapter().handle()).toList(), scales);
    }
}
