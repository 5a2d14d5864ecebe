package ai.luciferai.llama;

/**
 * The memory of a context.
 *
 * @param typeK    number format of keys
 * @param typeV    number format of values; a quantized one needs flash attention
 * @param offload  whether it lives on the devices that hold the layers
 * @param swaFull  whether sliding-window layers keep every position, which lets prefixes be reused after a removal
 * @param unified  whether sequences share one buffer; better when they share a long prefix
 */
public record KvCache(CacheType typeK, CacheType typeV, boolean offload, boolean swaFull, boolean unified) {

    public KvCache {
        Check.present("cache-type-k", typeK);
        Check.present("cache-type-v", typeV);
    }

    public static KvCache defaults() {
        return new KvCache(CacheType.F16, CacheType.F16, true, false, false);
    }

    public KvCache withTypes(CacheType k, CacheType v) {
        return new KvCache(k, v, offload, swaFull, unified);
    }

    public KvCache withOffload(boolean v) {
        return new KvCache(typeK, typeV, v, swaFull, unified);
    }

    public KvCache withSwaFull(boolean v) {
        return new KvCache(typeK, typeV, offload, v, unified);
    }

    public KvCache withUnified(boolean v) {
        return new KvCache(typeK, typeV, offload, swaFull, v);
    }
}
