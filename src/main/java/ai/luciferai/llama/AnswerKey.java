package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.train.RawSample;
import ai.luciferai.llama.train.SampleFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Prompts and the only right answer to each, and how a model does on them. */
record AnswerKey(Path file, List<RawSample.Located> samples) {

    /** Beyond the longest right answer, so that one that goes on is seen to be wrong. */
    private static final int MORE_TOKENS = 16;

    /** One prompt as the model is given it. */
    private record Item(String prompt, String expected, List<String> stops) {}

    /** @throws InvalidFileException for lines that are no samples, or have no answer */
    static AnswerKey read(Path file) throws IOException {
        var key = new AnswerKey(file, samples(file));
        for (RawSample.Located located : key.samples) {
            if (located.sample() instanceof RawSample.Text text && text.text().strip().indexOf('\n') < 0) {
                throw new InvalidFileException(file, "line " + located.line(), "a prompt, a line break, and the answer",
                        "a text of one line");
            }
        }
        return key;
    }

    /** The hint is for training, where bad lines can be passed over; here a share of what is left would mislead. */
    private static List<RawSample.Located> samples(Path file) throws IOException {
        try {
            return SampleFile.read(file, false).samples();
        } catch (InvalidFileException e) {
            throw new InvalidFileException(e.path(), e.where(), e.expected(), e.got());
        }
    }

    ExactMatch score(Answering answering) {
        Model model = answering.model();
        List<Item> items = samples.stream().map(sample -> item(sample.sample(), model)).toList();
        int longest = items.stream().mapToInt(item -> model.tokenize(item.expected, TokenizeOptions.plain()).length).max().orElse(0);
        List<String> stops = items.stream().flatMap(item -> item.stops.stream()).distinct().toList();
        List<String> answers = answering.ask(items.stream().map(Item::prompt).toList(), longest + MORE_TOKENS, stops);
        var misses = new ArrayList<ExactMatch.Miss>();
        for (int i = 0; i < items.size(); i++) {
            Item item = items.get(i);
            if (!answers.get(i).strip().equals(item.expected.strip())) {
                misses.add(new ExactMatch.Miss(item.prompt, item.expected, answers.get(i)));
            }
        }
        return new ExactMatch(items.size(), misses);
    }

    private static Item item(RawSample sample, Model model) {
        return switch (sample) {
            case RawSample.Text text -> {
                int answer = text.text().indexOf('\n') + 1;
                yield new Item(text.text().substring(0, answer), text.text().substring(answer), List.of());
            }
            case RawSample.Completion completion -> new Item(completion.prompt(), completion.completion(), List.of());
            case RawSample.Conversation conversation -> item(conversation, model);
        };
    }

    /** Up to the last answer of the assistant. */
    private static Item item(RawSample.Conversation conversation, Model model) {
        int last = conversation.turns().size() - 1;
        while (!conversation.turns().get(last).role().equals("assistant")) {
            last--;
        }
        List<ChatMessage> messages = SampleEncoder.messages(conversation.turns().subList(0, last));
        RenderedChat chat = model.renderChat(messages, ChatFormat.defaults().withAnswerNext(true));
        return new Item(chat.prompt(), conversation.turns().get(last).content(), chat.stops());
    }
}
