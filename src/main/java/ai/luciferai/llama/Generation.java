package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.ffi.SamplerHandle;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * A text that is being generated, pulled token by token.
 *
 * <p><i>Ownership</i>: of whoever called {@link Session#generate}; closing it early ends it with {@link StopReason#CANCELLED}, and the
 * session keeps what was computed. <i>Threads</i>: one at a time.
 */
public final class Generation implements Iterator<Token>, Iterable<Token>, AutoCloseable {

    private final Session session;
    private final SamplerHandle sampler;
    private final TextTrack track;
    private final TokenPicker picker;
    private final Cancel cancel;
    private final PhaseClock clock;
    private final int[] prompt;
    private final int reused;
    private final long seed;
    private boolean prompted;
    private int last;
    private Token ready;
    private Completion completion;

    Generation(Session session, GenerationPlan plan, SamplerHandle sampler, int[] prompt, int reused, Cancel cancel,
            PhaseClock clock) {
        this.session = session;
        this.sampler = sampler;
        this.track = plan.track(session.vocabulary());
        this.picker = new TokenPicker(session.context(), session.vocabulary(), plan.options());
        this.prompt = prompt;
        this.reused = reused;
        this.cancel = cancel;
        this.clock = clock;
        this.seed = sampler.seed();
    }

    /** Whether there is another token; computes it if need be. */
    @Override
    public boolean hasNext() {
        if (ready == null && completion == null) {
            ready = compute();
        }
        return ready != null;
    }

    @Override
    public Token next() {
        if (!hasNext()) {
            throw new NoSuchElementException("the generation has ended: " + completion.stopReason());
        }
        Token token = ready;
        ready = null;
        return token;
    }

    /** This generation itself: it can be gone through once. */
    @Override
    public Iterator<Token> iterator() {
        return this;
    }

    /** The whole, once there is no further token; before that, an {@link IllegalStateException}. */
    public Completion completion() {
        if (completion == null) {
            throw new IllegalStateException("the generation goes on: take its tokens first, or close it");
        }
        return completion;
    }

    private Token compute() {
        session.occupancy().enter("generate");
        try {
            clock.enter();
            Token token = step();
            clock.leave();
            if (track.ended()) {
                end();
            }
            return token;
        } catch (RuntimeException e) {
            track.cancel();
            end();
            throw e;
        } finally {
            session.occupancy().leave();
        }
    }

    /** The next token, or null when there is none. */
    private Token step() {
        try {
            cancel.check("generation");
            decode();
        } catch (CancelledException e) {
            track.cancel();
            return null;
        }
        if (track.ended()) {
            return null;
        }
        last = sampler.sample(session.context(), TokenPicker.LAST_OUTPUT);
        clock.token();
        return picker.accept(track, last, TokenPicker.LAST_OUTPUT, session.hasRoom());
    }

    private void decode() {
        if (prompted) {
            session.decoder().token(last, cancel);
        } else {
            session.decoder().prompt(prompt, cancel);
            prompted = true;
        }
    }

    private void end() {
        Timings timings = clock.timings(prompt.length - reused, reused, track.generated());
        completion = track.completion(prompt.length, timings, seed, sampler::mayEnd);
        sampler.close();
        session.ended(this);
    }

    /** Ends it; a second call, or one after the last token, does nothing. */
    @Override
    public void close() {
        if (completion != null) {
            return;
        }
        session.occupancy().enter("close generation");
        try {
            abandon();
        } finally {
            session.occupancy().leave();
        }
    }

    /** Ends it without asking who is inside; its session has. */
    void abandon() {
        if (completion == null) {
            track.cancel();
            end();
        }
    }
}
