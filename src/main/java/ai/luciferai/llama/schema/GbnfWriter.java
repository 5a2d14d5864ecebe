package ai.luciferai.llama.schema;

import ai.luciferai.llama.schema.Gbnf.Choice;
import ai.luciferai.llama.schema.Gbnf.Repeat;
import ai.luciferai.llama.schema.Gbnf.Rule;
import ai.luciferai.llama.schema.Gbnf.Sequence;
import ai.luciferai.llama.schema.Gbnf.Text;
import java.util.List;
import java.util.function.Predicate;

/** Expressions as llama.cpp reads them, without what can never end. */
final class GbnfWriter {

    private final StringBuilder out;
    private final String prefix;
    private final Predicate<Gbnf> ends;

    GbnfWriter(StringBuilder out, String prefix, Predicate<Gbnf> ends) {
        this.out = out;
        this.prefix = prefix;
        this.ends = ends;
    }

    /** @param whole whether nothing else stands in the same parentheses */
    void write(Gbnf body, boolean whole) {
        switch (body) {
            case Text t -> out.append(t.text());
            case Rule r -> out.append(prefix).append(r.name());
            case Sequence s when s.parts().isEmpty() -> out.append("\"\"");
            case Sequence s -> {
                for (int i = 0; i < s.parts().size(); i++) {
                    out.append(i == 0 ? "" : " ");
                    write(s.parts().get(i), false);
                }
            }
            case Choice c -> {
                List<Gbnf> live = c.options().stream().filter(ends).toList();
                boolean bare = whole || live.size() == 1;
                out.append(bare ? "" : "(");
                for (int i = 0; i < live.size(); i++) {
                    out.append(i == 0 ? "" : " | ");
                    write(live.get(i), false);
                }
                out.append(bare ? "" : ")");
            }
            case Repeat r when !ends.test(r.part()) -> out.append("\"\"");
            case Repeat r -> {
                boolean bare = r.part() instanceof Rule;
                out.append(bare ? "" : "(");
                write(r.part(), true);
                out.append(bare ? "" : ")").append(count(r));
            }
        }
    }

    private static String count(Repeat r) {
        return switch (r.least() + "," + (r.most() == Gbnf.UNLIMITED ? "" : r.most())) {
            case "0,1" -> "?";
            case "0," -> "*";
            case "1," -> "+";
            case String counts -> "{" + counts + "}";
        };
    }
}
