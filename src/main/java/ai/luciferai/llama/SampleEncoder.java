package ai.luciferai.llama;

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

    SampleEncoder(Model model, DataOptions options) {
        this.model = model;
        this.options = options;
    }

    /**
     * Tokens of one sample.
     *
     * @param path file that it stands in, for messages
     * @throws InvalidFileException for messages that the chat template cannot render turn by turn
     */
    Sample encode(RawSample.Located located, Path path) {
        var text = new Builder();
        switch (located.sample()) {
            case RawSample.Text t -> encodeText(t.text(), text);
            case RawSample.Completion c -> {
                text.add(c.prompt(), options.loss() == DataOptions.Loss.ALL, false);
                text.add(c.completion(), true, false);
                text.end();
            }
            case RawSample.Conversation c -> encodeTurns(c, text, path, located.line());
        }
        return text.build();
    }

    private void encodeText(String all, Builder text) {
        int answer = options.loss() == DataOptions.Loss.RESPONSE ? all.indexOf('\n') + 1 : 0;
        text.add(all.substring(0, answer), false, false);
        text.add(all.substring(answer), true, false);
        text.end();
    }

    /** Renders the conversation up to each answer, with and without it: what the second has more is the answer. */
    private void encodeTurns(RawSample.Conversation conversation, Builder text, Path path, int line) {
        List<ChatMessage> messages = conversation.turns().stream().map(t -> ChatMessage.of(t.role(), t.content())).toList();
        String done = "";
        for (int i = 0; i < messages.size(); i++) {
            if (!messages.get(i).role().equals("assistant")) {
                continue;
            }
            String question = rendered(messages.subList(0, i), true, path, line);
            String answered = rendered(messages.subList(0, i + 1), false, path, line);
            if (!question.startsWith(done) || !answered.startsWith(question)) {
                throw new InvalidFileException(path, "line " + line, "messages that the chat template renders turn by turn",
                        "a template that changes earlier turns", "use {\"prompt\", \"completion\"} lines, or --chat-template", null);
            }
            text.add(question.substring(done.length()), options.loss() == DataOptions.Loss.ALL, true);
            text.addAnswer(answered.substring(question.length()), conversation.turns().get(i).learn());
            done = answered;
        }
    }

    private String rendered(List<ChatMessage> messages, boolean answerNext, Path path, int line) {
        try {
            return model.renderChat(messages, ChatFormat.defaults().withTemplate(options.template()).withAnswerNext(answerNext)).prompt();
        } catch (InvalidOptionException e) {
            throw new InvalidFileException(path, "line " + line, "messages that the chat template can render", e.got());
        }
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
            for (int token : model.tokenize(text, new TokenizeOptions(first, control))) {
                add(token, learn);
            }
        }

        /** An assistant's turn: learnt up to the token that ends it, if at all. What the template puts behind that is given. */
        void addAnswer(String text, boolean learn) {
            boolean open = true;
            for (int token : model.tokenize(text, new TokenizeOptions(false, true))) {
                add(token, learn && (open || options.loss() == DataOptions.Loss.ALL));
                open = open && !model.isEndOfGeneration(token);
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
