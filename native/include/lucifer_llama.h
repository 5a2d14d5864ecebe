/*
 * lucifer_llama.h — the whole C contract between Java and llama.cpp.
 *
 * Plain C: fixed-width integers, floats, pointers, flat structs and opaque handles; no upstream include, so that jextract's
 * output is small and equal on every machine.
 *
 * Conventions, which hold for every function unless its comment says otherwise:
 *   result    a LUCIFER_STATUS_* code; results leave through out-parameters, which are written only on LUCIFER_STATUS_OK
 *   errors    nothing throws or aborts across this border: C++ exceptions and ggml's failed assertions become a status, and
 *             lucifer_last_error gives the message of the calling thread's last failed call, with llama.cpp's own error lines
 *   poisoned  an object in which an assertion failed is in an unknown state: every later call with it answers
 *             LUCIFER_STATUS_POISONED, only its *_free may be called (which leaks what can no longer be freed safely)
 *   ownership *_load and *_init give an object to the caller, who ends it with the matching *_free (NULL is allowed);
 *             a model must outlive its contexts, samplers and adapters; a context must outlive nothing
 *   threads   an object is used by one thread at a time; different objects may be used in parallel;
 *             a cancel flag may be set by any thread
 *   strings   UTF-8. In: NUL-terminated, or pointer and byte length. Out: (buf, cap, len): the text's bytes without terminator;
 *             *len is always the full length; when it exceeds cap nothing is copied and LUCIFER_STATUS_BUFFER_TOO_SMALL results
 *   structs   the first field is struct_size, set by the caller before every call, *_params_init and *_describe too, to the
 *             size it was compiled with; another size is refused
 *   shapes    what lies between the start of a process and its first token takes an object, or an object and one struct: each
 *             further combination of parameter types costs a JVM 5 ms when it is first called
 *   cancel    a pointer to an int32_t that is polled during the call (NULL: cannot be cancelled); non-zero ends the call with
 *             LUCIFER_STATUS_CANCELLED; the pointer is not kept after the call
 */
#ifndef LUCIFER_LLAMA_H
#define LUCIFER_LLAMA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#    ifdef LUCIFER_BUILD
#        define LUCIFER_API __declspec(dllexport)
#    else
#        define LUCIFER_API __declspec(dllimport)
#    endif
#else
#    define LUCIFER_API __attribute__((visibility("default")))
#endif

/* Raised by every change to this file that an older caller would not survive. */
#define LUCIFER_ABI_VERSION 4

enum lucifer_status {
    LUCIFER_STATUS_OK               = 0,
    LUCIFER_STATUS_INVALID_ARGUMENT = 1,  /* the call itself is wrong: null, out of range, unknown name, wrong struct_size */
    LUCIFER_STATUS_INVALID_FILE     = 2,  /* a file could not be read or is not what it should be */
    LUCIFER_STATUS_UNSUPPORTED      = 3,  /* the model, backend or platform cannot do this */
    LUCIFER_STATUS_OUT_OF_MEMORY    = 4,
    LUCIFER_STATUS_CANCELLED        = 5,
    LUCIFER_STATUS_BUFFER_TOO_SMALL = 6,
    LUCIFER_STATUS_CONTEXT_FULL     = 7,  /* no room in the KV cache for this batch; nothing was decoded */
    LUCIFER_STATUS_FAILED           = 8,  /* llama.cpp returned an error */
    LUCIFER_STATUS_EXCEPTION        = 9,  /* a C++ exception was caught */
    LUCIFER_STATUS_ABORTED          = 10, /* a failed assertion of ggml or llama.cpp was caught; the object is poisoned */
    LUCIFER_STATUS_POISONED         = 11
};

/* --- library ------------------------------------------------------------------------------------------------------- */

/* LUCIFER_ABI_VERSION of the library; never fails, may be called before lucifer_init. */
LUCIFER_API int32_t lucifer_abi_version(int32_t * version);

/*
 * Makes the library ready: log and abort hooks, then every backend library in backend_dir that loads on this machine
 * (NULL: only the backends that are linked in). Call once before anything else; later calls do nothing.
 */
LUCIFER_API int32_t lucifer_init(const char * backend_dir);

/*
 * What one piece of work on a chat template, a grammar or a JSON schema may take, which anybody may have written: memory that it holds
 * at a time, and how long it takes. Beyond it the call fails with INVALID_ARGUMENT and the limit in the message. To be set before such
 * work; in the beginning 256 MiB and 10 s.
 */
LUCIFER_API int32_t lucifer_limits_set(int64_t max_bytes, int64_t max_millis);

/* Versions and build flags, one "key=value" a line: llama.cpp, llama.cpp.commit, ggml, compiler, build, backends. */
LUCIFER_API int32_t lucifer_build_info(char * buf, int64_t cap, int64_t * len);

/*
 * Entry `index` of the table of what the library was compiled with, for a check against the caller's bindings:
 * "struct" or "struct.field" in name, its size or offset in bytes in value. INVALID_ARGUMENT behind the last entry.
 */
LUCIFER_API int32_t lucifer_layout(int32_t index, char * name, int64_t cap, int64_t * len, int64_t * value);

/* Message of the calling thread's last failed call ("" when it has none). */
LUCIFER_API int32_t lucifer_last_error(char * buf, int64_t cap, int64_t * len);

