package ai.luciferai.llama.cli;

import ai.luciferai.llama.Grammar;
import ai.luciferai.llama.Sampling;
import ai.luciferai.llama.Sampling.Dry;
import ai.luciferai.llama.Sampling.DynamicTemperature;
import ai.luciferai.llama.Sampling.Mirostat;
import ai.luciferai.llama.Sampling.Penalties;
import ai.luciferai.llama.Sampling.Truncation;
import ai.luciferai.llama.Sampling.Xtc;
import ai.luciferai.llama.core.InvalidOptionException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How tokens are chosen: {@link Sampling} and {@link Grammar}. */
final class SamplingMixin {

    /** llama.cpp's letters (common_sampler_type_to_chr), of those that are set here. */
    private static final Map<Character, String> SAMPLERS = Map.of('e', "penalties", 'd', "dry", 's', "top_n_sigma", 'k', "top_k", 'y', "typ_p",
            'p', "top_p", 'm', "min_p", 'x', "xtc", 't', "temperature", 'i', "infill");

    private SamplingMixin() {}

    static void declare(Syntax syntax) {
        Sampling d = Sampling.defaults();
        syntax.group("Sampling (defaults are llama.cpp's, unless the model brings its own)")
                .option("-s --seed", "N", "start of the random numbers; -1: drawn", -1)
                .option("--temp --temperature", "X", "temperature; 0: always the most probable token", d.temperature())
                .option("--top-k", "N", "only this many most probable tokens; 0: all", d.truncation().topK())
                .option("--top-p", "X", "only the most probable that together reach this probability; 1: all", d.truncation().topP())
                .option("--min-p", "X", "only those with this share of the best one's probability; 0: all", d.truncation().minP())
                .option("--typical --typical-p", "X", "locally typical sampling; 1: off", d.truncation().typicalP())
                .option("--top-nsigma --top-n-sigma", "X", "only within so many deviations of the best; -1: off",
                        d.truncation().topNSigma())
                .option("--xtc-probability", "X", "chance to leave out the top choices; 0: off", d.xtc().probability())
                .option("--xtc-threshold", "X", "what a top choice is", d.xtc().threshold())
                .option("--dynatemp-range", "X", "temperature follows the entropy by so much; 0: off", d.dynamic().range())
                .option("--dynatemp-exp --dynatemp-exponent", "X", "how it follows", d.dynamic().exponent())
                .option("--mirostat", "N", "1 or 2: keep a target entropy instead; 0: off", d.mirostat().version())
                .option("--mirostat-ent --mirostat-tau", "X", "the target entropy", d.mirostat().tau())
                .option("--mirostat-lr --mirostat-eta", "X", "how fast it is approached", d.mirostat().eta())
                .option("--samplers", "NAME;…", "which samplers run, in order (default: llama.cpp's)")
                .option("--sampler-seq --sampling-seq", "LETTERS", "the same by llama.cpp's letters: edskypmxt")
                .option("-l --logit-bias", "ID(+|-)X", "make a token likelier or not: 15043+1, 15043-inf; may be repeated");
        syntax.group("Against repetition")
                .option("--repeat-penalty", "X", "on tokens among the last; 1: off", d.penalties().repeat())
                .option("--repeat-last-n", "N", "how many last ones; -1: the whole context", d.penalties().lastN())
                .option("--presence-penalty", "X", "once for each token that is there; 0: off", d.penalties().presence())
                .option("--frequency-penalty", "X", "for each time that it is there; 0: off", d.penalties().frequency())
                .option("--dry-multiplier", "X", "on repeated sequences; 0: off", d.dry().multiplier())
                .option("--dry-base", "X", "growth with the sequence's length", d.dry().base())
                .option("--dry-allowed-length", "N", "length that is not penalised", d.dry().allowedLength())
                .option("--dry-penalty-last-n", "N", "tokens to look through; -1: the whole context", d.dry().lastN())
                .option("--dry-sequence-breaker", "TEXT", "where a sequence starts anew; may be repeated (default: llama.cpp's)");
        syntax.group("Form of the answer")
                .option("--grammar", "GBNF", "a grammar that the text keeps")
                .option("--grammar-file", "FILE", "a file with one")
                .option("-j --json-schema", "JSON", "a JSON schema that the text keeps; {}: any JSON")
                .option("-jf --json-schema-file", "FILE", "a file with one")
                .flag("--lax-schema", "leave out, with a warning, what of a JSON schema cannot be kept");
    }

