package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** llama.cpp's chat templates. <i>Threads</i>: any. */
public final class ChatTemplates {

    private ChatTemplates() {}

    /**
     * Renders messages with a chat template.
     *
     * @param template Jinja source or the name of a built-in template; null: the model's own
     * @param request  JSON, as {@code lucifer_chat_render} in {@code lucifer_llama.h} describes it
     * @return JSON, likewise
     * @throws UnsupportedModelException when the model has no template and none is given
     * @throws ai.luciferai.llama.core.InvalidOptionException for a template that does not parse or render
     */
    public static String render(ModelHandle model, String template, String request) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = NativeText.in(arena, "chatTemplate", template);
            MemorySegment json = NativeText.in(arena, "messages", request);
            MemorySegment cancel = Computing.begin(Cancel.NONE).segment();
            var about = Status.About.model(model.path()).andOption("chatTemplate", "a template that renders these messages", null);
            return NativeText.string("lucifer_chat_render", 16 * 1024, about, (buffer, capacity, length) ->
                    lucifer_chat_render(model.shared(), source, json, cancel, buffer, capacity, length));
        } catch (IllegalStateException fault) {
            throw model.explained(fault);
        } finally {
            Computing.end();
        }
    }

    /**
     * Source of the model's own template, empty when there is none.
     *
     * @param variant name of a variant, or null
     */
    public static Optional<String> template(ModelHandle model, String variant) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = NativeText.in(arena, "variant", variant);
            return Optional.of(NativeText.string("lucifer_chat_template", 8 * 1024, Status.About.model(model.path()),
                    (buffer, capacity, length) -> lucifer_chat_template(model.shared(), name, buffer, capacity, length)));
        } catch (UnsupportedModelException none) {
            return Optional.empty();
        } catch (IllegalStateException fault) {
            throw model.explained(fault);
        }
    }
}