/*
 * Takes the oldest line out of the log ring (1,024 lines; the oldest are dropped first, *dropped counts them since the last
 * call). level: 1 debug, 2 info, 3 warn, 4 error. *len is -1 when the ring is empty.
 */
LUCIFER_API int32_t lucifer_log_take(int32_t * level, int64_t * dropped, char * buf, int64_t cap, int64_t * len);

/* Lines below this level are not put into the ring (default 5: none). */
LUCIFER_API int32_t lucifer_log_set_level(int32_t level);

/*
 * Fails on purpose, for tests of the guard and for the self-check. kind 0: C++ exception; 1: failed assertion in C code;
 * 2, 3: failed assertion inside a graph that is being computed, on the calling thread (2) or on a worker thread (3), which end the
 * process after writing last words.
 */
LUCIFER_API int32_t lucifer_provoke(int32_t kind);

/* --- backends and devices ------------------------------------------------------------------------------------------ */

enum lucifer_device_type {
    LUCIFER_DEVICE_CPU   = 0,
    LUCIFER_DEVICE_GPU   = 1,
    LUCIFER_DEVICE_IGPU  = 2,
    LUCIFER_DEVICE_ACCEL = 3,
    LUCIFER_DEVICE_META  = 4
};

/*
 * All devices, with their memory at this moment, one a line: enum lucifer_device_type, bytes free, bytes in all, name (what
 * --device takes: "CUDA0", "RPC0", "CPU"), backend ("CUDA", "RPC", "CPU"), path of the library that it came from, and the
 * maker's description, with tabs between.
 */
LUCIFER_API int32_t lucifer_devices(char * buf, int64_t cap, int64_t * len);

/* Backend libraries in backend_dir that were not loaded, one "file name<TAB>reason" a line. */
LUCIFER_API int32_t lucifer_backends_skipped(char * buf, int64_t cap, int64_t * len);

/* Adds the devices of the rpc-server at "host:port"; *n_devices is how many it offers. Adding a server twice adds nothing. */
LUCIFER_API int32_t lucifer_rpc_add_server(const char * endpoint, int32_t * n_devices);

/* --- model --------------------------------------------------------------------------------------------------------- */

struct lucifer_model;

enum lucifer_kv_type {
    LUCIFER_KV_INT   = 0,
    LUCIFER_KV_FLOAT = 1,
    LUCIFER_KV_BOOL  = 2,
    LUCIFER_KV_STR   = 3
};

struct lucifer_kv_override {
    int64_t val_int;           /* LUCIFER_KV_INT, LUCIFER_KV_BOOL */
    double  val_float;         /* LUCIFER_KV_FLOAT */
    int32_t type;              /* enum lucifer_kv_type */
    int32_t reserved;
    char    key[128];          /* NUL-terminated */
    char    val_str[128];      /* LUCIFER_KV_STR, NUL-terminated */
};

/* n_gpu_layers: every layer, or as many as fit into the devices' free memory together with the context in fit_*. */
#define LUCIFER_GPU_LAYERS_ALL  (-1)
#define LUCIFER_GPU_LAYERS_AUTO (-2)

struct lucifer_model_params {
    int64_t         struct_size;
    const char *    const * paths;      /* the file, or all parts of a split model in order */
    const char *    const * devices;    /* device names to use; NULL: all */
    const float *   tensor_split;       /* share of each device; NULL: by free memory */
    const struct lucifer_kv_override * kv_overrides;
    int64_t *       progress;           /* two cells, done and total (in 1/1000), written while loading; may be NULL */
    const int32_t * cancel;
    int64_t         fit_margin;         /* bytes to leave free on each device (AUTO only) */
    int32_t         n_paths;
    int32_t         n_devices;
    int32_t         n_tensor_split;
    int32_t         n_kv_overrides;
    int32_t         n_gpu_layers;       /* or LUCIFER_GPU_LAYERS_* */
    int32_t         split_mode;         /* enum llama_split_mode */
    int32_t         load_mode;          /* enum llama_load_mode */
    int32_t         main_gpu;
    int32_t         fit_n_ctx;          /* context that AUTO leaves room for; 0: the model's own, shrunk if need be */
    int32_t         fit_n_ubatch;       /* 0: default */
    int32_t         n_positions;        /* rows of position_embd.weight, behind which llama.cpp asserts; 0: there is none */
    int32_t         vocab_only;         /* booleans from here */
    int32_t         check_tensors;
    int32_t         use_extra_bufts;    /* repack weights for this CPU */
};

LUCIFER_API int32_t lucifer_model_params_init(struct lucifer_model_params * params);

/* Loads a model; see the struct. The paths must have passed the caller's own check of the GGUF header. */
LUCIFER_API int32_t lucifer_model_load(const struct lucifer_model_params * params, struct lucifer_model ** out);
LUCIFER_API int32_t lucifer_model_free(struct lucifer_model * model);

