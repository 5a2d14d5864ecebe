package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.Metadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Vocabularies that know a chat template's marks as tokens, as its own model does: the embedded model's with them added. */
final class ChatVocabulary {

    private static final int CONTROL = 3;
    private static final Pattern MARKS = Pattern.compile("<[|/\uff5c]?[\\w:\u2581]+[|\uff5c]?>|<\\|?/?[\\w ]+\\|?>|\\[/?[A-Z_]+]|]~!b\\[|]~b]|\\[e~\\[");

    private ChatVocabulary() {}

    /** A model without weights for texts with such marks. */
    static Model load(Path file, Collection<String> texts, String end) throws IOException {
        var marks = new TreeSet<String>(List.of(end));
        texts.forEach(text -> MARKS.matcher(text).results().forEach(mark -> marks.add(mark.group())));
        if (end.equals("<|return|>")) {
            marks.add("<|call|>"); // by both llama.cpp knows gpt-oss, whose <|end|> ends no generation
        }
        try (GgufFile embedded = GgufReader.read(EmbeddedModel.path())) {
            TestFiles.write(file, with(embedded.metadata(), marks, end), Map.of(), 0);
        }
        return Model.load(file, ModelOptions.defaults().withVocabOnly(true), Progress.NONE, Cancel.NONE);
    }

    private static Metadata with(Metadata old, Collection<String> marks, String end) {
        var tokens = new ArrayList<>(old.strings("tokenizer.ggml.tokens").strings());
        marks.stream().filter(mark -> !tokens.contains(mark)).forEach(tokens::add);
        int[] types = Arrays.copyOf(old.array("tokenizer.ggml.token_type").toInts(), tokens.size());
        marks.forEach(mark -> types[tokens.indexOf(mark)] = CONTROL);
        Metadata.Builder changed = old.toBuilder().array("tokenizer.ggml.tokens", GgufArray.ofStrings(tokens))
                .array("tokenizer.ggml.token_type", GgufArray.ofInt32(types)).remove("tokenizer.chat_template")
                .remove("tokenizer.ggml.eot_token_id").uint32("tokenizer.ggml.eos_token_id", tokens.indexOf(end));
        String architecture = old.string(Metadata.ARCHITECTURE);
        if (old.has(architecture + ".vocab_size")) {
            changed.uint32(architecture + ".vocab_size", tokens.size());
        }
        if (old.has("tokenizer.ggml.scores")) {
            changed.array("tokenizer.ggml.scores", GgufArray.ofFloat32(Arrays.copyOf(old.array("tokenizer.ggml.scores").toFloats(), tokens.size())));
        }
        return changed.build();
    }
}
