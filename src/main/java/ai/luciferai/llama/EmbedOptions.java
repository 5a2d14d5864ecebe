package ai.luciferai.llama;

/**
 * How texts become vectors.
 *
 * @param pooling   how the tokens' vectors become one
 * @param normalise whether vectors get length 1
 * @param context   the working memory; {@link ContextOptions#sequences()} texts are computed at a time
 */
public record EmbedOptions(Pooling pooling, boolean normalise, ContextOptions context) {

    public EmbedOptions {
        Check.present("pooling", pooling);
        Check.present("context", context);
    }

    public static EmbedOptions defaults() {
        return new EmbedOptions(Pooling.AUTO, true, ContextOptions.defaults());
    }

    public EmbedOptions withPooling(Pooling v) {
        return new EmbedOptions(v, normalise, context);
    }

    public EmbedOptions withNormalise(boolean v) {
        return new EmbedOptions(pooling, v, context);
    }

    public EmbedOptions withContext(ContextOptions v) {
        return new EmbedOptions(pooling, normalise, v);
    }
}
