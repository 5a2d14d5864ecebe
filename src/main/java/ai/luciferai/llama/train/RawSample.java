package ai.luciferai.llama.train;

import java.util.List;

/** One sample as it stands in the file, before it becomes tokens. */
public sealed interface RawSample {

    /** Plain text: {@code {"text": …}}, or a whole text file. */
    record Text(String text) implements RawSample {}

    /** {@code {"prompt": …, "completion": …}}. */
    record Completion(String prompt, String completion) implements RawSample {}

    /** {@code {"messages": [{"role": …, "content": …}, …]}}. */
    record Conversation(List<Turn> turns) implements RawSample {

        public Conversation {
            turns = List.copyOf(turns);
        }
    }

    /**
     * One message.
     *
     * @param reasoning what the assistant thought before it, from {@code "reasoning_content"}; empty: nothing
     * @param learn     whether an assistant's message is learnt; {@code "weight": 0} says that it is only read
     */
    record Turn(String role, String content, String reasoning, boolean learn) {

        public Turn(String role, String content) {
            this(role, content, true);
        }

        public Turn(String role, String content, boolean learn) {
            this(role, content, "", learn);
        }
    }

    /** A sample and the line it stands on, from 1. */
    record Located(int line, RawSample sample) {}
}
