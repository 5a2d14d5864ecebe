package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.train.RawSample;
import ai.luciferai.llama.train.Sample;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns samples into tokens as generation would see them: what the model is given and what it answers are tokenized apart, and an
 * answer ends in the token that ends generation.
 */
final class SampleEncoder {

    private final Model model;
    private final DataOptions options;
    private final Cancel cancel;
    private final ConversationEncoder conversations;

    SampleEncoder(Model model, DataOptions options, Cancel cancel) {
        this.model = model;
        this.options = options;
        this.cancel = cancel;
        this.conversations = new ConversationEncoder(model, options);
    }

    /**
     * Tokens of one sample; a conversation may become several.
     *
     * @param path file that it stands in, for messages
     * @throws InvalidFileException for messages that the chat template cannot render
     */
    List<Sample> encode(RawSample.Located located, Path path) {
        var text = new Builder();
        switch (located.sample()) {
            case RawSample.Text t -> encodeText(t.text(), text);
            case RawSample.Completion c -> {
                text.add(c.prompt(), options.loss() == DataOptions.Loss.ALL, false);
                text.add(c.completion(), true, false);
                text.end();
            }
            case RawSample.Conversation c -> {
                return encodeTurns(c, path, located.line());
            }
        }
        return List.of(text.build());
    }

    private void encodeText(String all, Builder text) {
        int answer = options.loss() == DataOptions.Loss.RESPONSE ? all.indexOf('\n') + 1 : 0;
        text.add(all.substring(0, answer), false, false);
        text.add(all.substring(answer), true, false);
        text.end();
    }

    private List<Sample> encodeTurns(RawSample.Conversation conversation, Path path, int line) {
        try {
            return conversations.encode(messages(conversation.turns()), conversation.turns().stream().map(RawSample.Turn::learn).toList());
        } catch (InvalidOptionException e) {
            throw new InvalidFileException(path, "line " + line, e.expected(), e.got(), e.hint(), e);
        }
    }

    /** Turns as the chat engine takes them. */
    static List<ChatMessage> messages(List<RawSample.Turn> turns) {
        return turns.stream().map(turn -> ChatMessage.of(turn.role(), turn.content()).withReasoning(turn.reasoning())).toList();
    }

    /** Tokens and marks as they come. */
    private final class Builder {

        private final List<Integer> tokens = new ArrayList<>();
        private final List<Boolean> learnt = new ArrayList<>();

        void add(String text, boolean learn, boolean control) {
            boolean first = tokens.isEmpty();
            if (text.isEmpty() && !first) {
                return;
            }
            for (int token : model.tokenize(text, new TokenizeOptions(first, control), cancel)) {
                add(token, learn);
            }
        }

        /** The token that ends a text, unless the tokenizer has put it there. */
        void end() {
            int eos = model.info().special().eos();
            if (eos >= 0 && (tokens.isEmpty() || tokens.getLast() != eos)) {
                add(eos, true);
            }
        }

        private void add(int token, boolean learn) {
            tokens.add(token);
            learnt.add(learn);
        }

        Sample build() {
            boolean[] marks = new boolean[learnt.size()];
            for (int i = 0; i < marks.length; i++) {
                marks[i] = learnt.get(i);
            }
            return new Sample(tokens.stream().mapToInt(Integer::intValue).toArray(), marks);
        }
    }
}
