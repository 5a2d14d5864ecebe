package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.Metadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A GGUF of an older version, or of the other byte order's metadata, written anew as version 3. Tensor data stays as it is. */
final class GgufUpgrade {

    private GgufUpgrade() {}

    static Converter.Result run(Converter.Request request, Progress progress, Cancel cancel) throws IOException {
        long start = System.nanoTime();
        try (GgufFile file = GgufReader.read(request.input())) {
            var planned = new ArrayList<PlannedTensor>();
            for (var info : file.tensors()) {
                long[] shape = new long[info.shape().size()];
                for (int d = 0; d < shape.length; d++) {
                    shape[d] = info.shape().get(shape.length - 1 - d);
                }
                planned.add(new PlannedTensor(info, Tensor.packed(info.type(), file.data(info), shape)));
            }
            Metadata.Builder keys = file.metadata().toBuilder();
            List.of("split.no", "split.count", "split.tensors.count").forEach(keys::remove);
            Path folder = request.input().toAbsolutePath().getParent();
            List<Path> inputs = file.parts().stream().map(GgufFile.Part::path).toList();
            Path target = OutputName.resolve(request, folder, keys.build(), OutputType.AUTO);
            List<Path> files = OutputFiles.write(request, keys.build(), planned, target, inputs, List.of(), progress, cancel);
            long parameters = file.tensors().stream().mapToLong(info -> info.elements()).sum();
            return new Converter.Result(files, file.metadata().string(Metadata.ARCHITECTURE, ""), file.metadata().string("general.name", ""),
                    OutputType.AUTO, planned.size(), parameters, OutputFiles.bytes(inputs), request.dryRun() ? 0 : OutputFiles.bytes(files),
                    (System.nanoTime() - start) / 1_000_000);
        }
    }
}
