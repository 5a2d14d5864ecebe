package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.ffi.ModelHandle;
import ai.luciferai.llama.ffi.SamplerHandle;
import ai.luciferai.llama.ffi.SamplerParams;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Turns {@link Sampling} and {@link Grammar} into a sampler, and the native defaults into a {@link Sampling}. */
final class SamplerSetup {

    private SamplerSetup() {}

    /**
     * A sampler that has seen the prompt.
     *
     * @param context most tokens that the sequence can have
     * @param cancel  ends the reading of its grammar, and each choice
     */
    static SamplerHandle sampler(ModelHandle model, GenerationPlan plan, int[] prompt, int context, Cancel cancel) {
        SamplerHandle sampler = SamplerHandle.init(model, params(model, plan, context, cancel), cancel);
        try {
            if (looksBack(plan.options().sampling())) {
                for (int token : prompt) {
                    sampler.accept(token);
                }
            }
            return sampler;
        } catch (RuntimeException e) {
            sampler.close();
            throw e;
        }
    }

    /** Whether earlier tokens matter: only penalties and DRY look at them. */
    private static boolean looksBack(Sampling s) {
        Sampling.Penalties p = s.penalties();
        boolean penalises = p.lastN() != 0 && (p.repeat() != 1f || p.frequency() != 0f || p.presence() != 0f);
        return penalises || s.dry().multiplier() > 0f;
    }

    private static SamplerParams params(ModelHandle model, GenerationPlan plan, int context, Cancel cancel) {
        SamplerParams p = SamplerParams.defaults(model);
        Sampling s = plan.options().sampling();
        p.seed = (int) s.seed();
        p.temperature = s.temperature();
        p.dynatempRange = s.dynamic().range();
        p.dynatempExponent = s.dynamic().exponent();
        p.xtcProbability = s.xtc().probability();
        p.xtcThreshold = s.xtc().threshold();
        p.mirostat = s.mirostat().version();
        p.mirostatTau = s.mirostat().tau();
        p.mirostatEta = s.mirostat().eta();
        p.ignoreEos = plan.options().ignoreEos();
        p.logitBias = new TreeMap<>(s.logitBias()).entrySet().stream() // in the order of ids
                .map(e -> new SamplerParams.LogitBias(e.getKey(), e.getValue())).toList();
        if (!s.order().isEmpty()) {
            p.samplers = String.join(";", s.order());
        }
        truncation(p, s.truncation());
        repetition(p, s.penalties(), s.dry(), context);
        grammar(p, plan, cancel);
        return p;
    }

    private static void truncation(SamplerParams p, Sampling.Truncation t) {
        p.topK = t.topK();
        p.topP = t.topP();
        p.minP = t.minP();
        p.typicalP = t.typicalP();
        p.topNSigma = t.topNSigma();
    }

    private static void repetition(SamplerParams p, Sampling.Penalties penalties, Sampling.Dry dry, int context) {
        p.penaltyLastN = within(penalties.lastN(), context);
        p.penaltyRepeat = penalties.repeat();
        p.penaltyFrequency = penalties.frequency();
        p.penaltyPresence = penalties.presence();
        p.dryMultiplier = dry.multiplier();
        p.dryBase = dry.base();
        p.dryAllowedLength = dry.allowedLength();
        p.dryPenaltyLastN = within(dry.lastN(), context);
        p.dryBreakers = dry.breakers().isEmpty() ? null : breakers(dry.breakers());
    }

    /** As llama.cpp's option: "none" takes away those before it. */
    private static List<String> breakers(List<String> given) {
        return given.subList(given.lastIndexOf("none") + 1, given.size());
    }

    /** llama.cpp takes -1 for none at all, and has memory for as many tokens as it is told. */
    private static int within(int lastN, int context) {
        return lastN < 0 ? context : Math.min(lastN, context);
    }

    /** The caller's own grammar goes before that of the chat template's tool calls. */
    private static void grammar(SamplerParams p, GenerationPlan plan, Cancel cancel) {
        Grammar own = plan.options().grammar();
        switch (own.kind()) {
            case GBNF -> p.grammar = own.text();
            case JSON_SCHEMA, LAX_JSON_SCHEMA -> {
                p.grammar = SchemaForm.gbnf(own, cancel);
                p.grammarOption = "jsonSchema";
            }
            case NONE -> toolGrammar(p, plan.toolGrammar());
        }
    }

    private static void toolGrammar(SamplerParams p, RenderedChat.ToolGrammar tools) {
        if (!tools.gbnf().isEmpty()) {
            p.grammar = tools.gbnf();
            p.grammarOption = "tools";
            p.grammarLazy = tools.lazy();
            p.grammarTriggerPatterns = tools.triggerPatterns();
            p.grammarTriggerTokens = tools.triggerTokens().stream().mapToInt(Integer::intValue).toArray();
            p.generationPrompt = tools.generationPrompt();
        }
    }

    /** The defaults of a model, as its metadata or llama.cpp give them. */
    static Sampling defaults(ModelHandle model) {
        SamplerParams p = SamplerParams.defaults(model);
        List<String> order = p.samplers == null ? List.of() : List.of(p.samplers.split(";"));
        return new Sampling(Integer.toUnsignedLong(p.seed), p.temperature,
                new Sampling.Truncation(Math.max(0, p.topK), p.topP, p.minP, p.typicalP, p.topNSigma),
                new Sampling.DynamicTemperature(p.dynatempRange, p.dynatempExponent),
                new Sampling.Xtc(p.xtcProbability, p.xtcThreshold),
                new Sampling.Penalties(p.penaltyLastN, p.penaltyRepeat, p.penaltyFrequency, p.penaltyPresence),
                new Sampling.Dry(p.dryMultiplier, p.dryBase, p.dryAllowedLength, p.dryPenaltyLastN,
                        p.dryBreakers == null ? List.of() : p.dryBreakers),
                new Sampling.Mirostat(p.mirostat, p.mirostatTau, p.mirostatEta), order, Map.of());
    }
}
