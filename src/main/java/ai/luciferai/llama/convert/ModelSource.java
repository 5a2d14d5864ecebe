package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.ModelConfig;
import java.nio.file.Path;
import java.util.Set;

/**
 * What an {@link Architecture} works on.
 *
 * @param folder       folder of the model
 * @param config       its configuration
 * @param architecture name of the model class, as config.json has it
 * @param entry        its row of the table
 * @param keys         the keys of the output
 * @param fileType     number of the output type for {@code general.file_type}
 * @param tensors      names of the checkpoint's tensors
 */
record ModelSource(Path folder, ModelConfig config, String architecture, Architectures.Entry entry, KeyValues keys, int fileType,
        Set<String> tensors) {}
