package ai.luciferai.llama.train;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.JsonFault;
import ai.luciferai.llama.core.MappedFile;
import ai.luciferai.llama.core.Utf8;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Reads samples to learn from or to be judged by: JSON lines, or plain text where the file's name does not end in {@code .jsonl} or {@code .json}.
 *
 * @param samples  in the order of the file
 * @param badLines what was wrong with lines that were passed over, one message each
 */
public record SampleFile(List<RawSample.Located> samples, List<String> badLines) {

    private static final JsonMapper JSON = JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build();

    private static final Set<Set<String>> FORMS = Set.of(Set.of("text"), Set.of("prompt", "completion"), Set.of("messages"));

    /** Keys of messages that change what is learnt, and that no sample keeps. */
    private static final List<String> NOT_YET_READ = List.of("tool_calls", "function_call", "reasoning", "thinking");

    private static final String EXPECTED = "{\"text\": …}, {\"prompt\": …, \"completion\": …} or {\"messages\": […]}";

    public SampleFile {
        samples = List.copyOf(samples);
        badLines = List.copyOf(badLines);
    }

    /** A line that is no sample. */
    private static final class BadLine extends Exception {

        private static final long serialVersionUID = 1L;

        BadLine(String message) {
            super(message);
        }
    }

    /**
     * Reads a file.
     *
     * @param skipBad whether bad lines are passed over instead of ending the reading
     * @throws InvalidFileException missing, not UTF-8, a bad line (named by number and reason), or no sample at all
     */
    public static SampleFile read(Path path, boolean skipBad) throws IOException {
        MappedFile.requireReadable(path);
        byte[] bytes = Files.readAllBytes(path);
        DataFormat format = DataFormat.of(path, bytes);
        String text = Utf8.decode(path, bytes);
        SampleFile file = format == DataFormat.JSON_LINES ? lines(path, text, skipBad) : whole(text);
        if (file.samples().isEmpty()) {
            throw new InvalidFileException(path, "samples", "at least one sample", file.badLines().isEmpty() ? "an empty file"
                    : "none that can be used, the first fault: " + file.badLines().getFirst());
        }
        return file;
    }

    /** Whether a file is one long text, not samples of their own. */
    public static boolean isText(Path path) {
        return !DataFormat.isJsonLines(path);
    }

    private static SampleFile whole(String text) {
        return new SampleFile(text.isBlank() ? List.of() : List.of(new RawSample.Located(1, new RawSample.Text(text))), List.of());
    }

    private static SampleFile lines(Path path, String text, boolean skipBad) {
        requireLines(path, text);
        var samples = new ArrayList<RawSample.Located>();
        var bad = new ArrayList<String>();
        int number = 0;
        for (String line : text.split("\n", -1)) {
            number++;
            if (line.isBlank()) {
                continue;
            }
            try {
                samples.add(new RawSample.Located(number, sample(line)));
            } catch (BadLine fault) {
                if (!skipBad) {
                    throw new InvalidFileException(path, "line " + number, EXPECTED, fault.getMessage(),
                            "mend the line, or pass over bad lines with --skip-bad-lines", null);
                }
                bad.add("line " + number + ": " + fault.getMessage());
            }
        }
        return new SampleFile(samples, bad);
    }

    /** A list of samples as one piece of JSON, or a sample written over several lines: each of its lines would be a bad one. */
    private static void requireLines(Path path, String text) {
        String first = text.lines().filter(line -> !line.isBlank()).findFirst().orElse("{}");
        if (isJson(first, JsonNode::isObject)) {
            return;
        }
        if (isJson(text, JsonNode::isArray)) {
            throw new InvalidFileException(path, "samples", "JSON lines, a sample each", "one JSON array",
                    "make a line of each element: jq -c '.[]' does");
        }
        if (isJson(text, JsonNode::isObject)) {
            throw new InvalidFileException(path, "samples", "JSON lines, a sample each", "one JSON object over several lines",
                    "write it in one line: jq -c . does");
        }
    }

    private static boolean isJson(String text, Predicate<JsonNode> kind) {
        try {
            JsonNode node = JSON.readTree(text);
            return node != null && kind.test(node);
        } catch (JsonProcessingException e) {
            return false;
        }
    }

    private static RawSample sample(String line) throws BadLine {
        JsonNode node;
        try {
            node = JSON.readTree(line);
        } catch (JsonProcessingException e) {
            // All of it stands in one line, whose number is told.
            throw new BadLine("malformed JSON: " + JsonFault.text(e.getOriginalMessage()).replace(" (start marker at line 1)", ""));
        }
        if (!node.isObject()) {
            throw new BadLine("JSON that is no object");
        }
        var keys = new TreeSet<String>();
        node.fieldNames().forEachRemaining(keys::add);
        if (!FORMS.contains(keys)) {
            throw new BadLine("an object with the keys " + keys);
        }
        if (keys.contains("messages")) {
            return conversation(node.get("messages"));
        }
        return keys.contains("text") ? new RawSample.Text(string(node, "text"))
                : new RawSample.Completion(string(node, "prompt"), string(node, "completion"));
    }

    private static String string(JsonNode node, String key) throws BadLine {
        JsonNode value = node.get(key);
        if (value == null || !value.isTextual()) {
            throw new BadLine("\"" + key + "\" that is no string");
        }
        if (value.textValue().isEmpty() && !key.equals("prompt")) {
            throw new BadLine("\"" + key + "\" that is empty");
        }
        return value.textValue();
    }

    private static RawSample conversation(JsonNode messages) throws BadLine {
        if (!messages.isArray() || messages.isEmpty()) {
            throw new BadLine("\"messages\" that is no list, or empty");
        }
        var turns = new ArrayList<RawSample.Turn>();
        for (JsonNode message : messages) {
            JsonNode role = message.get("role");
            JsonNode content = message.get("content");
            if (role == null || content == null || !role.isTextual() || !content.isTextual()) {
                throw new BadLine("a message without the strings \"role\" and \"content\"");
            }
            for (String unread : NOT_YET_READ) {
                if (message.hasNonNull(unread)) {
                    throw new BadLine("a message with \"" + unread + "\", which would be lost (thoughts are read from \"reasoning_content\")");
                }
            }
            turns.add(new RawSample.Turn(role.textValue(), content.textValue(), reasoning(message), isLearnt(message)));
        }
        if (turns.stream().noneMatch(turn -> turn.role().equals("assistant"))) {
            throw new BadLine("messages without one of the assistant to learn");
        }
        return new RawSample.Conversation(turns);
    }

    private static String reasoning(JsonNode message) throws BadLine {
        JsonNode reasoning = message.get("reasoning_content");
        if (reasoning == null || reasoning.isNull()) {
            return "";
        }
        if (!reasoning.isTextual()) {
            throw new BadLine("a message with \"reasoning_content\" that is no string");
        }
        return reasoning.textValue();
    }

    /** OpenAI's key for single messages: 0 is read and not learnt, 1 is learnt. */
    private static boolean isLearnt(JsonNode message) throws BadLine {
        JsonNode weight = message.get("weight");
        if (weight == null || weight.isNull()) {
            return true;
        }
        if (!weight.isNumber() || (weight.doubleValue() != 0 && weight.doubleValue() != 1)) {
            throw new BadLine("a message with \"weight\": " + weight + ", expected 0 or 1");
        }
        return weight.doubleValue() == 1;
    }
}
