package ai.luciferai.llama.ffi;

import ai.luciferai.llama.bindings.lucifer_llama_h;
import ai.luciferai.llama.bindings.lucifer_logit_bias;
import ai.luciferai.llama.bindings.lucifer_sampler_params;
import ai.luciferai.llama.core.Cancel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Mirror of the C struct {@code lucifer_sampler_params}: what a sampler is made with. Filled with the model's own defaults. */
public final class SamplerParams {

    /** LLAMA_DEFAULT_SEED (0xFFFFFFFF): random. */
    public int seed;
    /** Candidates that top-p, min-p, typical and XTC leave at least. */
    public int minKeep;
    public int topK;
    public float topP;
    public float minP;
    public float typicalP;
    public float topNSigma;
    public float xtcProbability;
    public float xtcThreshold;
    /** 0 or less: greedy. */
    public float temperature;
    public float dynatempRange;
    public float dynatempExponent;
    public int penaltyLastN;
    public float penaltyRepeat;
    public float penaltyFrequency;
    public float penaltyPresence;
    public float dryMultiplier;
    public float dryBase;
    public int dryAllowedLength;
    public int dryPenaltyLastN;
    /** 0, 1, 2. */
    public int mirostat;
    public float mirostatTau;
    public float mirostatEta;
    /** Only when "adaptive_p" is among the samplers. */
    public float adaptiveTarget;
    public float adaptiveDecay;
    public boolean ignoreEos;
    /** The grammar starts at a trigger. */
    public boolean grammarLazy;

    /** GBNF; null: none. */
    public String grammar;
    /** What the caller calls the grammar, or what it was made from: for messages. */
    public String grammarOption = "grammar";
    /** With a grammar of {@link ChatTemplates#render}: its generation_prompt, which the grammar passes first; else null. */
    public String generationPrompt;
    /** Order of the samplers, upstream's names with ';' between; null: the model's own, else upstream's. */
    public String samplers;
    /** A lazy grammar starts where one of these regular expressions fits. */
    public List<String> grammarTriggerPatterns = List.of();
    /** Or at one of these tokens. */
    public int[] grammarTriggerTokens = {};
    /** Added to the logits of single tokens. */
    public List<LogitBias> logitBias = List.of();
    /** Null: upstream's defaults; empty: none. */
    public List<String> dryBreakers;

    /** A number added to the logit of a token; negative infinity forbids it. */
    public record LogitBias(int token, float bias) {}

    private SamplerParams(MemorySegment struct) {
        seed = lucifer_sampler_params.seed(struct);
        minKeep = lucifer_sampler_params.min_keep(struct);
        topK = lucifer_sampler_params.top_k(struct);
        topP = lucifer_sampler_params.top_p(struct);
        minP = lucifer_sampler_params.min_p(struct);
        typicalP = lucifer_sampler_params.typical_p(struct);
        topNSigma = lucifer_sampler_params.top_n_sigma(struct);
        xtcProbability = lucifer_sampler_params.xtc_probability(struct);
        xtcThreshold = lucifer_sampler_params.xtc_threshold(struct);
        temperature = lucifer_sampler_params.temperature(struct);
        dynatempRange = lucifer_sampler_params.dynatemp_range(struct);
        dynatempExponent = lucifer_sampler_params.dynatemp_exponent(struct);
        penaltyLastN = lucifer_sampler_params.penalty_last_n(struct);
        penaltyRepeat = lucifer_sampler_params.penalty_repeat(struct);
        penaltyFrequency = lucifer_sampler_params.penalty_frequency(struct);
        penaltyPresence = lucifer_sampler_params.penalty_presence(struct);
        dryMultiplier = lucifer_sampler_params.dry_multiplier(struct);
        dryBase = lucifer_sampler_params.dry_base(struct);
        dryAllowedLength = lucifer_sampler_params.dry_allowed_length(struct);
        dryPenaltyLastN = lucifer_sampler_params.dry_penalty_last_n(struct);
        mirostat = lucifer_sampler_params.mirostat(struct);
        mirostatTau = lucifer_sampler_params.mirostat_tau(struct);
        mirostatEta = lucifer_sampler_params.mirostat_eta(struct);
        adaptiveTarget = lucifer_sampler_params.adaptive_target(struct);
        adaptiveDecay = lucifer_sampler_params.adaptive_decay(struct);
        ignoreEos = lucifer_sampler_params.ignore_eos(struct) != 0;
        grammarLazy = lucifer_sampler_params.grammar_lazy(struct) != 0;
    }

