/** llama.cpp for Java: see the package documentation of the exported packages. */
module ai.luciferai.llama {
    requires com.fasterxml.jackson.databind;
    requires org.jline.reader;
    requires org.jline.terminal;

    exports ai.luciferai.llama;
    exports ai.luciferai.llama.core;
    exports ai.luciferai.llama.gguf;
}
