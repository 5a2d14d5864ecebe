package ai.luciferai.llama;

/**
 * How many threads compute.
 *
 * @param generation for single tokens; 0: one for each physical core
 * @param prompt     for prompts; 0: as many as for generation
 */
public record Threads(int generation, int prompt) {

    public Threads {
        Check.atLeast("threads", generation, 0);
        Check.atLeast("threads-batch", prompt, 0);
    }

    public static Threads defaults() {
        return new Threads(0, 0);
    }

    public static Threads of(int n) {
        return new Threads(n, n);
    }
}
