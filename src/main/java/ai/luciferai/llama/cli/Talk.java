package ai.luciferai.llama.cli;

import ai.luciferai.llama.Chat;
import ai.luciferai.llama.Completion;
import ai.luciferai.llama.GenerateOptions;
import ai.luciferai.llama.Prompt;
import ai.luciferai.llama.Session;
import ai.luciferai.llama.StopReason;
import ai.luciferai.llama.Token;
import ai.luciferai.llama.core.Cancel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** How an input of a conversation becomes a prompt. */
interface Talk {

    Completion answer(String input, GenerateOptions options, Consumer<Token> listener, Cancel cancel);

    /** Forgets what was said. */
    void reset();

    /** With a chat template. */
    record Chatting(Chat chat) implements Talk {

        @Override
        public Completion answer(String input, GenerateOptions options, Consumer<Token> listener, Cancel cancel) {
            return chat.send(input, options, listener, cancel);
        }

        @Override
        public void reset() {
            chat.reset();
        }
    }

    /** Each input is a prompt of its own, ended by a line end as llama.cpp does it. */
    record LineByLine(Session session) implements Talk {

        @Override
        public Completion answer(String input, GenerateOptions options, Consumer<Token> listener, Cancel cancel) {
            return session.complete(Prompt.text(input + "\n"), options, listener, cancel);
        }

        @Override
        public void reset() {
            // nothing is kept
        }
    }

    /** Alpaca's form, which the instruct mode of early llama.cpp had; what was said before stands above. */
    final class Instructing implements Talk {

        private static final String ASK = "### Instruction:\n\n";
        private static final String ANSWER = "\n\n### Response:\n\n";

        private final Session session;
        private final String beginning;
        private final StringBuilder said = new StringBuilder();

        /** @param system what stands above all, or nothing */
        Instructing(Session session, String system) {
            this.session = session;
            beginning = system.isEmpty() ? "" : system + "\n\n";
            reset();
        }

        @Override
        public Completion answer(String input, GenerateOptions options, Consumer<Token> listener, Cancel cancel) {
            var stops = new ArrayList<>(options.stops());
            stops.addAll(List.of("### Instruction:"));
            String prompt = said + ASK + input + ANSWER;
            Completion completion = session.complete(Prompt.text(prompt), options.withStops(stops), listener, cancel);
            if (completion.stopReason() != StopReason.CANCELLED) {
                said.setLength(0);
                said.append(prompt).append(completion.text().stripTrailing()).append("\n\n");
            }
            return completion;
        }

        @Override
        public void reset() {
            said.setLength(0);
            said.append(beginning);
        }
    }
}
