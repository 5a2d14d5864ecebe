/** llama.cpp for Java: see the package documentation of the exported packages. */
@SuppressWarnings("requires-automatic") // pickle has no module descriptor
module ai.luciferai.llama {
    requires com.fasterxml.jackson.databind;
    requires info.picocli;
    requires java.logging;
    requires java.management;
    requires org.jline.reader;
    requires org.jline.terminal;
    requires org.yaml.snakeyaml;
    requires pickle;

    exports ai.luciferai.llama;
    exports ai.luciferai.llama.core;
    exports ai.luciferai.llama.gguf;
}
