package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.train.RawSample;
import ai.luciferai.llama.train.Sample;
import ai.luciferai.llama.train.SampleFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * The samples of a training as tokens, and what became of those that are not there as they were.
 *
 * @param train     to learn from
 * @param eval      to evaluate on, may be empty
 * @param truncated samples that lost their beginning
 * @param dropped   samples without a token to learn
 * @param badLines  lines that were passed over
 */
record TrainingSet(List<Sample> train, List<Sample> eval, int truncated, int dropped, List<String> badLines) {

    /** Reads and encodes the data of the options. */
    static TrainingSet read(Model model, DataOptions options, int seqLen, long seed, Cancel cancel) throws IOException {
        var reader = new Reader(model, options, seqLen, cancel);
        List<List<Sample>> train = new ArrayList<>();
        for (Path file : options.train()) {
            train.addAll(reader.read(file));
        }
        List<List<Sample>> eval = options.eval().isPresent() ? reader.read(options.eval().get()) : List.of();
        if (options.evalSplit() > 0) {
            var shuffled = new ArrayList<>(train);
            Collections.shuffle(shuffled, new Random(seed));
            int kept = Math.round(train.size() * (1 - options.evalSplit()));
            Check.require(kept > 0 && kept < train.size(), "eval-split", "a share that leaves samples on both sides of " + train.size(),
                    options.evalSplit());
            train = shuffled.subList(0, kept);
            eval = shuffled.subList(kept, shuffled.size());
        }
        return new TrainingSet(train.stream().flatMap(List::stream).toList(), eval.stream().flatMap(List::stream).toList(), reader.truncated, reader.dropped, List.copyOf(reader.badLines));
    }

    /** Tokens of the samples to learn from, and how many of them are learnt. */
    long tokens() {
        return train.stream().mapToLong(Sample::length).sum();
    }

    long supervisedTokens() {
        return train.stream().mapToLong(Sample::supervisedCount).sum();
    }

    private static final class Reader {

        private final DataOptions options;
        private final SampleEncoder encoder;
        private final int seqLen;
        private final Cancel cancel;
        private final List<String> badLines = new ArrayList<>();
        private int truncated;
        private int dropped;

        Reader(Model model, DataOptions options, int seqLen, Cancel cancel) {
            this.options = options;
            this.encoder = new SampleEncoder(model, options, cancel);
            this.seqLen = seqLen;
            this.cancel = cancel;
        }

        /** Samples in groups that evaluation must not tear apart: the turns of a conversation have most of their text in common. */
        List<List<Sample>> read(Path path) throws IOException {
            SampleFile file = SampleFile.read(path, options.skipBadLines());
            badLines.addAll(file.badLines());
            var groups = new ArrayList<List<Sample>>();
            for (RawSample.Located located : file.samples()) {
                cancel.check("training");
                List<Sample> encoded = encoder.encode(located, path);
                dropped += encoded.isEmpty() ? 1 : 0;
                if (SampleFile.isText(path)) {
                    encoded.stream().flatMap(text -> windows(text).stream()).forEach(window -> add(groups, List.of(window)));
                } else {
                    truncated += (int) encoded.stream().filter(sample -> sample.length() > seqLen).count();
                    add(groups, encoded.stream().map(sample -> sample.truncatedTo(seqLen)).toList());
                }
            }
            if (groups.isEmpty()) {
                throw new InvalidFileException(path, "training data", "at least one sample of two tokens or more, with one to learn",
                        dropped + " samples without");
            }
            return groups;
        }

        private void add(List<List<Sample>> groups, List<Sample> samples) {
            List<Sample> kept = samples.stream().filter(sample -> sample.supervisedCount() > 0).toList();
            dropped += samples.size() - kept.size();
            if (!kept.isEmpty()) {
                groups.add(kept);
            }
        }

        /** A plain text file, which is one long sample, falls into windows. */
        private List<Sample> windows(Sample text) {
            var windows = new ArrayList<Sample>();
            for (int from = 0; from + 1 < text.length(); from += seqLen - 1) {
                int to = Math.min(from + seqLen, text.length());
                windows.add(new Sample(Arrays.copyOfRange(text.tokens(), from, to),
                        Arrays.copyOfRange(text.supervised(), from, to)));
            }
            return windows;
        }
    }
}
