import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;

/** What {@code ai.luciferai.llama.bench.Answering} does, with de.kherud:llama. Run as a source file, with its jar on the class path. */
public final class Kherud {

    private Kherud() {}

    /** {@code Kherud MODEL RUNS}; prints milliseconds to load, then tokens per second of each run. */
    public static void main(String[] args) {
        LlamaModel.setLogger(null, (level, text) -> {});
        long start = System.nanoTime();
        var model = new LlamaModel(new ModelParameters().setModel(args[0]).setCtxSize(512).setThreads(2).setThreadsBatch(2));
        System.out.printf("load_ms %.1f%n", (System.nanoTime() - start) / 1e6);
        for (int i = -1; i < Integer.parseInt(args[1]); i++) {
            long t = System.nanoTime();
            model.complete(new InferenceParameters("list files in src directory\n").setNPredict(128).setTemperature(0).setIgnoreEos(true)
                    .setCachePrompt(false));
            if (i >= 0) {
                System.out.printf("tok_s %.2f%n", 128 * 1e9 / (System.nanoTime() - t));
            }
        }
        System.out.flush();
        Runtime.getRuntime().halt(0); // model.close() did not return within two minutes on JDK 25
    }
}