struct lucifer_model_info {
    int64_t struct_size;
    int64_t n_params;
    int64_t size_bytes;        /* of all tensors */
    int32_t n_ctx_train;
    int32_t n_embd;
    int32_t n_embd_out;
    int32_t n_layer;
    int32_t n_head;
    int32_t n_head_kv;
    int32_t n_vocab;
    int32_t vocab_type;        /* enum llama_vocab_type; 0: the file has no vocabulary */
    int32_t ftype;             /* enum llama_ftype */
    int32_t rope_type;
    int32_t pooling_type;      /* of the file; -1: not said */
    int32_t n_cls_out;
    int32_t token_bos;         /* -1 where there is none, here and below */
    int32_t token_eos;
    int32_t token_eot;
    int32_t token_sep;
    int32_t token_nl;
    int32_t token_pad;
    int32_t decoder_start;
    int32_t add_bos;           /* booleans from here */
    int32_t add_eos;
    int32_t has_encoder;
    int32_t has_decoder;
    int32_t is_recurrent;
    int32_t is_hybrid;
    int32_t is_diffusion;
    int32_t n_swa;             /* sliding attention window in tokens; 0: none */
    int32_t n_gpu_layers;      /* as asked for, or as fitted */
    int32_t fit_n_ctx;         /* context size that AUTO fitted; 0: no fitting took place */
    const char * description;  /* "qwen3 0.6B Q8_0"; lives as long as the model, as does eog */
    const int32_t * eog;       /* the tokens that end a generation, ascending */
    int64_t n_eog;
};

LUCIFER_API int32_t lucifer_model_describe(const struct lucifer_model * model, struct lucifer_model_info * out);

/* --- vocabulary ---------------------------------------------------------------------------------------------------- */

struct lucifer_tokens {
    int64_t struct_size;
    const char * text;         /* UTF-8 */
    int64_t n_bytes;
    int32_t * tokens;          /* room for cap of them */
    const int32_t * cancel;
    int32_t cap;
    int32_t n_tokens;          /* out: always the full count */
    int32_t add_special;       /* booleans from here */
    int32_t parse_special;
};

/*
 * Tokens of a text; BUFFER_TOO_SMALL when they are more than cap. INVALID_ARGUMENT for a text that takes more than the time of
 * lucifer_limits_set for each MiB of it, or more than half of the memory that is free.
 */
LUCIFER_API int32_t lucifer_tokenize(const struct lucifer_model * model, struct lucifer_tokens * tokens);

struct lucifer_piece {
    int64_t struct_size;
    char * buf;                /* room for cap bytes */
    int32_t cap;
    int32_t len;               /* out: always the full length */
    int32_t token;
    int32_t special;           /* boolean: control tokens have text too */
};

/* Bytes of one token, which may be part of a UTF-8 sequence; BUFFER_TOO_SMALL when they are more than cap. */
LUCIFER_API int32_t lucifer_token_piece(const struct lucifer_model * model, struct lucifer_piece * piece);

LUCIFER_API int32_t lucifer_detokenize(const struct lucifer_model * model, const int32_t * tokens, int32_t n_tokens,
                                       int32_t remove_special, int32_t unparse_special, char * buf, int64_t cap, int64_t * len);

/* --- LoRA adapter -------------------------------------------------------------------------------------------------- */

struct lucifer_adapter;

LUCIFER_API int32_t lucifer_adapter_load(struct lucifer_model * model, const char * path, struct lucifer_adapter ** out);
LUCIFER_API int32_t lucifer_adapter_free(struct lucifer_adapter * adapter);

/* --- context ------------------------------------------------------------------------------------------------------- */

struct lucifer_context;

enum lucifer_imatrix {
    LUCIFER_IMATRIX_NONE   = 0,
    LUCIFER_IMATRIX_BLOCKS = 1, /* inputs of the weights of all blocks */
    LUCIFER_IMATRIX_OUTPUT = 2  /* and those of output.weight */
};

struct lucifer_context_params {
    int64_t struct_size;
    struct lucifer_model * model; /* that computes */
    int32_t n_ctx;             /* tokens in all sequences together; 0: the model's own */
    int32_t n_batch;           /* most tokens in one decode call */
    int32_t n_ubatch;          /* most tokens computed at once */
    int32_t n_seq_max;
    int32_t n_threads;         /* for single tokens; 0: the number of physical cores, or 1 where devices compute all */
    int32_t n_threads_batch;   /* for prompts; 0: as for single tokens */
    int32_t flash_attn;        /* enum llama_flash_attn_type */
    int32_t type_k;            /* enum ggml_type */
    int32_t type_v;            /* enum ggml_type */
    int32_t pooling_type;      /* enum llama_pooling_type; -1: the model's own */
    int32_t attention_type;    /* enum llama_attention_type; -1: the model's own */
    int32_t rope_scaling_type; /* enum llama_rope_scaling_type; -1: the model's own */
    float   rope_freq_base;    /* 0: the model's own, here and below */
    float   rope_freq_scale;
    float   yarn_ext_factor;   /* negative: the model's own */
    float   yarn_attn_factor;
    float   yarn_beta_fast;
    float   yarn_beta_slow;
    int32_t yarn_orig_ctx;
    int32_t embeddings;        /* booleans from here */
    int32_t offload_kqv;
    int32_t op_offload;
    int32_t swa_full;
    int32_t kv_unified;
    int32_t imatrix;           /* enum lucifer_imatrix: what is collected while the context computes */
    int32_t reserved;
};

/* llama.cpp's defaults, threads set to the number of physical cores; no model. */
LUCIFER_API int32_t lucifer_context_params_init(struct lucifer_context_params * params);
LUCIFER_API int32_t lucifer_context_init(const struct lucifer_context_params * params, struct lucifer_context ** out);
LUCIFER_API int32_t lucifer_context_free(struct lucifer_context * context);

