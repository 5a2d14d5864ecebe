package ai.luciferai.llama.cli;

import ai.luciferai.llama.Completion;
import ai.luciferai.llama.Model;
import ai.luciferai.llama.Session;
import ai.luciferai.llama.StopReason;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ContextFullException;
import java.io.IOException;
import java.util.Map;

/** A conversation: answers go to stdout, all else to stderr. Ctrl-C stops the answer, twice leaves. */
final class Interactive {

    private static final String HELP = """
            Every input gets an answer; a backslash at a line's end continues the input.
              /reset   forget what was said
              /exit    leave, as Ctrl-D does
            Ctrl-C stops an answer, twice leaves.""";

    private final GeneratePlan plan;
    private final Model model;
    private final Environment environment;
    private final boolean typed;
    private volatile Cancel answering = Cancel.NONE;
    private volatile boolean leave;

    Interactive(GeneratePlan plan, Model model, Environment environment) {
        this.plan = plan;
        this.model = model;
        this.environment = environment;
        typed = Environment.isTerminal(0) && (environment.errIsTerminal() || Environment.isTerminal(1));
    }

    /** @param first what is said first, or null */
    int run(String first) throws IOException {
        try (Session session = model.session(plan.contextOptions()); Lines lines = typed ? new TerminalLines(environment) : new PipedLines(environment)) {
            Talk talk = talk(session);
            lines.onInterrupt(this::interrupted);
            if (typed) {
                environment.say(model.info().description() + ". /help lists what else can be said; Ctrl-C stops an answer, twice leaves.");
            }
            if (first != null) {
                answer(talk, first);
            }
            return first != null && plan.single() ? ended() : converse(talk, lines);
        }
    }

    /**
     * Answers the lines of stdin, which have nothing to do with each other, each before the next is read. One that does not fit ends it:
     * the answers behind it would stand in other places than their prompts.
     *
     * @param first the first of them
     */
    int answerEach(String first) throws IOException {
        try (Session session = model.session(plan.contextOptions())) {
            Talk talk = talk(session);
            environment.print(plan.json() ? "[" : "");
            try {
                return answerEach(talk, first);
            } finally {
                environment.print(plan.json() ? " ]\n" : ""); // JSON also where it ends early
            }
        }
    }

    private int answerEach(Talk talk, String first) throws IOException {
        String separator = " ";
        for (String prompt = first; prompt != null; prompt = plan.single() ? null : plan.nextPipedPrompt(environment)) {
            talk.reset();
            String place = "stdin, line " + environment.lineNumber() + ": ";
            try {
                if (plan.json()) {
                    Completion completion = talk.answer(prompt, plan.options(), token -> {}, environment.cancel());
                    Map<String, Object> answer = Json.object("prompt", prompt);
                    answer.putAll(CompletionText.json(completion));
                    environment.print(separator + Json.pretty(answer).stripTrailing());
                    environment.flush();
                    separator = ", ";
                    tellEnd(completion, place, "-c makes it larger");
                } else {
                    answer(talk, prompt, place, "-c makes it larger");
                }
            } catch (ContextFullException e) {
                environment.err().println("error: " + place + e.getMessage());
                return ExitCode.of(e);
            }
            if (environment.cancel().requested()) {
                return ExitCode.CANCELLED;
            }
        }
        return ExitCode.OK;
    }

    private Talk talk(Session session) {
        boolean template = !plan.chat().format().template().isOwn() || model.chatTemplate().isPresent();
        boolean without = plan.instruct() || !plan.chatsOnce(); // Alpaca's form, or none: what stands in for a template
        if (Boolean.FALSE.equals(plan.chatMode()) || !template && without) {
            return plan.instruct() ? new Talk.Instructing(session, plan.chat().systemPrompt()) : new Talk.LineByLine(session);
        }
        return new Talk.Chatting(session.chat(plan.chat()));
    }

    private int converse(Talk talk, Lines lines) throws IOException {
        boolean asked = false;
        while (!leave) {
            String input;
            try {
                input = lines.next();
            } catch (Lines.InterruptedLineException e) {
                if (asked) {
                    return ExitCode.CANCELLED;
                }
                asked = true;
                environment.say("Ctrl-C again leaves");
                continue;
            }
            asked = false;
            if (input == null || input.equals("/exit") || input.equals("/quit")) {
                return ExitCode.OK;
            }
            boolean answered = false;
            switch (input.strip()) {
                case "" -> { }
                case "/help" -> environment.say(HELP);
                case "/reset" -> talk.reset();
                default -> {
                    answer(talk, input);
                    answered = true;
                }
            }
            if (environment.cancel().requested() || answered && plan.single()) {
                return ended();
            }
        }
        return ExitCode.CANCELLED;
    }

    private int ended() {
        return environment.cancel().requested() ? ExitCode.CANCELLED : ExitCode.OK;
    }

    /** An input that does not fit is told, and the conversation goes on if it may. */
    private void answer(Talk talk, String input) {
        try {
            answer(talk, input, "", "/reset empties it, -c makes it larger");
        } catch (ContextFullException e) {
            if (plan.single()) {
                throw e;
            }
            environment.err().println("error: " + e.getMessage());
        }
    }

    /**
     * Prints an answer at once.
     *
     * @param place    which input it answers, where that does not go without saying
     * @param whenFull what helps against a context that it fills
     */
    private void answer(Talk talk, String input, String place, String whenFull) {
        Cancel cancel = typed ? new Cancel() : environment.cancel();
        answering = cancel;
        try {
            Completion completion = talk.answer(input, plan.options(), token -> {
                environment.stream(token);
                if (environment.cancel().requested()) {
                    cancel.request();
                }
            }, cancel);
            environment.print(completion.text().endsWith("\n") ? "" : "\n");
            environment.flush();
            tell(completion);
            tellEnd(completion, place, whenFull);
        } finally {
            answering = Cancel.NONE;
            environment.flush();
        }
    }

    private void tell(Completion completion) {
        if (plan.options().wantsLogprobs()) {
            environment.err().print(CompletionText.logprobs(completion));
        }
        if (environment.verbosity().compareTo(Verbosity.VERBOSE) >= 0) {
            environment.say(CompletionText.summary(completion));
        }
    }

    private void tellEnd(Completion completion, String place, String whenFull) {
        if (completion.stopReason() == StopReason.CONTEXT_FULL) {
            environment.say(place + "the context is full: " + whenFull);
        }
        CompletionText.cutOff(completion, plan.options().grammar()).ifPresent(remark -> environment.say(place + remark));
    }

    private void interrupted() {
        Cancel current = answering;
        if (current != Cancel.NONE) {
            leave = current.requested();
            current.request();
        }
    }
}