    /** @param d what holds for options that were not given: the model's own, or the defaults */
    static Sampling sampling(Arguments a, Sampling d) {
        return new Sampling(seed(a, d.seed()), Math.max(0, a.decimal("--temp", d.temperature())),
                new Truncation(Math.max(0, a.integer("--top-k", d.truncation().topK())), a.decimal("--top-p", d.truncation().topP()),
                        a.decimal("--min-p", d.truncation().minP()), a.decimal("--typical", d.truncation().typicalP()),
                        a.decimal("--top-nsigma", d.truncation().topNSigma())),
                new DynamicTemperature(a.decimal("--dynatemp-range", d.dynamic().range()),
                        a.decimal("--dynatemp-exp", d.dynamic().exponent())),
                new Xtc(a.decimal("--xtc-probability", d.xtc().probability()), a.decimal("--xtc-threshold", d.xtc().threshold())),
                new Penalties(a.integer("--repeat-last-n", d.penalties().lastN()), a.decimal("--repeat-penalty", d.penalties().repeat()),
                        a.decimal("--frequency-penalty", d.penalties().frequency()),
                        a.decimal("--presence-penalty", d.penalties().presence())),
                new Dry(a.decimal("--dry-multiplier", d.dry().multiplier()), a.decimal("--dry-base", d.dry().base()),
                        a.integer("--dry-allowed-length", d.dry().allowedLength()),
                        a.integer("--dry-penalty-last-n", d.dry().lastN()), breakers(a, d.dry().breakers())),
                new Mirostat(a.integer("--mirostat", d.mirostat().version()), a.decimal("--mirostat-ent", d.mirostat().tau()),
                        a.decimal("--mirostat-lr", d.mirostat().eta())),
                order(a, d.order()), logitBias(a, d.logitBias()));
    }

    private static List<String> order(Arguments a, List<String> fallback) {
        a.requireOne("--samplers", "--sampler-seq");
        if (!a.has("--sampler-seq")) {
            return a.has("--samplers") ? List.of(a.text("--samplers").split(";")) : fallback;
        }
        var order = new ArrayList<String>();
        for (char letter : a.text("--sampler-seq").toCharArray()) {
            String name = SAMPLERS.get(letter);
            if (name == null) {
                throw new InvalidOptionException(a.typed("--sampler-seq"), "letters of " + new TreeMap<>(SAMPLERS), Arguments.quote(String.valueOf(letter)));
            }
            order.add(name);
        }
        return order;
    }

    /** -1 as llama.cpp's tools take it, where it wraps to the mark for "draw one". */
    private static long seed(Arguments a, long fallback) {
        String text = a.text("-s");
        if (text == null) {
            return fallback;
        }
        try {
            long seed = Long.parseLong(text);
            return seed == -1 ? Sampling.RANDOM_SEED : seed;
        } catch (NumberFormatException e) {
            throw new InvalidOptionException(a.typed("-s"), "a whole number, or -1", Arguments.quote(text));
        }
    }

    private static List<String> breakers(Arguments a, List<String> fallback) {
        List<String> given = a.texts("--dry-sequence-breaker");
        return given.isEmpty() ? fallback : given.stream().map(Escapes::process).toList();
    }

    private static Map<Integer, Float> logitBias(Arguments a, Map<Integer, Float> fallback) {
        if (!a.has("-l")) {
            return fallback;
        }
        var biases = new HashMap<>(fallback);
        for (String text : a.texts("-l")) {
            int sign = 0;
            while (sign < text.length() && Character.isDigit(text.charAt(sign))) {
                sign++;
            }
            if (sign == 0 || sign == text.length() || "+-".indexOf(text.charAt(sign)) < 0) {
                throw new InvalidOptionException(a.typed("-l"), "TOKEN_ID+X or TOKEN_ID-X", Arguments.quote(text));
            }
            String amount = text.substring(sign + 1);
            float bias = amount.equals("inf") ? Float.POSITIVE_INFINITY : Arguments.decimalOf(a.typed("-l"), amount);
            biases.put(Arguments.integerOf(a.typed("-l"), text.substring(0, sign)), text.charAt(sign) == '-' ? -bias : bias);
        }
        return biases;
    }

    static Grammar grammar(Arguments a) {
        Grammar found = Grammar.none();
        String by = null;
        for (String name : List.of("--grammar", "--grammar-file", "-j", "-jf")) {
            if (!a.has(name)) {
                continue;
            }
            if (by != null) {
                throw new InvalidOptionException(a.typed(name), "one form of the answer", "this beside " + by);
            }
            by = a.typed(name);
            String text = name.endsWith("f") || name.endsWith("file") ? TextFile.read(by, a.text(name)) : a.text(name);
            found = name.startsWith("--grammar") ? Grammar.gbnf(text)
                    : a.on("--lax-schema", false) ? Grammar.laxJsonSchema(text) : Grammar.jsonSchema(text);
        }
        if (a.on("--lax-schema", false) && found.kind() != Grammar.Kind.LAX_JSON_SCHEMA) {
            throw new InvalidOptionException("--lax-schema", "--json-schema beside it", "none");
        }
        return found;
    }
}
