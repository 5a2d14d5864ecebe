import ai.luciferai.llama.Convert;
import ai.luciferai.llama.ConvertOptions;
import ai.luciferai.llama.ConvertType;
import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Converts many folders in one process: {@code java -cp 'lib/*' tools/ConvertAll.java OUT TYPE,TYPE FOLDER...}. Says one line for each: name, type, and "ok" or
 * the exception. For convert_matrix.py.
 */
class ConvertAll {

    public static void main(String[] args) throws Exception {
        for (int i = 2; i < args.length; i++) {
            Path folder = Path.of(args[i]);
            for (String type : args[1].split(",")) {
                Path out = Path.of(args[0], folder.getFileName() + "-" + type + ".gguf");
                String result = "ok";
                try {
                    Convert.run(ConvertOptions.of(folder).withOutfile(out).withForce(true).withType(ConvertType.valueOf(type.toUpperCase(Locale.ROOT))),
                            Progress.NONE, Cancel.NONE);
                } catch (BridgeException refusal) {
                    result = refusal.getClass().getSimpleName() + ": " + refusal.getMessage().lines().findFirst().orElse("");
                }
                System.out.println(folder.getFileName() + "\t" + type + "\t" + result);
            }
        }
    }
}
