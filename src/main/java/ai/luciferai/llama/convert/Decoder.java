package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.hf.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The decoders of tokenizer.json, as far as single tokens go through them.
 *
 * <p><i>Source</i>: tokenizers 0.22, decoders/*.rs and pre_tokenizers/byte_level.rs.
 */
final class Decoder {

    /** Characters that one token may become. */
    private static final int LONGEST = 1 << 16;

    private Decoder() {}

    /** Text pieces of tokens. */
    static List<String> decode(JsonObject decoder, List<String> tokens) {
        return switch (String.valueOf(decoder.get("type"))) {
            case "Sequence" -> {
                List<String> result = tokens;
                for (JsonObject step : SpecialTokens.parts(decoder, "decoders")) {
                    result = decode(step, result);
                    if (result.stream().mapToLong(String::length).sum() > LONGEST) {
                        throw new InvalidFileException(decoder.file(), "decoder", "one that leaves tokens short", "more than " + LONGEST + " characters of one token");
                    }
                }
                yield result;
            }
            case "ByteLevel" -> List.of(new String(bytes(tokens), StandardCharsets.UTF_8));
            case "Replace" -> {
                Object from = decoder.objectOrEmpty("pattern").get("String");
                yield from instanceof String text && decoder.get("content") instanceof String to
                        ? tokens.stream().map(token -> Effort.replaceWithin(token, text, to, LONGEST)).toList() : tokens;
            }
            case "Fuse" -> List.of(String.join("", tokens));
            case "ByteFallback" -> tokens.stream().map(Decoder::byteToken).toList();
            case "Strip" -> tokens.stream().map(token -> strip(token, decoder)).toList();
            case "Metaspace" -> metaspace(tokens, decoder);
            default -> tokens;
        };
    }

    /** Byte-level characters back to bytes; a token with any other character stands for its own UTF-8. */
    private static byte[] bytes(List<String> tokens) {
        var out = new java.io.ByteArrayOutputStream();
        for (String token : tokens) {
            byte[] bytes = ByteLevel.toBytes(token);
            out.writeBytes(bytes != null ? bytes : token.getBytes(StandardCharsets.UTF_8));
        }
        return out.toByteArray();
    }

    private static String byteToken(String token) {
        if (!token.matches("<0x[0-9A-Fa-f]{2}>")) {
            return token;
        }
        int value = Integer.parseInt(token.substring(3, 5), 16);
        return value < 128 ? Character.toString(value) : "\uFFFD";
    }

    private static String strip(String token, JsonObject decoder) {
        String content = String.valueOf(decoder.get("content"));
        int from = 0;
        int to = token.length();
        for (long i = decoder.get("start") instanceof Long n ? n : 0; i > 0 && !content.isEmpty() && token.startsWith(content, from); i--) {
            from += content.length();
        }
        for (long i = decoder.get("stop") instanceof Long n ? n : 0;
                i > 0 && !content.isEmpty() && to - content.length() >= from && token.startsWith(content, to - content.length()); i--) {
            to -= content.length();
        }
        return token.substring(from, to);
    }

    private static List<String> metaspace(List<String> tokens, JsonObject decoder) {
        String mark = decoder.get("replacement") instanceof String text ? text : "\u2581";
        boolean prepends = !"never".equals(decoder.get("prepend_scheme")) && !Boolean.FALSE.equals(decoder.get("add_prefix_space"));
        var pieces = new ArrayList<String>();
        for (int i = 0; i < tokens.size(); i++) {
            String token = tokens.get(i);
            pieces.add((i == 0 && prepends && token.startsWith(mark) ? token.substring(mark.length()) : token).replace(mark, " "));
        }
        return pieces;
    }

    /** What transformers calls cleaning up: no blank in front of punctuation and English contractions. */
    static String cleanUp(String text) {
        for (String end : List.of(".", "?", "!", ",")) {
            text = text.replace(" " + end, end);
        }
        text = text.replace(" ' ", "'");
        for (String end : List.of("n't", "'m", "'s", "'ve", "'re")) {
            text = text.replace(" " + end, end);
        }
        return text;
    }
}
