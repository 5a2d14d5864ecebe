package ai.luciferai.llama;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * One generation's options, with what a chat template adds to them.
 *
 * @param stops       texts that end it
 * @param preserved   control tokens that show as text
 * @param toolGrammar form of tool calls
 */
record GenerationPlan(GenerateOptions options, List<String> stops, Set<Integer> preserved, RenderedChat.ToolGrammar toolGrammar) {

    static GenerationPlan of(GenerateOptions options) {
        return new GenerationPlan(options, options.stops(), Set.of(), RenderedChat.ToolGrammar.none());
    }

    static GenerationPlan of(GenerateOptions options, RenderedChat chat, Set<Integer> preserved) {
        List<String> stops = new ArrayList<>(options.stops());
        chat.stops().stream().filter(s -> !s.isEmpty() && !stops.contains(s)).forEach(stops::add);
        return new GenerationPlan(options, List.copyOf(stops), preserved, chat.toolGrammar());
    }

    TextTrack track(Vocabulary vocabulary) {
        return new TextTrack(options, vocabulary, stops, preserved.isEmpty() ? id -> false : preserved::contains);
    }
}