struct lucifer_context_info {
    int64_t struct_size;
    int64_t state_bytes;       /* size of a saved state now */
    int32_t n_ctx;
    int32_t n_ctx_seq;         /* tokens that one sequence can hold */
    int32_t n_batch;
    int32_t n_ubatch;
    int32_t n_seq_max;
    int32_t pooling_type;
    int32_t n_threads;
    int32_t n_threads_batch;
    int32_t can_shift;         /* boolean */
    int32_t has_memory;        /* boolean: false for encoders */
};

LUCIFER_API int32_t lucifer_context_describe(struct lucifer_context * context, struct lucifer_context_info * out);
/* Numbers as in the parameters, 0 included. */
LUCIFER_API int32_t lucifer_context_set_threads(struct lucifer_context * context, int32_t n_threads, int32_t n_threads_batch);

/* Replaces the context's set of active adapters. n = 0: none. */
LUCIFER_API int32_t lucifer_context_set_adapters(struct lucifer_context * context, struct lucifer_adapter * const * adapters,
                                                 const float * scales, int32_t n);

/* Tokens to compute; the arrays have n_tokens elements. */
struct lucifer_batch {
    int64_t struct_size;
    const int32_t * tokens;
    const int32_t * pos;       /* position of each in its sequence */
    const int32_t * seq_ids;
    const int8_t  * outputs;   /* whose logits are kept: non-zero */
    const int32_t * cancel;
    int32_t n_tokens;          /* may exceed neither n_batch nor the room in the cache */
    int32_t reserved;
};

/*
 * Computes a batch through llama_decode, or llama_encode for a model or context without memory. On CANCELLED the sequences keep
 * what was computed: look at lucifer_memory_pos_max.
 */
LUCIFER_API int32_t lucifer_context_decode(struct lucifer_context * context, const struct lucifer_batch * batch);

/*
 * For models with an encoder and a decoder (T5): encodes the input, whose result the next decode calls attend to; decoding then
 * starts with lucifer_model_info.decoder_start. UNSUPPORTED without an encoder. outputs may be NULL.
 */
LUCIFER_API int32_t lucifer_context_encode(struct lucifer_context * context, const struct lucifer_batch * batch);

/* Copies the n_vocab logits of the batch's token i (outputs[i] was set); -1 is the last output. Waits for the device. */
LUCIFER_API int32_t lucifer_context_logits(struct lucifer_context * context, int32_t i, float * out, int32_t n_vocab);

/*
 * Natural-log probabilities under the unmodified distribution of the batch's token i: of `token` into *token_logprob (may be
 * NULL), and the n_top most probable ids, most probable first.
 */
LUCIFER_API int32_t lucifer_context_logprobs(struct lucifer_context * context, int32_t i, int32_t token, float * token_logprob,
                                             int32_t n_top, int32_t * top_ids, float * top_logprobs);

/*
 * Copies sequence seq_id's pooled embedding, or, with pooling none, that of the batch's token i (seq_id = -1). n_out is
 * n_embd_out, with pooling rank n_cls_out (the scores). Values as computed, not normalised.
 */
LUCIFER_API int32_t lucifer_context_embeddings(struct lucifer_context * context, int32_t i, int32_t seq_id, float * out, int32_t n_out);

/*
 * Lends the logits of n_rows outputs of the last batch, the first that of token i, the others those behind it: n_rows * n_vocab
 * floats that are valid until the next call with this context. Waits for the device.
 */
LUCIFER_API int32_t lucifer_context_logits_rows(struct lucifer_context * context, int32_t i, int32_t n_rows, const float ** rows);

/* Waits until the device is done. */
LUCIFER_API int32_t lucifer_context_synchronize(struct lucifer_context * context);

/* --- memory (KV cache) of a context -------------------------------------------------------------------------------- */

LUCIFER_API int32_t lucifer_memory_clear(struct lucifer_context * context);

/* Forgets positions [p0, p1) of a sequence; negative: from the start, to the end. *removed = 0: this kind of memory cannot. */
LUCIFER_API int32_t lucifer_memory_remove(struct lucifer_context * context, int32_t seq_id, int32_t p0, int32_t p1, int32_t * removed);
LUCIFER_API int32_t lucifer_memory_copy(struct lucifer_context * context, int32_t from_seq, int32_t to_seq, int32_t p0, int32_t p1);

/* Adds delta to the positions [p0, p1) of a sequence (context shift). UNSUPPORTED where can_shift is 0. */
LUCIFER_API int32_t lucifer_memory_shift(struct lucifer_context * context, int32_t seq_id, int32_t p0, int32_t p1, int32_t delta);

/* Largest position of a sequence, -1 when it is empty. */
LUCIFER_API int32_t lucifer_memory_pos_max(struct lucifer_context * context, int32_t seq_id, int32_t * pos);

/*
 * Smallest position still in memory, -1 when the sequence is empty. Above 0 with a sliding attention window: a prompt prefix
 * that ends at p may be reused only if this is not above max(0, p - n_swa).
 */
LUCIFER_API int32_t lucifer_memory_pos_min(struct lucifer_context * context, int32_t seq_id, int32_t * pos);

/* --- state of one sequence ----------------------------------------------------------------------------------------- */

