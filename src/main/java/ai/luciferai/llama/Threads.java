package ai.luciferai.llama;

/**
 * How many threads compute.
 *
 * @param generation for single tokens; 0: one for each physical core, or a single one where GPUs compute all, as the others would only
 *                   wait for work and be in the way
 * @param prompt     for prompts; 0: as many as for generation
 */
public record Threads(int generation, int prompt) {

    /** GGML_MAX_N_THREADS */
    private static final int MOST = 512;

    public Threads {
        requireCount("threads", generation);
        requireCount("threads-batch", prompt);
    }

    public static Threads defaults() {
        return new Threads(0, 0);
    }

    public static Threads of(int n) {
        return new Threads(n, n);
    }

    /** Refuses a number of threads that ggml cannot use; 0 stands for a choice of ours. */
    static void requireCount(String option, int threads) {
        Check.require(threads >= 0 && threads <= MOST, option, "0 to " + MOST, threads);
    }
}
