package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.train.RawSample;
import ai.luciferai.llama.train.RawSample.Turn;
import ai.luciferai.llama.train.Sample;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which tokens of a conversation are learnt. */
class SampleEncoderIT {

    private static final Path FILE = Path.of("data.jsonl");

    private static String learnt(Model model, Sample sample) {
        return model.detokenize(IntStream.range(0, sample.length()).filter(i -> sample.supervised()[i]).map(i -> sample.tokens()[i]).toArray(), true);
    }

    @Test
    void anAnswerOfWeightZeroIsGivenAndNotLearnt() {
        try (Model model = Model.embedded(Goldens.onCpu(), Progress.NONE, Cancel.NONE)) {
            for (DataOptions.Loss loss : DataOptions.Loss.values()) {
                SampleEncoder encoder = new SampleEncoder(model, DataOptions.of(FILE).withLoss(loss));
                Sample all = encode(encoder, true);
                Sample second = encode(encoder, false);
                assertArrayEquals(all.tokens(), second.tokens());
                assertEquals(true, learnt(model, all).contains("mkdir one"));
                assertEquals(false, learnt(model, second).contains("mkdir one"));
                assertEquals(true, learnt(model, second).contains("mkdir two"));
            }
        }
    }

    private static Sample encode(SampleEncoder encoder, boolean learnFirst) {
        List<Turn> turns = List.of(new Turn("user", "make one"), new Turn("assistant", "mkdir one", learnFirst), new Turn("user", "make two"),
                new Turn("assistant", "mkdir two"));
        return encoder.encode(new RawSample.Located(1, new RawSample.Conversation(turns)), FILE);
    }
}
