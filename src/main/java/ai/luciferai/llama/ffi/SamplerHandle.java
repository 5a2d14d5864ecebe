package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import ai.luciferai.llama.bindings.lucifer_choice;
import ai.luciferai.llama.bindings.lucifer_llama_h;
import ai.luciferai.llama.core.Cancel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Chooses tokens from logits: the chain of samplers, the grammar, and the history that penalties look at.
 *
 * <p><i>Ownership</i>: a child of its model. <i>Threads</i>: one at a time.
 */
public final class SamplerHandle extends NativeHandle {

    private final MemorySegment choice;
    private final String grammarOption;
    private final Cancel cancel;

    private SamplerHandle(ModelHandle model, MemorySegment raw, String grammarOption, Cancel cancel) {
        super(model.nextSamplerName(), model, raw, lucifer_llama_h::lucifer_sampler_free);
        this.grammarOption = grammarOption;
        this.cancel = cancel;
        this.choice = lucifer_choice.allocate(arena());
        lucifer_choice.struct_size(choice, lucifer_choice.sizeof());
    }

    /**
     * Makes a sampler.
     *
     * @param cancel ends the reading of the grammar, and the later choices by it
     * @throws ai.luciferai.llama.core.InvalidOptionException for parameters that do not go together, or a grammar that does not parse
     */
    public static SamplerHandle init(ModelHandle model, SamplerParams params, Cancel cancel) {
        return model.adopt(() -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
                int status = lucifer_sampler_init(params.toNative(arena, model, Computing.begin(cancel)), pointer);
                Status.check(status, "lucifer_sampler_init", params.grammar == null
                        ? Status.About.option("sampling", "parameters that llama.cpp accepts", null)
                        : Status.About.option(params.grammarOption, "a grammar in GBNF", null));
                return new SamplerHandle(model, pointer.get(ValueLayout.ADDRESS, 0), params.grammarOption, cancel);
            } finally {
                Computing.end();
            }
        });
    }

    /** Puts a prompt's token into the history; does not advance the grammar. */
    public void accept(int token) {
        MemorySegment sampler = claim("accept");
        try {
            Status.checkHot(lucifer_sampler_accept(sampler, token), "lucifer_sampler_accept");
        } finally {
            release();
        }
    }

    /** Chooses a token from the logits of the batch's token {@code index}, and accepts it (history and grammar). */
    public int sample(ContextHandle context, int index) {
        MemorySegment sampler = claim("sample");
        try {
            MemorySegment pointer = context.claim("sample");
            try {
                lucifer_choice.context(choice, pointer);
                lucifer_choice.i(choice, index);
                lucifer_choice.cancel(choice, Computing.begin(cancel).segment());
                int status = lucifer_sampler_sample(sampler, choice);
                if (status != Status.OK) {
                    Status.check(status, "lucifer_sampler_sample", Status.About.option(grammarOption, "a grammar that can be kept", null));
                }
                return lucifer_choice.token(choice);
            } finally {
                Computing.end();
                context.release();
            }
        } finally {
            release();
        }
    }

    /** Forgets history and grammar state, and begins the random numbers anew. */
    public void reset() {
        MemorySegment sampler = claim("reset");
        try {
            Status.check(lucifer_sampler_reset(sampler), "lucifer_sampler_reset");
        } finally {
            release();
        }
    }

    /** Whether the grammar, if it has one of the caller's own, may end behind the tokens that it chose. */
    public boolean mayEnd() {
        MemorySegment sampler = claim("grammar state");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment complete = arena.allocate(ValueLayout.JAVA_INT);
            Status.check(lucifer_sampler_complete(sampler, complete), "lucifer_sampler_complete");
            return complete.get(ValueLayout.JAVA_INT, 0) != 0;
        } finally {
            release();
        }
    }

    /** The seed in use, also when it was drawn at random; from 0 to 2³²-1. */
    public long seed() {
        MemorySegment sampler = claim("seed");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment seed = arena.allocate(ValueLayout.JAVA_INT);
            Status.check(lucifer_sampler_seed(sampler, seed), "lucifer_sampler_seed");
            return Integer.toUnsignedLong(seed.get(ValueLayout.JAVA_INT, 0));
        } finally {
            release();
        }
    }
}
