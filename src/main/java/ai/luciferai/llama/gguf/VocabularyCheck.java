package ai.luciferai.llama.gguf;

/** The part of {@link ModelPreflight} for the vocabulary. */
final class VocabularyCheck {

    private static final String MODEL = "tokenizer.ggml.model";
    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String TEMPLATE = "tokenizer.chat_template";

    /** llama.cpp's parser of templates calls itself at each bracket; the deepest template known has fewer than ten. */
    private static final int MAX_TEMPLATE_DEPTH = 200;
    private static final int MAX_TEMPLATE_CHARS = 1 << 20;

    private final Metadata metadata;

    VocabularyCheck(Metadata metadata) {
        this.metadata = metadata;
    }

    void run() {
        String model = metadata.string(MODEL);
        if (!model.equals("none") && !model.equals("no_vocab")) {
            requireTokens();
            new WordsCheck(metadata).run(model);
        }
        metadata.values().forEach((key, value) -> {
            if (key.startsWith(TEMPLATE) && value.value() instanceof String template) {
                requireShallow(key, template);
            }
        });
    }

    private void requireTokens() {
        int tokens = metadata.strings(TOKENS).length();
        if (tokens == 0) {
            throw metadata.wrong(TOKENS, "at least one token", "none");
        }
        requireLength("tokenizer.ggml.scores", tokens);
        requireLength("tokenizer.ggml.token_type", tokens);
    }

    /** Read by token id. */
    private void requireLength(String key, int tokens) {
        if (metadata.has(key) && metadata.array(key).length() < tokens) {
            throw metadata.wrong(key, "%d elements, one for each token".formatted(tokens), metadata.array(key).toString());
        }
    }

    private void requireShallow(String key, String template) {
        int depth = 0;
        int deepest = 0;
        for (int i = 0; i < template.length(); i++) {
            switch (template.charAt(i)) {
                case '(', '[', '{' -> deepest = Math.max(deepest, ++depth);
                case ')', ']', '}' -> depth = Math.max(0, depth - 1);
                default -> { }
            }
        }
        if (deepest > MAX_TEMPLATE_DEPTH || template.length() > MAX_TEMPLATE_CHARS) {
            throw metadata.wrong(key, "a template of at most %d characters and %d nested brackets"
                    .formatted(MAX_TEMPLATE_CHARS, MAX_TEMPLATE_DEPTH), "%d and %d".formatted(template.length(), deepest));
        }
    }
}
