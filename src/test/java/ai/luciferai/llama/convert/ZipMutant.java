package ai.luciferai.llama.convert;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.ZipFile;

/** Writes zip files with any fault that a zip file can have: sizes, offsets, counts, names, methods, checksums, the 64-bit records. */
final class ZipMutant {

    private static final String[] NAMES = {"", "/", "..", "../data.pkl", "/etc/passwd", "x/data.pkl", "a/b/data.pkl", "x/byteorder", "x/data/0", "\0", "data.pkl",
        "x/../x/data.pkl", "x".repeat(65_000)};

    private record Part(byte[] name, byte[] data, int method, int size, long crc, long local) {}

    private ZipMutant() {}

    static Map<String, byte[]> read(Path zip) throws IOException {
        var entries = new LinkedHashMap<String, byte[]>();
        try (var file = new ZipFile(zip.toFile())) {
            for (var entry : Collections.list(file.entries())) {
                entries.put(entry.getName(), file.getInputStream(entry).readAllBytes());
            }
        }
        return entries;
    }

    /** A sound archive. */
    static byte[] write(Map<String, byte[]> entries) {
        var list = new ArrayList<Map.Entry<String, byte[]>>(entries.entrySet());
        return write(list, -1, false).bytes();
    }

    static byte[] of(Map<String, byte[]> entries, Random random) {
        var list = new ArrayList<Map.Entry<String, byte[]>>(entries.entrySet());
        int place = random.nextInt(list.size());
        switch (random.nextInt(6)) {
            case 0 -> list.set(place, Map.entry(NAMES[random.nextInt(NAMES.length)], list.get(place).getValue()));
            case 1 -> list.add(place, Map.entry(list.get(place).getKey(), list.get(random.nextInt(list.size())).getValue()));
            case 2 -> list.remove(place);
            default -> { }
        }
        NumberedBytes zip = write(list, random.nextInt(4) == 0 ? random.nextInt(list.size()) : -1, random.nextInt(3) == 0);
        byte[] bytes = random.nextInt(8) == 0 ? zip.bytes() : zip.mutant(random);
        return random.nextInt(10) == 0 ? java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
    }

    private static NumberedBytes write(List<Map.Entry<String, byte[]>> entries, int deflated, boolean zip64) {
        var out = new NumberedBytes();
        var parts = new ArrayList<Part>();
        for (var entry : entries) {
            byte[] raw = entry.getValue();
            boolean packed = parts.size() == deflated;
            var crc = new CRC32();
            crc.update(raw);
            var part = new Part(entry.getKey().getBytes(StandardCharsets.UTF_8), packed ? deflate(raw) : raw, packed ? 8 : 0, raw.length, crc.getValue(), out.size());
            parts.add(part);
            out.number(0x04034b50, 4).number(20, 2).number(0, 2).number(part.method, 2).number(0, 4).number(part.crc, 4)
                    .number(part.data.length, 4).number(part.size, 4).number(part.name.length, 2).number(0, 2).raw(part.name).raw(part.data);
        }
        int directory = out.size();
        for (Part part : parts) {
            out.number(0x02014b50, 4).number(20, 2).number(20, 2).number(0, 2).number(part.method, 2).number(0, 4).number(part.crc, 4);
            out.number(zip64 ? -1 : part.data.length, 4).number(zip64 ? -1 : part.size, 4).number(part.name.length, 2).number(zip64 ? 28 : 0, 2);
            out.number(0, 2).number(0, 2).number(0, 2).number(0, 4).number(zip64 ? -1 : part.local, 4).raw(part.name);
            if (zip64) {
                out.number(1, 2).number(24, 2).number(part.size, 8).number(part.data.length, 8).number(part.local, 8);
            }
        }
        int size = out.size() - directory;
        if (zip64) {
            int record = out.size();
            out.number(0x06064b50, 4).number(44, 8).number(45, 2).number(45, 2).number(0, 4).number(0, 4).number(parts.size(), 8).number(parts.size(), 8)
                    .number(size, 8).number(directory, 8).number(0x07064b50, 4).number(0, 4).number(record, 8).number(1, 4);
        }
        return out.number(0x06054b50, 4).number(0, 2).number(0, 2).number(zip64 ? -1 : parts.size(), 2).number(zip64 ? -1 : parts.size(), 2)
                .number(zip64 ? -1 : size, 4).number(zip64 ? -1 : directory, 4).number(0, 2);
    }

    private static byte[] deflate(byte[] raw) {
        var out = new ByteArrayOutputStream();
        try (var deflater = new DeflaterOutputStream(out, new Deflater(9, true))) {
            deflater.write(raw);
        } catch (IOException impossible) {
            throw new IllegalStateException(impossible);
        }
        return out.toByteArray();
    }
}
