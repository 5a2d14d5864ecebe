package ai.luciferai.llama;

import ai.luciferai.llama.train.Sample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Turns a conversation into samples: as few as there can be if every answer shall stand behind the prompt that generation would be
 * given for it. One is enough where the template keeps earlier turns as they are; where it leaves out what was thought in them, each
 * answer has a sample of its own.
 */
final class ConversationEncoder {

    private final Model model;
    private final boolean learnAll;
    private final TurnRenderer renderer;

    ConversationEncoder(Model model, DataOptions options) {
        this.model = model;
        this.learnAll = options.loss() == DataOptions.Loss.ALL;
        ChatTemplate template = options.template();
        ChatFormat format = ChatFormat.defaults().withTemplate(template);
        requireNamed(model, format);
        this.renderer = new TurnRenderer((messages, answerNext) -> model.renderChat(messages, format.withAnswerNext(answerNext)).prompt(),
                template.isOwn() ? model.chatTemplate().orElse("") : template.source());
    }

    /** A template that does not exist is the option's fault, not that of the first line of the data. */
    private static void requireNamed(Model model, ChatFormat format) {
        String source = format.template().source();
        if (!format.template().isOwn() && !source.contains("{{") && !source.contains("{%")) {
            model.renderChat(List.of(ChatMessage.of("user", "x")), format);
        }
    }

    /**
     * An answer as tokens.
     *
     * @param given how many of them are what the answer follows
     * @param end   behind the token that ends the answer; what the template puts there is not learnt
     */
    private record Turn(int[] tokens, int given, int end) {}

    /**
     * The samples of one conversation.
     *
     * @param learn for each message, whether it is to be learnt
     * @throws ai.luciferai.llama.core.InvalidOptionException the template refuses the messages, or leaves out part of an answer
     */
    List<Sample> encode(List<ChatMessage> messages, List<Boolean> learn) {
        int last = messages.size() - 1;
        while (last >= 0 && !(isAnswer(messages, last) && learn.get(last))) {
            last--;
        }
        var samples = new ArrayList<Builder>();
        int before = -1;
        for (int at = 0; at <= last; at++) {
            if (isAnswer(messages, at)) {
                Turn turn = turn(messages, at);
                if (samples.isEmpty() || !samples.getLast().isContinuedBy(turn)) {
                    samples.add(new Builder(learnAll && !samples.isEmpty() ? ahead(messages, before + 1, at) : 0));
                }
                samples.getLast().add(turn, learn.get(at));
                before = at;
            }
        }
        return samples.stream().filter(Builder::learns).map(Builder::build).toList();
    }

    private static boolean isAnswer(List<ChatMessage> messages, int at) {
        return messages.get(at).role().equals("assistant");
    }

    /** How many tokens come before the first new message of a prompt: an earlier sample has them. */
    private int ahead(List<ChatMessage> messages, int first, int at) {
        if (first == at) {
            return Integer.MAX_VALUE;
        }
        List<ChatMessage> given = messages.subList(0, at);
        String prompt = renderer.turn(messages, at).prompt();
        return shared(tokens(prompt.substring(0, renderer.start(given, first, prompt))), tokens(prompt));
    }

    private Turn turn(List<ChatMessage> messages, int at) {
        RenderedTurn text = renderer.turn(messages, at);
        int[] whole = tokens(text.whole());
        int given = shared(tokens(text.prompt()), whole);
        int least = tokens(text.followsPrompt() ? text.prompt() : text.whole().substring(0, text.asked())).length;
        if (given < least) { // a token across the border: generation would have the prompt's
            int[] start = tokens(text.whole().substring(0, text.shared()));
            whole = joined(start, model.tokenize(text.whole().substring(text.shared()), new TokenizeOptions(false, true)));
            given = start.length;
        }
        int[] body = tokens(text.body());
        int from = Math.max(given, shared(body, whole));
        int end = endOfGeneration(whole, from);
        return end > 0 ? new Turn(whole, given, end) : closed(text, Arrays.copyOf(whole, from), given, body, renderer.closing(messages, at));
    }

    /** An answer behind which the template puts nothing that ends generation, with what it puts there before the next question, or the end. */
    private Turn closed(RenderedTurn text, int[] whole, int given, int[] body, String closing) {
        int[] longer = tokens(text.body() + closing);
        int end = endOfGeneration(longer, shared(body, longer));
        if (end < 0) {
            String rest = closing.isEmpty() ? text.tail() : wholeTags(closing.substring(0, TurnRenderer.sharedLength(closing, text.tail())));
            longer = withEnd(tokens(text.body() + rest));
            end = longer.length;
        }
        int[] tokens = joined(whole, Arrays.copyOfRange(longer, shared(body, longer), end));
        return new Turn(tokens, given, tokens.length);
    }

    private static String wholeTags(String text) {
        int open = text.lastIndexOf('<');
        return open > text.lastIndexOf('>') ? text.substring(0, open) : text;
    }

    private int[] withEnd(int[] tokens) {
        ModelInfo.SpecialTokens special = model.info().special();
        int end = special.eos() >= 0 ? special.eos() : special.eot();
        return end < 0 ? tokens : joined(tokens, new int[] {end});
    }

    /** Behind the first token from there on that ends generation; -1: none. */
    private int endOfGeneration(int[] tokens, int from) {
        for (int i = from; i < tokens.length; i++) {
            if (model.isEndOfGeneration(tokens[i])) {
                return i + 1;
            }
        }
        return -1;
    }

    /** As generation tokenizes a rendered chat, without the end that some tokenizers put behind every text. */
    private int[] tokens(String text) {
        int[] tokens = model.tokenize(text, TokenizeOptions.defaults());
        return model.info().special().addEos() && tokens.length > 0 ? Arrays.copyOf(tokens, tokens.length - 1) : tokens;
    }

    private static int shared(int[] a, int[] b) {
        int n = Arrays.mismatch(a, b);
        return n < 0 ? a.length : n;
    }

    private static int[] joined(int[] a, int[] b) {
        int[] all = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, all, a.length, b.length);
        return all;
    }

    /** One sample as it grows. */
    private final class Builder {

        private final int ahead;
        private int[] tokens = new int[0];
        private boolean[] marks = new boolean[0];
        private int end;
        private boolean learns;

        /** @param ahead tokens that are not learnt, even if everything is */
        Builder(int ahead) {
            this.ahead = ahead;
        }

        boolean isContinuedBy(Turn turn) {
            return turn.given >= end && Arrays.equals(tokens, 0, end, turn.tokens, 0, end);
        }

        void add(Turn turn, boolean learn) {
            tokens = turn.tokens;
            marks = Arrays.copyOf(marks, tokens.length);
            Arrays.fill(marks, end, tokens.length, false);
            for (int i = end; i < tokens.length; i++) {
                boolean answer = i >= turn.given && i < turn.end;
                marks[i] = answer ? learn : learnAll && i >= ahead && (learn || i < turn.given);
            }
            end = turn.end;
            learns = learns || learn;
        }

        boolean learns() {
            return learns;
        }

        Sample build() {
            return new Sample(tokens, marks);
        }
    }
}
