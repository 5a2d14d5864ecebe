package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The parts of a SentencePiece {@code .model} file that a converter needs.
 *
 * <p><i>Source</i>: sentencepiece_model.proto (google/sentencepiece), protocol-buffer wire format. Only four of its messages are read, so
 * the sixty lines below stand in for a code generator.
 *
 * @param pieces                 the vocabulary, in id order
 * @param modelType              1 unigram, {@link #BPE}, 3 word, 4 char
 * @param addDummyPrefix         whether a blank is put in front of the text
 * @param removeExtraWhitespaces whether runs of blanks become one
 * @param charsMap               normalizer_spec.precompiled_charsmap, perhaps empty
 */
public record SentencePieceModel(
        List<Piece> pieces, int modelType, boolean addDummyPrefix, boolean removeExtraWhitespaces, byte[] charsMap) {

    /** Model type of byte-pair encoding. */
    public static final int BPE = 2;
    /** Piece kinds as the file numbers them, which are also GGUF's token types. */
    public static final int NORMAL = 1;
    /** The unknown piece. */
    public static final int UNKNOWN = 2;
    /** Control piece: begin, end. */
    public static final int CONTROL = 3;
    /** Given by the trainer's user. */
    public static final int USER_DEFINED = 4;
    /** A hole. */
    public static final int UNUSED = 5;
    /** One byte, written {@code <0x0A>}. */
    public static final int BYTE = 6;

    /**
     * One piece.
     *
     * @param text  its text; blanks are U+2581
     * @param score log probability or negated rank
     * @param type  {@link #NORMAL} …
     */
    public record Piece(byte[] text, float score, int type) {}

    /**
     * Reads a file.
     *
     * @throws InvalidFileException when it is no such model
     */
    public static SentencePieceModel read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new InvalidFileException(file, "file", "a SentencePiece model", "nothing at this path");
        }
        var model = new Wire(file, ByteBuffer.wrap(SmallFile.read(file)).order(ByteOrder.LITTLE_ENDIAN));
        var pieces = new ArrayList<Piece>();
        int modelType = 1;
        boolean dummy = true;
        boolean remove = true;
        byte[] charsMap = {};
        while (model.next()) {
            switch (model.field) {
                case 1 -> pieces.add(piece(model.message()));
                case 2 -> {
                    for (Wire trainer = model.message(); trainer.next(); ) {
                        modelType = trainer.field == 3 ? (int) trainer.number() : modelType;
                    }
                }
                case 3 -> {
                    for (Wire normalizer = model.message(); normalizer.next(); ) {
                        switch (normalizer.field) {
                            case 2 -> charsMap = normalizer.bytes();
                            case 3 -> dummy = normalizer.number() != 0;
                            case 4 -> remove = normalizer.number() != 0;
                            default -> { }
                        }
                    }
                }
                default -> { }
            }
        }
        if (pieces.isEmpty()) {
            throw new InvalidFileException(file, "pieces", "a SentencePiece model with a vocabulary", "no piece");
        }
        return new SentencePieceModel(List.copyOf(pieces), modelType, dummy, remove, charsMap);
    }

    private static Piece piece(Wire wire) {
        byte[] text = {};
        float score = 0;
        int type = NORMAL;
        while (wire.next()) {
            switch (wire.field) {
                case 1 -> text = wire.bytes();
                case 2 -> score = Float.intBitsToFloat((int) wire.number());
                case 3 -> type = (int) wire.number();
                default -> { }
            }
        }
        return new Piece(text, score, type);
    }

    /** Steps through the fields of one message. */
    private static final class Wire {

        private final Path file;
        private final ByteBuffer data;
        /** Number of the field that {@link #next} found. */
        private int field;
        private long number;
        private ByteBuffer content;

        private Wire(Path file, ByteBuffer data) {
            this.file = file;
            this.data = data;
        }

        private boolean next() {
            if (!data.hasRemaining()) {
                return false;
            }
            long key = varint();
            field = (int) (key >>> 3);
            content = null;
            switch ((int) key & 7) {
                case 0 -> number = varint();
                case 1 -> number = need(8).getLong();
                case 2 -> {
                    long length = varint();
                    if (length < 0 || length > data.remaining()) {
                        throw bad(length + " bytes for field " + field + ", " + data.remaining() + " left");
                    }
                    content = data.slice(data.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
                    data.position(data.position() + (int) length);
                }
                case 5 -> number = need(4).getInt();
                default -> throw bad("wire type " + (key & 7));
            }
            return true;
        }

        private long number() {
            if (content != null) {
                throw bad("text where field " + field + " should be a number");
            }
            return number;
        }

        private byte[] bytes() {
            byte[] bytes = new byte[text().remaining()];
            content.get(content.position(), bytes);
            return bytes;
        }

        private Wire message() {
            return new Wire(file, text());
        }

        private ByteBuffer text() {
            if (content == null) {
                throw bad("a number where field " + field + " should be text");
            }
            return content;
        }

        private long varint() {
            long value = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                byte b = need(1).get();
                value |= (long) (b & 0x7F) << shift;
                if (b >= 0) {
                    return value;
                }
            }
            throw bad("a number of more than 64 bits");
        }

        private ByteBuffer need(int bytes) {
            if (data.remaining() < bytes) {
                throw bad("its end inside a field");
            }
            return data;
        }

        private InvalidFileException bad(String got) {
            return new InvalidFileException(file, "byte " + data.position() + " of a message", "a SentencePiece model", got);
        }
    }
}
