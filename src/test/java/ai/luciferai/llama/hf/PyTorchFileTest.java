package ai.luciferai.llama.hf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tensors out of pickles; anything but tensors is refused by name. */
class PyTorchFileTest {

    /** Pickle of {"w": _rebuild_tensor_v2(storage("0", float, 6), 1, (2, 2), (1, 2), False, OrderedDict())}. */
    private static final String TENSOR = "\u0080\u0002}X\u0001\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storage"
            + "ctorch\nFloatStorage\nX\u0001\0\0\0" + "0X\u0003\0\0\0cpuK\u0006tQK\u0001K\u0002K\u0002\u0086K\u0001K\u0002\u0086\u0089ccollections\nOrderedDict\n)RtRs.";

    @TempDir
    Path folder;

    private Path zip(String pickle, byte[] storage) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes)) {
            store(zip, "m/data.pkl", pickle.getBytes(StandardCharsets.ISO_8859_1));
            store(zip, "m/data/0", storage);
        }
        return Files.write(folder.resolve("m.bin"), bytes.toByteArray());
    }

    private static void store(ZipOutputStream zip, String name, byte[] data) throws IOException {
        var entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(data.length);
        var crc = new CRC32();
        crc.update(data);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(data);
        zip.closeEntry();
    }

    private List<StoredTensor> read(Path file) throws IOException {
        try (MappedFile mapped = MappedFile.open(file)) {
            return PyTorchFile.read(mapped);
        }
    }

    private String refusal(String pickle) throws IOException {
        Path file = zip(pickle, new byte[24]);
        return assertThrows(InvalidFileException.class, () -> read(file)).getMessage();
    }

    @Test
    void readsAStridedView() throws IOException {
        StoredTensor tensor = read(zip(TENSOR, new byte[24])).getFirst();
        assertEquals("w", tensor.name());
        assertEquals(DType.F32, tensor.type());
        assertArrayEquals(new long[] {2, 2}, tensor.shape());
        assertArrayEquals(new long[] {1, 2}, tensor.strides());
        assertEquals(1, tensor.offset());
    }

    @Test
    void refusesForeignNamesWithoutCallingThem() throws IOException {
        assertTrue(refusal("\u0080\u0002cos\nsystem\nX\u0004\0\0\0true\u0085R.").contains("os.system"));
        assertTrue(refusal("\u0080\u0002cbuiltins\neval\nX\u0001\0\0\0" + "1\u0085R.").contains("builtins.eval"));
        assertTrue(refusal("\u0080\u0002}X\u0001\0\0\0wctorch._utils\n_rebuild_qtensor\n)Rs.").contains("_rebuild_qtensor"));
    }

    @Test
    void refusesOpcodesThatTorchDoesNotWrite() throws IOException {
        assertTrue(refusal("(S'x'\nios\nsystem\n.").contains("opcode"));
    }

    @Test
    void refusesATensorBeyondItsStorage() throws IOException {
        Path file = zip(TENSOR, new byte[8]);
        assertThrows(InvalidFileException.class, () -> read(file));
        assertTrue(refusal(TENSOR.replace("tQK\u0001K\u0002K\u0002", "tQK\u0001K\u0009K\u0009")).contains("inside its storage"));
    }

    @Test
    void refusesATextLongerThanTheFile() throws IOException {
        assertTrue(refusal("\u0080\u0002X\u00FF\u00FF\u00FF\u007Fabc.").contains("longer than the file"));
    }

    @Test
    void refusesWhatIsNoTorchFile() throws IOException {
        Path file = Files.writeString(folder.resolve("x.bin"), "not a checkpoint");
        assertThrows(InvalidFileException.class, () -> read(file));
        Path empty = Files.write(folder.resolve("y.bin"), new byte[0]);
        assertThrows(InvalidFileException.class, () -> read(empty));
    }
}
