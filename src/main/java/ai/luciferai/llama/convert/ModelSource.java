package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.ModelConfig;
import java.nio.file.Path;
import java.util.Set;

/**
 * What an {@link Architecture} works on.
 *
 * @param files        the files of the model's folder
 * @param config       its configuration
 * @param architecture name of the model class, as config.json has it
 * @param entry        its row of the table
 * @param keys         the keys of the output
 * @param fileType     number of the output type for {@code general.file_type}
 * @param tensors      names of the checkpoint's tensors
 */
record ModelSource(TokenizerFiles files, ModelConfig config, String architecture, Architectures.Entry entry, KeyValues keys, int fileType,
        Set<String> tensors) {

    /** Folder of the model. */
    Path folder() {
        return files.folder();
    }
}
