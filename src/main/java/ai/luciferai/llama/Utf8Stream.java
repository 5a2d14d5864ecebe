package ai.luciferai.llama;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Turns the bytes of token after token into text and never shows half a character: the bytes of an incomplete one wait for the
 * next token. Bytes that cannot become a character are shown as U+FFFD.
 */
final class Utf8Stream {

    private static final int MOST_PENDING = 3;
    private static final byte[] NOTHING = {};

    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private byte[] pending = NOTHING;

    /** Text that is complete with this piece. */
    String feed(Piece piece) {
        return pending.length == 0 && piece.isWhole() ? piece.text() : feed(piece.bytes());
    }

    /** Text that is complete with these bytes. */
    String feed(byte[] bytes) {
        ByteBuffer in = ByteBuffer.allocate(pending.length + bytes.length).put(pending).put(bytes).flip();
        CharBuffer out = CharBuffer.allocate(in.remaining() + 1);
        decoder.reset().decode(in, out, false);
        pending = new byte[in.remaining()];
        in.get(pending);
        assert pending.length <= MOST_PENDING;
        return out.flip().toString();
    }

    /** What is left when nothing follows: U+FFFD for an incomplete character, else nothing. */
    String end() {
        boolean broken = pending.length > 0;
        pending = NOTHING;
        return broken ? "\uFFFD" : "";
    }
}
