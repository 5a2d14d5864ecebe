package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.cli.NumbersOfVerbs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** No number, however odd, is answered with a foreign exception, a dead process, gigabytes or a run without end. */
@EnabledOnOs(OS.LINUX)
class NumbersIT {

    /** Far above what the slowest run takes on a busy machine. */
    private static final int MOST_SECONDS_OF_ONE = 180;

    @TempDir
    Path folder;

    private List<String> arguments;

    @BeforeEach
    void makeFiles() throws Exception {
        Files.copy(EmbeddedModel.path(), folder.resolve("model.gguf"));
        Path fixtures = Path.of("src/test/fixtures").toAbsolutePath();
        Path data = folder.resolve("data.jsonl");
        Files.write(data, Files.readAllLines(fixtures.resolve("data/git-train.jsonl")).subList(0, 12));
        arguments = List.of(folder.toString(), fixtures.resolve("lora/tiny-lora.gguf").toString(), fixtures.resolve("quality/commands.txt").toString(),
                data.toString(), fixtures.resolve("lucifer-tiny").toString());
    }

    /** A name of a value that is in no list would be passed over in silence. */
    @Test
    void everyNameOfAValueIsKnown() {
        assertEquals(Set.of(), NumbersOfVerbs.unknownLabels());
    }

    @Test
    void ofEveryOptionOfEveryVerb() throws Exception {
        run(NumbersOfVerbs.class);
    }

    @Test
    void ofEveryRecordOfTheLibrary() throws Exception {
        run(NumbersOfRecords.class);
    }

    private void run(Class<?> attack) throws Exception {
        var options = new ArrayList<>(List.of("-Xmx1g"));
        String library = System.getProperty("ai.luciferai.llama.native");
        if (library != null) {
            options.add("-Dai.luciferai.llama.native=" + library);
        }
        String last = FuzzProcess.run(attack, folder, MOST_SECONDS_OF_ONE, options, arguments);
        assertEquals("done", last.split(" ")[0], last);
    }
}
