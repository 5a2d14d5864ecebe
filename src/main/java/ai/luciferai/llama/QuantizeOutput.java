package ai.luciferai.llama;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Partial;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where native code writes to, and how that becomes the output: all of it or nothing.
 *
 * <p><i>Ownership</i>: closed by {@link Quantize}; what was not committed is deleted.
 */
sealed interface QuantizeOutput extends AutoCloseable {

    /** The path that native code is given. */
    Path temporary();

    /** Makes the files appear under their names. */
    List<Path> commit(Cancel cancel) throws IOException;

    @Override
    void close() throws IOException;

    /** For the options' output; the inputs may not be overwritten. */
    static QuantizeOutput open(QuantizeOptions options, List<Path> inputs) throws IOException {
        return options.keepSplit() && inputs.size() > 1 ? Parts.open(options, inputs)
                : whole(AtomicFile.create(options.output(), options.force(), inputs), options.output());
    }

    /**
     * llama.cpp makes the file anew: were it to truncate one that is there, file systems that guard against a lost replacement (ext4's
     * auto_da_alloc) would write all of it to disk before it is closed, a second for each gigabyte.
     */
    private static Whole whole(AtomicFile file, Path name) throws IOException {
        Files.delete(file.temporary());
        return new Whole(file, name);
    }

    /** Whether the options' output is there already: all parts, when it has parts. */
    static boolean exists(QuantizeOptions options, List<Path> inputs) {
        List<Path> targets = options.keepSplit() && inputs.size() > 1 ? Parts.targets(options, inputs.size()) : List.of(options.output());
        return targets.stream().allMatch(Files::exists);
    }

    /** One file. */
    record Whole(AtomicFile file, Path name) implements QuantizeOutput {

        @Override
        public Path temporary() {
            return file.temporary();
        }

        @Override
        public List<Path> commit(Cancel cancel) throws IOException {
            file.commitUnsynced(cancel);
            return List.of(name);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    /** Parts of a split model, written into a folder of their own first. */
    record Parts(Path folder, QuantizeOptions options, List<Path> inputs) implements QuantizeOutput {

        static Parts open(QuantizeOptions options, List<Path> inputs) throws IOException {
            for (Path target : targets(options, inputs.size())) {
                AtomicFile.requireUsable(target, options.force(), inputs);
            }
            return new Parts(Partial.folderBeside(options.output().toAbsolutePath()), options, inputs);
        }

        /** As {@code llama_split_path} names them. */
        static List<Path> targets(QuantizeOptions options, int count) {
            var targets = new ArrayList<Path>();
            for (int i = 1; i <= count; i++) {
                targets.add(options.output().resolveSibling("%s-%05d-of-%05d.gguf".formatted(stem(options), i, count)));
            }
            return targets;
        }

        private static String stem(QuantizeOptions options) {
            return options.output().getFileName().toString().replaceFirst("\\.gguf$", "");
        }

        @Override
        public Path temporary() {
            return folder.resolve(stem(options));
        }

        @Override
        public List<Path> commit(Cancel cancel) throws IOException {
            cancel.check("writing " + options.output());
            List<Path> targets = targets(options, inputs.size());
            for (Path target : targets) {
                AtomicFile.requireUsable(target, options.force(), inputs);
            }
            for (Path target : targets) {
                Files.deleteIfExists(target);
                Files.move(folder.resolve(target.getFileName()), target);
            }
            return targets;
        }

        @Override
        public void close() throws IOException {
            Partial.delete(folder);
        }
    }
}
