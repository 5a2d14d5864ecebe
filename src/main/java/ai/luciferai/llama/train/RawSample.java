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

    /** One message. */
    record Turn(String role, String content) {}

    /** A sample and the line it stands on, from 1. */
    record Located(int line, RawSample sample) {}
}
