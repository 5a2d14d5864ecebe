package ai.luciferai.llama;

import ai.luciferai.llama.convert.Converter;
import java.nio.file.Path;
import java.util.List;

/**
 * What a conversion made.
 *
 * @param options      what was asked for
 * @param files        the files written, in order; with a dry run, those that would be
 * @param architecture llama.cpp's name of the architecture
 * @param name         name of the model
 * @param type         type of the matrices
 * @param tensors      number of tensors
 * @param parameters   number of parameters
 * @param inputBytes   size of the weight files
 * @param outputBytes  size of the output files; with a dry run, 0
 * @param millis       time taken
 */
public record ConvertReport(ConvertOptions options, List<Path> files, String architecture, String name, ConvertType type, int tensors,
        long parameters, long inputBytes, long outputBytes, long millis) {

    ConvertReport(ConvertOptions options, Converter.Result result) {
        this(options, result.files(), result.architecture(), result.name(), ConvertType.valueOf(result.type().name()), result.tensors(),
                result.parameters(), result.inputBytes(), result.outputBytes(), result.millis());
    }
}
