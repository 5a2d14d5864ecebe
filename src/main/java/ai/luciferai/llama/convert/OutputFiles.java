package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.DiskSpace;
import ai.luciferai.llama.core.MappedFile;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufType;
import ai.luciferai.llama.gguf.GgufWriter;
import ai.luciferai.llama.gguf.Metadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Writes a planned GGUF, in one file or several; all of them appear when all are complete. */
final class OutputFiles {

    private OutputFiles() {}

    /**
     * Checks the target and the disk, then writes, unless the request is a dry run.
     *
     * @param inputs files that are read, which the output may not replace
     * @param mapped those of them out of which pieces of tensors may be read
     * @return the files, in order
     */
    static List<Path> write(Converter.Request request, Metadata keys, List<PlannedTensor> tensors, Path target, List<Path> inputs,
            List<MappedFile> mapped, Progress progress, Cancel cancel) throws IOException {
        List<List<PlannedTensor>> parts = split(tensors, request.splitBytes());
        List<Path> files = names(target, parts.size());
        for (Path file : files) {
            AtomicFile.requireUsable(file, request.force(), inputs);
        }
        if (request.dryRun()) {
            return files;
        }
        var open = new ArrayList<AtomicFile>();
        try {
            var jobs = new ArrayList<TensorWriter.Job>();
            var writers = new ArrayList<GgufWriter>();
            for (int i = 0; i < parts.size(); i++) {
                AtomicFile file = AtomicFile.create(files.get(i), request.force(), inputs);
                open.add(file);
                var writer = new GgufWriter(file.channel(), partKeys(keys, i, parts.size(), tensors.size()),
                        parts.get(i).stream().map(PlannedTensor::info).toList());
                writers.add(writer);
                parts.get(i).forEach(tensor -> jobs.add(new TensorWriter.Job(writer, tensor.info(), tensor.tensor())));
            }
            DiskSpace.require(target, tensors.stream().mapToLong(tensor -> tensor.info().bytes()).sum()); // the headers are written
            NotFinite notFinite = TensorWriter.write(jobs, mapped, Progress.guarded(progress), cancel);
            for (GgufWriter writer : writers) {
                writer.finish();
            }
            for (AtomicFile file : open) {
                file.commitUnsynced(cancel);
            }
            notFinite.tell(request.input());
            return files;
        } finally {
            for (AtomicFile file : open) {
                file.close();
            }
        }
    }

    /** The tensors of each file: a new one starts where the limit would be passed. */
    private static List<List<PlannedTensor>> split(List<PlannedTensor> tensors, long limit) {
        var parts = new ArrayList<List<PlannedTensor>>();
        parts.add(new ArrayList<>());
        long bytes = 0;
        for (PlannedTensor tensor : tensors) {
            if (limit > 0 && !parts.getLast().isEmpty() && bytes + tensor.info().bytes() > limit) {
                parts.add(new ArrayList<>());
                bytes = 0;
            }
            parts.getLast().add(tensor);
            bytes += tensor.info().bytes();
        }
        return parts;
    }

    private static List<Path> names(Path target, int parts) {
        if (parts == 1) {
            return List.of(target);
        }
        String name = target.getFileName().toString();
        String stem = name.endsWith(".gguf") ? name.substring(0, name.length() - ".gguf".length()) : name;
        var names = new ArrayList<Path>();
        for (int i = 1; i <= parts; i++) {
            names.add(target.resolveSibling(String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", stem, i, parts)));
        }
        return names;
    }

    /** All keys in the first file; how the files belong together in each, where there are several. */
    private static Metadata partKeys(Metadata keys, int part, int parts, int tensors) {
        if (parts == 1) {
            return keys;
        }
        Metadata.Builder builder = part == 0 ? keys.toBuilder() : Metadata.builder();
        return builder.integer("split.no", GgufType.UINT16, part).integer("split.count", GgufType.UINT16, parts)
                .integer("split.tensors.count", GgufType.INT32, tensors).build();
    }

    /** Size of files. */
    static long bytes(List<Path> files) throws IOException {
        long bytes = 0;
        for (Path file : files) {
            bytes += Files.size(file);
        }
        return bytes;
    }
}