/* The file is llama.cpp's, with a checksum and a fingerprint of the model behind it. */
LUCIFER_API int32_t lucifer_state_save(struct lucifer_context * context, int32_t seq_id, const char * path,
                                       const int32_t * tokens, int32_t n_tokens);

/*
 * Replaces the sequence by a saved one and gives the tokens that were saved with it. INVALID_FILE for a state of another model, or
 * one that lucifer_state_save did not write.
 */
LUCIFER_API int32_t lucifer_state_load(struct lucifer_context * context, int32_t seq_id, const char * path,
                                       int32_t * tokens, int32_t cap, int32_t * n_tokens);

/* --- importance matrix of a context --------------------------------------------------------------------------------- */

/*
 * A context made with lucifer_context_params.imatrix adds up, for each weight that it multiplies with 16 tokens or more at once, the
 * squares of the weight's inputs, and counts the inputs: one sum for each column of each matrix of the tensor, one count for the
 * tensor, or one for each expert. A decode whose activations are not finite, or do not fit what lucifer_imatrix_put has put there, is
 * INVALID_FILE; the context is of no use then. As llama-imatrix does it.
 */
LUCIFER_API int32_t lucifer_imatrix_count(struct lucifer_context * context, int32_t * n_entries);

/* Entry `index`, by name; INVALID_ARGUMENT behind the last. */
LUCIFER_API int32_t lucifer_imatrix_entry(struct lucifer_context * context, int32_t index, char * name, int64_t cap, int64_t * len,
                                          int64_t * n_sums, int64_t * n_counts);
LUCIFER_API int32_t lucifer_imatrix_read(struct lucifer_context * context, int32_t index, float * sums, int64_t n_sums,
                                         int64_t * counts, int64_t n_counts);

/* Sets an entry that the context then adds to. n_sums is a multiple of n_counts. */
LUCIFER_API int32_t lucifer_imatrix_put(struct lucifer_context * context, const char * name, const float * sums, int64_t n_sums,
                                        const int64_t * counts, int64_t n_counts);

/* --- scores of logits ----------------------------------------------------------------------------------------------- */

/*
 * Functions of n_rows * n_vocab logits and the token that each row was to predict, with the arithmetic of llama-perplexity. Threads: any
 * number at once. FAILED when a score is not finite.
 */

/* nll: n_rows values of -log p(label). */
LUCIFER_API int32_t lucifer_score(const float * logits, int32_t n_rows, int32_t n_vocab, const int32_t * labels, double * nll);

/*
 * The same, and all log-probabilities of each row in 16 bits each, as llama-perplexity stores them: scale and minimum as floats,
 * then n_vocab numbers, padded to an even count. A row has 4 + n_vocab values, one more if n_vocab is odd.
 */
LUCIFER_API int32_t lucifer_score_pack(const float * logits, int32_t n_rows, int32_t n_vocab, const int32_t * labels, uint16_t * packed,
                                       double * nll);

/* What one row says against the log-probabilities of another model. */
struct lucifer_divergence {
    double  kld;               /* Kullback-Leibler divergence from the other model */
    float   nll;
    float   nll_base;          /* of the other model */
    float   p_diff;            /* p(label) less that of the other model */
    int32_t same_top;          /* boolean: both have the same most probable token */
};

LUCIFER_API int32_t lucifer_score_compare(const float * logits, int32_t n_rows, int32_t n_vocab, const int32_t * labels,
                                          const uint16_t * packed, struct lucifer_divergence * out);

/* --- sampling ------------------------------------------------------------------------------------------------------ */

struct lucifer_sampler;

struct lucifer_logit_bias {
    int32_t token;
    float   bias;
};

/* Fields as in llama.cpp's common_params_sampling. */
struct lucifer_sampler_params {
    int64_t      struct_size;
    struct lucifer_model * model;    /* whose tokens are chosen */
    const char * grammar;            /* GBNF, NULL: none */
    const char * generation_prompt;  /* with a grammar of lucifer_chat_render: its generation_prompt, which the grammar has to
                                        pass first; NULL with a grammar of the user's own */
    const char * samplers;           /* order of the samplers, upstream's names with ';' between; NULL: the model's own
                                        (general.sampling.sequence), else upstream's default */
    const char * const * grammar_trigger_patterns; /* a lazy grammar starts where one of these regular expressions fits */
    const int32_t * grammar_trigger_tokens;        /* or at one of these tokens */
    const struct lucifer_logit_bias * logit_bias;
    const char * const * dry_breakers; /* NULL: upstream's defaults */
    const int32_t * cancel;          /* looked at while the grammar is read; may be NULL */
    int32_t      n_grammar_trigger_patterns;
    int32_t      n_grammar_trigger_tokens;
    int32_t      n_logit_bias;
    int32_t      n_dry_breakers;
    uint32_t     seed;               /* LLAMA_DEFAULT_SEED (0xFFFFFFFF): random */
    int32_t      min_keep;           /* candidates that top-p, min-p, typical and XTC leave at least */
    int32_t      top_k;
    float        top_p;
    float        min_p;
    float        typical_p;
    float        top_n_sigma;
    float        xtc_probability;
    float        xtc_threshold;
    float        temperature;        /* <= 0: greedy */
    float        dynatemp_range;
    float        dynatemp_exponent;
    int32_t      penalty_last_n;
    float        penalty_repeat;
    float        penalty_frequency;
    float        penalty_presence;
    float        dry_multiplier;
    float        dry_base;
    int32_t      dry_allowed_length;
    int32_t      dry_penalty_last_n;
    int32_t      mirostat;           /* 0, 1, 2 */
    float        mirostat_tau;
    float        mirostat_eta;
    float        adaptive_target;    /* only when "adaptive_p" is among the samplers */
    float        adaptive_decay;
    int32_t      ignore_eos;         /* booleans from here */
    int32_t      grammar_lazy;       /* the grammar starts at a trigger */
};