    /**
     * Upstream's defaults, or those of the model's metadata.
     *
     * @param model may be null
     */
    public static SamplerParams defaults(ModelHandle model) {
        NativeLibrary.require();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = lucifer_sampler_params.allocate(arena);
            lucifer_sampler_params.struct_size(struct, lucifer_sampler_params.sizeof());
            Status.check(lucifer_llama_h.lucifer_sampler_params_init(model == null ? MemorySegment.NULL : model.shared(), struct),
                    "lucifer_sampler_params_init");
            return new SamplerParams(struct);
        } catch (IllegalStateException fault) {
            throw model == null ? fault : model.explained(fault);
        }
    }

    /** The struct as C reads it, valid as long as the allocator's memory. */
    MemorySegment toNative(SegmentAllocator arena, ModelHandle model, Cancel cancel) {
        MemorySegment struct = lucifer_sampler_params.allocate(arena);
        lucifer_sampler_params.struct_size(struct, lucifer_sampler_params.sizeof());
        lucifer_sampler_params.model(struct, model.shared());
        lucifer_sampler_params.cancel(struct, cancel.segment());
        writeNumbers(struct);
        writeGrammar(struct, arena);
        writeLists(struct, arena);
        return struct;
    }

    private void writeGrammar(MemorySegment struct, SegmentAllocator arena) {
        lucifer_sampler_params.grammar(struct, NativeText.in(arena, "grammar", grammar));
        lucifer_sampler_params.generation_prompt(struct, NativeText.in(arena, "generationPrompt", generationPrompt));
        lucifer_sampler_params.grammar_trigger_patterns(struct,
                NativeText.in(arena, "grammarTriggerPatterns", grammarTriggerPatterns));
        lucifer_sampler_params.n_grammar_trigger_patterns(struct, grammarTriggerPatterns.size());
        lucifer_sampler_params.grammar_trigger_tokens(struct, arena.allocateFrom(ValueLayout.JAVA_INT, grammarTriggerTokens));
        lucifer_sampler_params.n_grammar_trigger_tokens(struct, grammarTriggerTokens.length);
    }

    private void writeLists(MemorySegment struct, SegmentAllocator arena) {
        lucifer_sampler_params.samplers(struct, NativeText.in(arena, "samplers", samplers));
        lucifer_sampler_params.logit_bias(struct, biases(arena));
        lucifer_sampler_params.n_logit_bias(struct, logitBias.size());
        if (dryBreakers != null) {
            // Not the null pointer for an empty list: that means upstream's defaults.
            lucifer_sampler_params.dry_breakers(struct,
                    dryBreakers.isEmpty() ? arena.allocate(ValueLayout.ADDRESS) : NativeText.in(arena, "dryBreakers", dryBreakers));
            lucifer_sampler_params.n_dry_breakers(struct, dryBreakers.size());
        }
    }

    private MemorySegment biases(SegmentAllocator arena) {
        MemorySegment array = lucifer_logit_bias.allocateArray(logitBias.size(), arena);
        for (int i = 0; i < logitBias.size(); i++) {
            MemorySegment bias = lucifer_logit_bias.asSlice(array, i);
            lucifer_logit_bias.token(bias, logitBias.get(i).token());
            lucifer_logit_bias.bias(bias, logitBias.get(i).bias());
        }
        return array;
    }

    private void writeNumbers(MemorySegment struct) {
        lucifer_sampler_params.seed(struct, seed);
        lucifer_sampler_params.min_keep(struct, minKeep);
        lucifer_sampler_params.top_k(struct, topK);
        lucifer_sampler_params.top_p(struct, topP);
        lucifer_sampler_params.min_p(struct, minP);
        lucifer_sampler_params.typical_p(struct, typicalP);
        lucifer_sampler_params.top_n_sigma(struct, topNSigma);
        lucifer_sampler_params.xtc_probability(struct, xtcProbability);
        lucifer_sampler_params.xtc_threshold(struct, xtcThreshold);
        lucifer_sampler_params.temperature(struct, temperature);
        lucifer_sampler_params.dynatemp_range(struct, dynatempRange);
        lucifer_sampler_params.dynatemp_exponent(struct, dynatempExponent);
        lucifer_sampler_params.penalty_last_n(struct, penaltyLastN);
        lucifer_sampler_params.penalty_repeat(struct, penaltyRepeat);
        lucifer_sampler_params.penalty_frequency(struct, penaltyFrequency);
        lucifer_sampler_params.penalty_presence(struct, penaltyPresence);
        lucifer_sampler_params.dry_multiplier(struct, dryMultiplier);
        lucifer_sampler_params.dry_base(struct, dryBase);
        lucifer_sampler_params.dry_allowed_length(struct, dryAllowedLength);
        lucifer_sampler_params.dry_penalty_last_n(struct, dryPenaltyLastN);
        lucifer_sampler_params.mirostat(struct, mirostat);
        lucifer_sampler_params.mirostat_tau(struct, mirostatTau);
        lucifer_sampler_params.mirostat_eta(struct, mirostatEta);
        lucifer_sampler_params.adaptive_target(struct, adaptiveTarget);
        lucifer_sampler_params.adaptive_decay(struct, adaptiveDecay);
        lucifer_sampler_params.ignore_eos(struct, ignoreEos ? 1 : 0);
        lucifer_sampler_params.grammar_lazy(struct, grammarLazy ? 1 : 0);
    }
}
