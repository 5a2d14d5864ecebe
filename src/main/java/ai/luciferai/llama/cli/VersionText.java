package ai.luciferai.llama.cli;

import ai.luciferai.llama.Versions;

/** What {@code --version} says. */
final class VersionText {

    private VersionText() {}

    static String text() {
        Versions versions = Versions.current();
        return "lucifer-llama " + versions.product() + '\n'
                + "llama.cpp " + versions.llamaCpp() + " (" + versions.llamaCppCommit() + ")\n"
                + "ggml " + versions.ggml() + '\n'
                + "JDK " + Runtime.version() + '\n';
    }
}