/* Upstream's defaults, or those that the model's own general.sampling.* metadata gives (model may be NULL). */
LUCIFER_API int32_t lucifer_sampler_params_init(struct lucifer_model * model, struct lucifer_sampler_params * params);
LUCIFER_API int32_t lucifer_sampler_init(const struct lucifer_sampler_params * params, struct lucifer_sampler ** out);
LUCIFER_API int32_t lucifer_sampler_free(struct lucifer_sampler * sampler);

/* Puts a prompt's token into the sampler's history (penalties, DRY); does not advance the grammar. */
LUCIFER_API int32_t lucifer_sampler_accept(struct lucifer_sampler * sampler, int32_t token);

struct lucifer_choice {
    int64_t struct_size;
    struct lucifer_context * context; /* whose logits */
    const int32_t * cancel;    /* looked at while the grammar is kept; may be NULL. On CANCELLED the sampler can only be reset or freed */
    int32_t i;                 /* those of its last batch's token i; -1: of its last output */
    int32_t token;             /* out */
};

/* Chooses a token from logits and accepts it (history and grammar). */
LUCIFER_API int32_t lucifer_sampler_sample(struct lucifer_sampler * sampler, struct lucifer_choice * choice);
LUCIFER_API int32_t lucifer_sampler_reset(struct lucifer_sampler * sampler);

/*
 * Whether the text may end behind the chosen tokens: 0 where a grammar asks for more. 1 without a grammar, and with one that is lazy or comes
 * from lucifer_chat_render, of which this is not known.
 */
LUCIFER_API int32_t lucifer_sampler_complete(const struct lucifer_sampler * sampler, int32_t * complete);

/* The seed in use, also when it was drawn at random. */
LUCIFER_API int32_t lucifer_sampler_seed(const struct lucifer_sampler * sampler, uint32_t * seed);

/* GBNF grammar of a JSON schema (JSON text). INVALID_ARGUMENT with the schema's fault in the message. */
LUCIFER_API int32_t lucifer_grammar_from_schema(const char * schema, char * buf, int64_t cap, int64_t * len);

/* --- chat ---------------------------------------------------------------------------------------------------------- */

/*
 * Renders messages with a chat template through llama.cpp's Jinja engine.
 *   chat_template  Jinja source or the name of one of llama.cpp's built-in templates; NULL: the model's own
 *   request        JSON object: {"messages": [OpenAI form …], "tools": […]?, "json_schema": {…}?, "add_generation_prompt": bool?,
 *                  "enable_thinking": bool?, "template_kwargs": {name: JSON text}?}
 *   result         JSON object: {"prompt": …, "stops": […], "preserved_tokens": […], "grammar": …, "grammar_lazy": bool,
 *                  "grammar_trigger_patterns": […], "grammar_trigger_tokens": […], "generation_prompt": …,
 *                  "supports_thinking": bool, "thinking_start": …, "thinking_end": […], "format": …}
 * The prompt is to be tokenized with add_special and parse_special: what the model's vocabulary adds itself is not in it.
 * UNSUPPORTED when the model has no template and none is given; INVALID_ARGUMENT for a template that does not parse or render.
 * cancel may be NULL.
 */
LUCIFER_API int32_t lucifer_chat_render(struct lucifer_model * model, const char * chat_template, const char * request,
                                        const int32_t * cancel, char * buf, int64_t cap, int64_t * len);

/* Source of the model's own template, or of the named variant; UNSUPPORTED when there is none. */
LUCIFER_API int32_t lucifer_chat_template(struct lucifer_model * model, const char * variant, char * buf, int64_t cap, int64_t * len);

/* --- quantize ------------------------------------------------------------------------------------------------------ */

/* A tensor whose name fits the regular expression becomes this type; the first that fits counts. */
struct lucifer_tensor_type {
    const char * pattern;
    int32_t      type;               /* enum ggml_type */
    int32_t      reserved;
};

struct lucifer_quantize_params {
    int64_t         struct_size;
    const char *    input;           /* the file, or the first part of a split model named as llama.cpp names them */
    const char *    output;          /* with keep_split the parts become OUTPUT-00001-of-0000N.gguf; not needed with dry_run */
    const char *    imatrix;         /* importance matrix file, GGUF or the older format; NULL: none */
    const char *    imatrix_name;    /* name of it to record in the output; NULL: imatrix */
    const char *    const * include_weights; /* use the importance matrix only for tensors whose name contains one of these */
    const char *    const * exclude_weights; /* or for all but these; not both */
    const struct lucifer_tensor_type * tensor_types;
    const struct lucifer_kv_override * kv_overrides;
    const int32_t * prune_layers;
    int64_t *       progress;        /* four cells: tensors done and total, bytes of the input done and total; may be NULL */
    const int32_t * cancel;          /* looked at before and after each tensor */
    int64_t         max_buffer_bytes; /* of tensor rows in memory at once; 0: upstream's default of 8 GiB */
    int32_t         n_include_weights;
    int32_t         n_exclude_weights;
    int32_t         n_tensor_types;
    int32_t         n_kv_overrides;
    int32_t         n_prune_layers;
    int32_t         ftype;           /* enum llama_ftype */
    int32_t         n_threads;       /* 0: all */
    int32_t         output_tensor_type;   /* enum ggml_type; -1: as ftype says, here and below */
    int32_t         token_embedding_type;
    int32_t         only_copy;       /* booleans from here. Copies tensors as they are; ftype is ignored */
    int32_t         pure;            /* one type for all tensors, no mixture */
    int32_t         allow_requantize;
    int32_t         quantize_output_tensor;
    int32_t         keep_split;
    int32_t         dry_run;         /* only makes the plan */
    int32_t         reserved;
};

