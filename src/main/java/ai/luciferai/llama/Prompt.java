package ai.luciferai.llama;

import java.util.Arrays;

/** What a generation continues: a text, or tokens. */
public sealed interface Prompt {

    /** A text and how it is tokenized. */
    record Text(String text, TokenizeOptions options) implements Prompt {

        public Text {
            Check.present("prompt", text);
            Check.present("tokenize options", options);
        }
    }

    /** Tokens as they are. */
    record Tokens(int[] ids) implements Prompt {

        public Tokens {
            ids = Check.present("prompt", ids).clone();
        }

        @Override
        public int[] ids() {
            return ids.clone();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Tokens t && Arrays.equals(ids, t.ids);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(ids);
        }

        @Override
        public String toString() {
            return "Tokens" + Arrays.toString(ids);
        }
    }

    static Prompt text(String text) {
        return new Text(text, TokenizeOptions.defaults());
    }

    static Prompt text(String text, TokenizeOptions options) {
        return new Text(text, options);
    }

    static Prompt tokens(int... ids) {
        return new Tokens(ids);
    }
}
