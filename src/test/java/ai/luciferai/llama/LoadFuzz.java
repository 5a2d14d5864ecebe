package ai.luciferai.llama;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufMutator;
import ai.luciferai.llama.gguf.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The child process of {@link LoadFuzzIT}: makes mutants of small models and of an adapter, asks for what they hold, loads them, and
 * generates a token. Says on stdout what it is doing, so that the parent knows which mutant ended it.
 */
final class LoadFuzz {

    private final Path sound;
    private final Path adapter;
    private final Path mutant;
    private final Map<String, Integer> outcomes = new TreeMap<>();

    private LoadFuzz(Path folder) {
        this.sound = folder.resolve("spm.gguf");
        this.adapter = folder.resolve("adapter.gguf");
        this.mutant = folder.resolve("mutant.gguf");
    }

    /** Arguments: an own folder, first seed, number of mutants, further models to mutate. */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        var fuzz = new LoadFuzz(folder);
        Path bpe = folder.resolve("bpe.gguf");
        TinyModel.writeSpm(fuzz.sound);
        TinyModel.writeBpe(bpe);
        TinyModel.writeAdapter(fuzz.adapter);
        var bases = new ArrayList<>(List.of(fuzz.sound, bpe, fuzz.sound, bpe, fuzz.adapter));
        for (int i = 3; i < args.length; i++) {
            bases.add(Path.of(args[i]));
        }
        long first = Long.parseLong(args[1]);
        for (long seed = first; seed < first + Long.parseLong(args[2]); seed++) {
            System.out.println("seed " + seed);
            fuzz.run(bases.get((int) (seed % bases.size())), seed);
        }
        System.out.println("done " + fuzz.outcomes);
    }

    private void run(Path base, long seed) throws IOException {
        Files.deleteIfExists(mutant);
        System.out.println(base.getFileName() + ": " + GgufMutator.mutate(base, seed, mutant).replaceAll("\\p{Cntrl}", "?"));
        String outcome = "sound";
        try {
            Info.run(InfoOptions.of(mutant));
            outcome = "readable";
            generate(base.equals(adapter));
            outcome = "generates";
        } catch (BridgeException refusal) {
            outcome += ", then " + refusal.getClass().getSimpleName();
        }
        outcomes.merge(outcome, 1, Integer::sum);
    }

    private void generate(boolean asAdapter) {
        var context = ContextOptions.defaults().withContextSize(64).withThreads(1);
        var greedy = GenerateOptions.defaults().withMaxTokens(1).withSampling(Sampling.greedy());
        Path path = asAdapter ? sound : mutant;
        try (Model model = Model.load(path, ModelOptions.defaults(), Progress.NONE, Cancel.NONE);
                Session session = model.session(context)) {
            if (asAdapter) {
                session.adapters(List.of(new AdapterScale(model.loadAdapter(mutant), 1f)));
            }
            session.complete(Prompt.text("hello world\n"), greedy);
            model.chatTemplate();
        }
    }
}
