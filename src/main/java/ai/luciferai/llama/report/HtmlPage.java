package ai.luciferai.llama.report;

import java.util.Map;

/** What the pages have in common. Texts are escaped here, bodies are HTML. */
public final class HtmlPage {

    /**
     * Blue and orange, which all eyes tell apart, in shades for either background. Paper is always light. The drawings of {@link Frame} come
     * in two sizes; the page shows one of them.
     */
    private static final String STYLE = """
            :root{color-scheme:light;--paper:#fff;--ink:#1f2328;--soft:#59636e;--rule:#dbe1e7;--panel:#f3f5f7;--one:#0b62b0;--two:#b84a00}
            @media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;--paper:#15181b;--ink:#e6e9ec;--soft:#a0aab4;--rule:#363d44;\
            --panel:#20252a;--one:#6cb2f5;--two:#ff9f4d}}
            *{box-sizing:border-box}
            body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:0 auto;padding:1.5rem 1rem;color:var(--ink);background:var(--paper)}
            h1,h2{line-height:1.25;overflow-wrap:anywhere}h1{font-size:1.6em}h2{font-size:1.2em;margin:2em 0 .6em}
            .scroll{overflow-x:auto;margin:0 0 1.5em}table{border-collapse:collapse;font-size:12.5px}
            td,th{padding:.3em .7em .3em 0;vertical-align:top;text-align:left;white-space:nowrap;border-bottom:1px solid var(--rule)}
            td:last-child,th:last-child{padding-right:0}
            th{vertical-align:bottom;color:var(--soft);font-weight:600}th small{display:block;font-weight:400}
            .number{text-align:right;font-variant-numeric:tabular-nums}
            td.long{white-space:normal;overflow-wrap:anywhere;min-width:14em}
            td.text{white-space:pre-wrap;overflow-wrap:anywhere;min-width:12em}td.text:last-child{width:100%}
            .pairs td:first-child{color:var(--soft)}
            pre{background:var(--panel);padding:1em;white-space:pre-wrap;overflow-wrap:anywhere}
            figure{margin:0 0 1.5em}figcaption{color:var(--soft);font-size:13px;overflow-wrap:anywhere}
            figure>svg{display:block;width:100%;max-width:1000px;height:auto}figure>svg.narrow{display:none}
            @media (max-width:600px){figure>svg.wide{display:none}figure>svg.narrow{display:block}}
            .key{margin-right:1.2em;white-space:nowrap}.key svg{width:28px;height:10px}
            summary{cursor:pointer;color:var(--soft);font-size:13px}details .scroll{max-height:24em;overflow:auto}
            svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .tick,svg .label{fill:var(--soft)}
            .grid{stroke:var(--rule)}.axis,.leader{stroke:var(--soft)}.cross{stroke:var(--ink);stroke-dasharray:3 3}
            path{fill:none;stroke-linecap:round;stroke-linejoin:round}
            .thin{stroke:var(--one);stroke-width:1;opacity:.45}.bold{stroke:var(--one);stroke-width:2.2}
            .dotted{stroke:var(--two);stroke-width:1.5;stroke-dasharray:1 4}
            .bar{stroke:var(--soft);stroke-width:1.3}.one{fill:var(--one)}.two{fill:var(--two)}
            .ring{fill:none;stroke:var(--ink);stroke-width:1.5}.target{fill:transparent}.plate{fill:var(--paper)}
            .mark{visibility:hidden;pointer-events:none}.hit:hover .mark{visibility:visible}
            @media print{body{max-width:none;padding:0}.scroll{overflow:visible}details:not([open]){display:none}figure,tr{break-inside:avoid}\
            table{font-size:9px}td,th{padding-right:.6em}}
            """;

    private HtmlPage() {}

    /** A whole page: XML too, with nothing outside it. */
    public static String page(String title, String body) {
        return """
                <!DOCTYPE html>
                <html lang="en"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width"/><title>%1$s</title><style>
                %2$s</style></head><body><h1>%1$s</h1>
                %3$s</body></html>
                """.formatted(escape(title), STYLE, body);
    }

    /** Names and values. */
    public static String pairs(Map<String, String> rows) {
        var html = new StringBuilder("<div class=\"scroll\"><table class=\"pairs\">");
        rows.forEach((name, value) -> html.append("<tr><td>").append(escape(name)).append("</td><td class=\"text\">").append(escape(value))
                .append("</td></tr>\n"));
        return html.append("</table></div>\n").toString();
    }

    /** Text as HTML. Characters that no page can hold (control characters, halves of pairs) become �. */
    public static String escape(String text) {
        var html = new StringBuilder(text.length());
        text.codePoints().forEach(letter -> {
            switch (letter) {
                case '&' -> html.append("&amp;");
                case '<' -> html.append("&lt;");
                case '>' -> html.append("&gt;");
                case '"' -> html.append("&quot;");
                case '\'' -> html.append("&#39;");
                default -> html.appendCodePoint(allowed(letter) ? letter : 0xFFFD);
            }
        });
        return html.toString();
    }

    private static boolean allowed(int letter) {
        return letter == '\t' || letter == '\n' || letter == '\r' || letter >= ' ' && !(letter >= 0x7F && letter < 0xA0)
                && !(letter >= 0xD800 && letter < 0xE000) && (letter & 0xFFFE) != 0xFFFE;
    }
}
