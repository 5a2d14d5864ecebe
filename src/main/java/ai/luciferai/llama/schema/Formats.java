package ai.luciferai.llama.schema;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Formats of strings as patterns; some are narrower than their standards, none is wider. */
final class Formats {

    /** The standard defines it, and no pattern keeps it. */
    static final Set<String> UNKEPT = Set.of("regex");

    private static final String LEAP_YEAR = "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
    private static final String DATE = "(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
            + "|02-(?:0[1-9]|1\\d|2[0-8]))|" + LEAP_YEAR + "-02-29)";
    private static final String TIME = "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:0\\d|1[0-3]):[0-5]\\d|\\+14:00)"; // offsets that exist
    private static final String BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private static final String LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9]{0,20}|[a-zA-Z0-9]{1,10}-[a-zA-Z0-9]{1,10})";
    private static final String HOST = LABEL + "(?:\\." + LABEL + "){0,5}";
    private static final String GROUP = "[0-9a-fA-F]{1,4}";

    private static final String EMAIL = "[a-zA-Z0-9_+-]{1,20}(?:\\.[a-zA-Z0-9_+-]{1,20}){0,2}@" + LABEL + "(?:\\." + LABEL
            + "){0,3}\\.[a-zA-Z]{2,10}";
    private static final String REST = "(?:\\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?(?:#[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?";
    private static final String PATH = "(?:/[A-Za-z0-9._~!$&'()*+,;=:@-]+)*/?" + REST;
    private static final String URI = "(?:(?:https?|ftp|wss?|file)://" + HOST + "(?::[1-9]\\d{0,3})?" + PATH
            + "|mailto:[a-z0-9]{1,30}@" + HOST + "|urn:[a-z]{2,10}:[A-Za-z0-9:.-]+)";
    private static final String POINTER = "(?:/(?:[^~/]|~[01])*)*";

    private static final Map<String, String> PATTERNS = patterns();

    private Formats() {}

    private static Map<String, String> patterns() {
        Map<String, String> map = new HashMap<>();
        map.put("date", DATE);
        map.put("time", TIME);
        map.put("date-time", DATE + "T" + TIME);
        map.put("duration", "P(?:\\d{1,4}W|\\d{1,4}Y(?:\\d{1,2}M(?:\\d{1,3}D)?)?|\\d{1,4}M(?:\\d{1,3}D)?|\\d{1,5}D(?:T\\d{1,5}H)?"
                + "|T(?:\\d{1,5}H(?:\\d{1,5}M(?:\\d{1,5}S)?)?|\\d{1,5}M(?:\\d{1,5}S)?|\\d{1,5}S))");
        map.put("uuid", "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");
        map.put("email", EMAIL);
        map.put("hostname", HOST);
        map.put("ipv4", BYTE + "(?:\\." + BYTE + "){3}");
        map.put("ipv6", "(?:(?:" + GROUP + ":){7}" + GROUP + "|::(?:" + GROUP + "(?::" + GROUP + "){0,5})?|" + GROUP + "::(?:" + GROUP
                + "(?::" + GROUP + "){0,4})?)");
        map.put("uri", URI);
        map.put("uri-reference", "(?:" + URI + "|[A-Za-z0-9._~-]*" + PATH + ")");
        map.put("json-pointer", POINTER);
        map.put("relative-json-pointer", "(?:0|[1-9]\\d{0,5})(?:#|" + POINTER + ")");
        // what is ASCII of those
        map.put("idn-email", EMAIL);
        map.put("idn-hostname", HOST);
        map.put("iri", URI);
        map.put("iri-reference", map.get("uri-reference"));
        map.put("uri-template", URI);
        map.replaceAll((format, pattern) -> "^(?:" + pattern + ")$");
        return Map.copyOf(map);
    }

    /** Null for a format that is not known, or not kept. */
    static String pattern(String format) {
        return PATTERNS.get(format);
    }
}