/* What was done, or would be, with dry_run. */
struct lucifer_quantize_report {
    int64_t struct_size;
    int64_t n_elements;
    int64_t bytes_before;            /* of all tensors, without metadata, here and below */
    int64_t bytes_after;
    int32_t n_tensors;
    int32_t n_converted;             /* the others keep their type */
    int32_t n_fallback;              /* their rows do not fit the wanted type */
    int32_t n_requantized;           /* converted from a quantized type */
    int32_t n_without_imatrix;       /* converted tensors for which the given importance matrix has no entry */
    int32_t needs_imatrix;           /* boolean: a tensor needs an importance matrix for its type, and has none */
};

struct lucifer_planned_tensor {
    int64_t struct_size;
    int64_t ne[4];
    int64_t bytes_before;
    int64_t bytes_after;
    int32_t type_before;             /* enum ggml_type */
    int32_t type_after;
    int32_t fallback;                /* booleans: a type was wanted that the rows do not fit */
    int32_t has_imatrix;
    char    name[64];
};

struct lucifer_quantize_plan;

LUCIFER_API int32_t lucifer_quantize_params_init(struct lucifer_quantize_params * params);

/*
 * Quantizes a model file, tensor by tensor, after a dry run that finds what can be found wrong before the work starts. On any
 * failure and on CANCELLED the output is removed. The plan (NULL: not wanted) lists the tensors and is the caller's.
 */
LUCIFER_API int32_t lucifer_quantize(const struct lucifer_quantize_params * params, struct lucifer_quantize_report * report,
                                     struct lucifer_quantize_plan ** plan);

/* Tensor `index` of the plan, in the order of the output; INVALID_ARGUMENT behind the last. */
LUCIFER_API int32_t lucifer_quantize_plan_tensor(const struct lucifer_quantize_plan * plan, int32_t index,
                                                 struct lucifer_planned_tensor * out);
LUCIFER_API int32_t lucifer_quantize_plan_free(struct lucifer_quantize_plan * plan);

/* --- ggml types ---------------------------------------------------------------------------------------------------- */

/* Name and block geometry of ggml type `type`; INVALID_ARGUMENT for an id that this version does not have. */
LUCIFER_API int32_t lucifer_ggml_type(int32_t type, char * name, int64_t cap, int64_t * len, int64_t * block_elements,
                                      int64_t * block_bytes);

/* --- tensor data ---------------------------------------------------------------------------------------------------- */

/* n_elements (a multiple of the type's block) of ggml type `type` as floats. n_bytes is the size of src and must fit exactly. */
LUCIFER_API int32_t lucifer_to_f32(int32_t type, const void * src, int64_t n_bytes, float * dst, int64_t n_elements);

/*
 * n_rows rows of n_per_row floats (a multiple of the type's block) as ggml type `type`; dst_bytes must fit exactly.
 * importance: n_per_row weights, or NULL. UNSUPPORTED for a type that needs them and gets none. Threads: any number at once.
 */
LUCIFER_API int32_t lucifer_from_f32(int32_t type, const float * src, int64_t n_rows, int64_t n_per_row, const float * importance,
                                     void * dst, int64_t dst_bytes);

/* --- LoRA training -------------------------------------------------------------------------------------------------- */

struct lucifer_trainer;

/* How graphs of training compute. */
enum lucifer_training_arithmetic {
    LUCIFER_TRAINING_NATIVE = 0, /* llama.cpp's kernels for the weights' types */
    LUCIFER_TRAINING_EXACT  = 1, /* F32, of dequantized weights */
    LUCIFER_TRAINING_MIXED  = 2  /* on a device with BF16: forward as NATIVE, gradients by products of 16 bits summed in F32; else EXACT */
};

enum lucifer_training_memory {
    LUCIFER_TRAINING_WHOLE = 0, /* all activations are kept */
    LUCIFER_TRAINING_LAYER = 1  /* only each layer's output is kept, the rest is computed again: slower, far less memory */
};

struct lucifer_trainer_params {
    int64_t struct_size;
    int32_t n_tokens;          /* rows of a micro-batch; positions restart with each sequence, so it may exceed the model's context */
    int32_t n_outputs;         /* most supervised rows of a micro-batch */
    int32_t n_threads;
    int32_t memory;            /* enum lucifer_training_memory */
    int32_t arithmetic;        /* enum lucifer_training_arithmetic */
    float   dropout;           /* of the adapters' inputs while training */
    float   loss_scale;        /* a power of two >= 1, or 0: 4096 where a device other than the CPU takes part, else 1 */
    int32_t reserved;
};

/*
 * Trains the adapter's tensors (F32) in place. While gradients are computed the loss is multiplied by a scale, so that small ones
 * survive devices that round to half precision; a micro-batch whose gradients overflow is computed again with half of it. model and adapter must outlive the trainer. The model is best loaded with
 * use_extra_bufts = 0. UNSUPPORTED, before any work, for a model with an operation or input that cannot be differentiated.
 */
LUCIFER_API int32_t lucifer_trainer_init(struct lucifer_model * model, struct lucifer_adapter * adapter,
                                         const struct lucifer_trainer_params * params, struct lucifer_trainer ** out);
LUCIFER_API int32_t lucifer_trainer_free(struct lucifer_trainer * trainer);

struct lucifer_trainer_info {
    int64_t struct_size;
    int64_t compute_bytes;     /* of the graph that was allocated last, activations included */
    int64_t n_steps;           /* updates so far */
    double  check_difference;  /* largest difference of the copied graph's logits from llama_decode's on the same tokens … */
    double  check_magnitude;   /* … and the largest logit */
    int32_t n_tensors;         /* trained tensors */
    int32_t n_layers;          /* segments that LUCIFER_TRAINING_LAYER computes one by one */
    int32_t n_fallbacks;       /* operations of a step that the model's device cannot do, so that the CPU does them; logged by name */
    float   loss_scale;        /* in use: halved while gradients overflow */
};

LUCIFER_API int32_t lucifer_trainer_describe(struct lucifer_trainer * trainer, struct lucifer_trainer_info * out);

/* One micro-batch: sequences laid end to end. Rows that are missing to n_tokens, and outputs, are padded and cost nothing in the loss. */
struct lucifer_training_batch {
    int64_t         struct_size;
    const int32_t * tokens;    /* n_rows */
    const int32_t * positions; /* n_rows: position in the own sequence, from 0 */
    const int32_t * sequences; /* n_rows: number of the sequence, >= 0; a row sees earlier rows of its own sequence only */
    const int32_t * outputs;   /* n_outputs: supervised rows, ascending */
    const int32_t * labels;    /* n_outputs: the token that each is to predict */
    const float *   weights;   /* n_outputs: weight of each in the loss, >= 0 */
    int32_t         n_rows;
    int32_t         n_outputs;
    uint32_t        dropout_seed;
    int32_t         reserved;
};

/*
 * loss: sum of weight * -log p(label), not divided. learn: also adds the gradients of that sum. On CANCELLED nothing of
 * the micro-batch counts.
 */
LUCIFER_API int32_t lucifer_trainer_run(struct lucifer_trainer * trainer, const struct lucifer_training_batch * batch, int32_t learn,
                                        const int32_t * cancel, double * loss);

struct lucifer_adamw {
    int64_t struct_size;
    float   learning_rate;
    float   beta1;
    float   beta2;
    float   epsilon;
    float   weight_decay;      /* decoupled */
    float   max_grad_norm;     /* 0: no clipping */
};

/*
 * One AdamW step with the gradients collected since the last one, divided by the sum of their weights. grad_norm: L2 norm over
 * all tensors before clipping. *skipped = 1: the gradients were not finite, nothing changed but that they are dropped.
 */
LUCIFER_API int32_t lucifer_trainer_update(struct lucifer_trainer * trainer, const struct lucifer_adamw * adamw, double * grad_norm,
                                           int32_t * skipped);
LUCIFER_API int32_t lucifer_trainer_clear_gradients(struct lucifer_trainer * trainer);

/*
 * Training on several devices: each has a model and a trainer of the same adapter, and computes its part of a step's micro-batches. One of them
 * gathers what another has added up since its last update - gradients and the weights of its learnt tokens, which are cleared there -, makes
 * the update, and shares the values.
 */
LUCIFER_API int32_t lucifer_trainer_gather(struct lucifer_trainer * trainer, struct lucifer_trainer * from);
LUCIFER_API int32_t lucifer_trainer_share(struct lucifer_trainer * trainer, struct lucifer_trainer * to);

enum lucifer_trainer_part {
    LUCIFER_TRAINER_VALUE    = 0,
    LUCIFER_TRAINER_GRADIENT = 1, /* sum since the last update, not divided */
    LUCIFER_TRAINER_M        = 2, /* AdamW's moments */
    LUCIFER_TRAINER_V        = 3
};

/* Trained tensor `index`, by name: ne0 is the inner dimension. */
LUCIFER_API int32_t lucifer_trainer_tensor(struct lucifer_trainer * trainer, int32_t index, char * name, int64_t cap, int64_t * len,
                                           int64_t * ne0, int64_t * ne1);
LUCIFER_API int32_t lucifer_trainer_read(struct lucifer_trainer * trainer, int32_t index, int32_t part, float * out, int64_t n);
LUCIFER_API int32_t lucifer_trainer_write(struct lucifer_trainer * trainer, int32_t index, int32_t part, const float * values, int64_t n);

/* Sets the number of updates that AdamW's bias correction counts, for a resumed training. */
LUCIFER_API int32_t lucifer_trainer_set_steps(struct lucifer_trainer * trainer, int64_t n_steps);

#ifdef __cplusplus
}
#endif

#endif
