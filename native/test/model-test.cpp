// Load, tokenize, decode, sample, save and refuse, on a small model: model-test FILE.gguf

#include "check.h"

#include <cmath>
#include <cstring>
#include <vector>

static const char * g_path = nullptr;

struct model_owner {
    lucifer_model * model = nullptr;
    ~model_owner() { lucifer_model_free(model); }
};

struct context_owner {
    lucifer_context * context = nullptr;
    ~context_owner() { lucifer_context_free(context); }
};

struct sampler_owner {
    lucifer_sampler * sampler = nullptr;
    ~sampler_owner() { lucifer_sampler_free(sampler); }
};

static lucifer_model_params model_params(const char * const * path) {
    auto params = sized<lucifer_model_params>();
    CHECK_OK(lucifer_model_params_init(&params));
    params.paths   = path;
    params.n_paths = 1;
    return params;
}

static lucifer_context_params context_params(const model_owner & m) {
    auto params = sized<lucifer_context_params>();
    CHECK_OK(lucifer_context_params_init(&params));
    params.model           = m.model;
    params.n_ctx           = 256;
    params.n_batch         = 64;
    params.n_ubatch        = 64;
    params.n_threads       = 1; // more would wait for each other on a busy machine
    params.n_threads_batch = 1;
    return params;
}

static void load(model_owner & m) {
    const auto params = model_params(&g_path);
    CHECK_OK(lucifer_model_load(&params, &m.model));
}

// What is to be tokenized into as much room as there is.
static lucifer_tokens tokens_of(const std::string & text, std::vector<int32_t> & room, bool special) {
    auto t          = sized<lucifer_tokens>();
    t.text          = text.data();
    t.n_bytes       = (int64_t) text.size();
    t.tokens        = room.data();
    t.cap           = (int32_t) room.size();
    t.add_special   = special;
    t.parse_special = special;
    return t;
}

static std::vector<int32_t> tokenize(const model_owner & m, const std::string & text, bool special) {
    std::vector<int32_t> tokens(1024);
    auto                 t = tokens_of(text, tokens, special);
    CHECK_OK(lucifer_tokenize(m.model, &t));
    tokens.resize((size_t) t.n_tokens);
    return tokens;
}

static int32_t piece(const model_owner & m, int32_t token, bool special, char * buf, int32_t cap, int32_t * len) {
    auto p              = sized<lucifer_piece>();
    p.buf               = buf;
    p.cap               = cap;
    p.token             = token;
    p.special           = special;
    const int32_t status = lucifer_token_piece(m.model, &p);
    *len                 = p.len;
    return status;
}

static int32_t sample(const sampler_owner & s, const context_owner & c, int32_t i, int32_t * token) {
    auto choice          = sized<lucifer_choice>();
    choice.context       = c.context;
    choice.i             = i;
    const int32_t status = lucifer_sampler_sample(s.sampler, &choice);
    *token               = choice.token;
    return status;
}

// Decodes tokens from position p0 of sequence seq; the last one, or all, have an output.
static int32_t decode(context_owner & c, const std::vector<int32_t> & tokens, int32_t p0, int32_t seq = 0, bool all = false,
                      const int32_t * cancel = nullptr) {
    std::vector<int32_t> pos, seqs;
    std::vector<int8_t>  outputs;
    for (size_t i = 0; i < tokens.size(); i++) {
        pos.push_back(p0 + (int32_t) i);
        seqs.push_back(seq);
        outputs.push_back(all || i + 1 == tokens.size());
    }
    auto batch     = sized<lucifer_batch>();
    batch.n_tokens = (int32_t) tokens.size();
    batch.tokens   = tokens.data();
    batch.pos      = pos.data();
    batch.seq_ids  = seqs.data();
    batch.outputs  = outputs.data();
    batch.cancel   = cancel;
    return lucifer_context_decode(c.context, &batch);
}

static int32_t argmax(context_owner & c, int32_t n_vocab) {
    std::vector<float> logits((size_t) n_vocab);
    CHECK_OK(lucifer_context_logits(c.context, -1, logits.data(), n_vocab));
    int32_t best = 0;
    for (int32_t t = 1; t < n_vocab; t++) {
        best = logits[(size_t) t] > logits[(size_t) best] ? t : best;
    }
    return best;
}

static lucifer_model_info describe(const model_owner & m) {
    auto info = sized<lucifer_model_info>();
    CHECK_OK(lucifer_model_describe(m.model, &info));
    return info;
}

static void loads_and_describes() {
    model_owner m;
    int64_t     progress[2] = {0, 0};
    auto        params      = model_params(&g_path);
    params.progress         = progress;
    CHECK_OK(lucifer_model_load(&params, &m.model));
    CHECK(progress[0] == 1000 && progress[1] == 1000);
    const auto info = describe(m);
    CHECK(info.n_vocab > 0 && info.n_layer > 0 && info.n_params > 0 && strlen(info.description) > 0);
}

static void refuses_bad_loads() {
    model_owner  m;
    const char * missing = "/does/not/exist.gguf";
    auto         params  = model_params(&missing);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_FILE, missing, lucifer_model_load(&params, &m.model));
    const char * device = "NOPE0";
    params              = model_params(&g_path);
    params.devices      = &device;
    params.n_devices    = 1;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "unknown device 'NOPE0', expected one of: CPU", lucifer_model_load(&params, &m.model));
    params              = model_params(&g_path);
    params.n_gpu_layers = -3;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "n_gpu_layers is -3", lucifer_model_load(&params, &m.model));
    params              = model_params(&g_path);
    params.struct_size -= 4;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "struct_size", lucifer_model_load(&params, &m.model));
    const int32_t cancel = 1;
    params               = model_params(&g_path);
    params.cancel        = &cancel;
    CHECK_FAILS(LUCIFER_STATUS_CANCELLED, "cancelled", lucifer_model_load(&params, &m.model));
    CHECK(m.model == nullptr);
}

static void more_layers_than_there_are_is_all() {
    model_owner m;
    auto        params  = model_params(&g_path);
    params.n_gpu_layers = 1000;
    CHECK_OK(lucifer_model_load(&params, &m.model));
}

static void tokenizes_and_back() {
    model_owner m;
    load(m);
    const std::string text   = "list all files";
    const auto        tokens = tokenize(m, text, false);
    CHECK(!tokens.empty());
    char    buf[256];
    int64_t len = 0;
    CHECK_OK(lucifer_detokenize(m.model, tokens.data(), (int32_t) tokens.size(), 0, 0, buf, sizeof(buf), &len));
    CHECK(std::string(buf, (size_t) len).find("list all files") != std::string::npos);
    CHECK(lucifer_detokenize(m.model, tokens.data(), (int32_t) tokens.size(), 0, 0, buf, 1, &len) == LUCIFER_STATUS_BUFFER_TOO_SMALL);
    std::vector<int32_t> none;
    auto                 t = tokens_of(text, none, false);
    CHECK(lucifer_tokenize(m.model, &t) == LUCIFER_STATUS_BUFFER_TOO_SMALL);
    CHECK(t.n_tokens == (int32_t) tokens.size());
    t.struct_size--;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "struct_size", lucifer_tokenize(m.model, &t));
    int32_t n = 0;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "not in the vocabulary", piece(m, 1 << 30, false, buf, sizeof(buf), &n));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "not in the vocabulary", piece(m, -1, false, buf, sizeof(buf), &n));
    CHECK_OK(piece(m, tokens[0], true, buf, sizeof(buf), &n));
    CHECK(piece(m, tokens[0], true, buf, n - 1, &n) == LUCIFER_STATUS_BUFFER_TOO_SMALL);
}

static void decodes_the_same_in_one_batch_and_token_by_token() {
    model_owner m;
    load(m);
    const int32_t n_vocab = describe(m).n_vocab;
    const auto    tokens  = tokenize(m, "show the date", true);
    context_owner a, b;
    auto          params = context_params(m);
    CHECK_OK(lucifer_context_init(&params, &a.context));
    params.n_threads = 2;
    CHECK_OK(lucifer_context_init(&params, &b.context));
    CHECK_OK(decode(a, tokens, 0));
    for (size_t i = 0; i < tokens.size(); i++) {
        CHECK_OK(decode(b, {tokens[i]}, (int32_t) i));
    }
    CHECK(argmax(a, n_vocab) == argmax(b, n_vocab));
    int32_t pos = 0;
    CHECK_OK(lucifer_memory_pos_max(a.context, 0, &pos));
    CHECK(pos == (int32_t) tokens.size() - 1);
}

static void refuses_bad_batches() {
    model_owner m;
    load(m);
    context_owner c;
    auto          params = context_params(m);
    params.n_seq_max     = 2;
    CHECK_OK(lucifer_context_init(&params, &c.context));
    const int32_t n_vocab = describe(m).n_vocab;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "0 tokens", decode(c, {}, 0));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "65 tokens, expected 1 to 64", decode(c, std::vector<int32_t>(65, 1), 0));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "the vocabulary has", decode(c, {n_vocab}, 0));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "the vocabulary has", decode(c, {-1}, 0));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "position -1", decode(c, {1}, -1));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "sequence 2", decode(c, {1}, 0, 2));
    CHECK_OK(decode(c, {1, 1}, 0));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "refuses the batch", decode(c, {1}, 17)); // a gap in the positions
    const int32_t cancel = 1;
    CHECK_FAILS(LUCIFER_STATUS_CANCELLED, "cancelled", decode(c, {1}, 2, 0, false, &cancel));
    CHECK_OK(decode(c, {1}, 2));
    std::vector<float> logits((size_t) n_vocab);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "has no output", lucifer_context_logits(c.context, 5, logits.data(), n_vocab));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "expected", lucifer_context_logits(c.context, 0, logits.data(), 3));
}

static void says_when_the_context_is_full() {
    model_owner m;
    load(m);
    context_owner c;
    const auto    params = context_params(m);
    CHECK_OK(lucifer_context_init(&params, &c.context));
    auto info = sized<lucifer_context_info>();
    CHECK_OK(lucifer_context_describe(c.context, &info));
    int32_t p = 0;
    for (; p + 64 <= info.n_ctx_seq; p += 64) {
        CHECK_OK(decode(c, std::vector<int32_t>(64, 1), p));
    }
    CHECK_FAILS(LUCIFER_STATUS_CONTEXT_FULL, "no room", decode(c, {1}, p));
    CHECK_OK(lucifer_memory_clear(c.context));
    CHECK_OK(decode(c, {1}, 0));
}

static void refuses_bad_contexts() {
    model_owner m;
    load(m);
    context_owner c;
    auto params  = context_params(m);
    params.n_ctx = -1;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "n_ctx", lucifer_context_init(&params, &c.context));
    params           = context_params(m);
    params.n_threads = 100000;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "n_threads", lucifer_context_init(&params, &c.context));
    params            = context_params(m);
    params.type_v     = 8; // Q8_0
    params.flash_attn = 0;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "flash attention", lucifer_context_init(&params, &c.context));
    params        = context_params(m);
    params.type_k = 14; // Q6_K
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "type_k", lucifer_context_init(&params, &c.context));
    params       = context_params(m);
    params.n_ctx = 2000000000;
    CHECK_FAILS(LUCIFER_STATUS_OUT_OF_MEMORY, "n_ctx", lucifer_context_init(&params, &c.context));
}

static void samples_with_a_seed_and_a_grammar() {
    model_owner m;
    load(m);
    context_owner c;
    const auto    cp = context_params(m);
    CHECK_OK(lucifer_context_init(&cp, &c.context));
    CHECK_OK(decode(c, tokenize(m, "list all files", true), 0));

    auto sp = sized<lucifer_sampler_params>();
    CHECK_OK(lucifer_sampler_params_init(m.model, &sp));
    sampler_owner greedy, a, b, digits;
    int32_t       token = 0, first = 0, second = 0;
    sp.temperature = 0;
    CHECK_OK(lucifer_sampler_init(&sp, &greedy.sampler));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "has no output", sample(greedy, c, 60, &token));
    CHECK_OK(sample(greedy, c, -1, &token));
    CHECK(token == argmax(c, describe(m).n_vocab));

    sp.temperature = 2;
    sp.seed        = 4711;
    CHECK_OK(lucifer_sampler_init(&sp, &a.sampler));
    CHECK_OK(lucifer_sampler_init(&sp, &b.sampler));
    for (int i = 0; i < 20; i++) {
        CHECK_OK(sample(a, c, -1, &first));
        CHECK_OK(sample(b, c, -1, &second));
        CHECK(first == second);
    }
    uint32_t seed = 0;
    CHECK_OK(lucifer_sampler_seed(a.sampler, &seed));
    CHECK(seed == 4711);

    int32_t complete = 0;
    CHECK_OK(lucifer_sampler_complete(a.sampler, &complete));
    CHECK(complete == 1); // nothing is asked for

    sp.grammar = "root ::= [0-9]";
    CHECK_OK(lucifer_sampler_init(&sp, &digits.sampler));
    char    buf[64];
    int32_t len = 0;
    for (int i = 0; i < 2; i++) {
        CHECK_OK(lucifer_sampler_complete(digits.sampler, &complete));
        CHECK(complete == 0);
        CHECK_OK(sample(digits, c, -1, &token));
        CHECK_OK(lucifer_sampler_complete(digits.sampler, &complete));
        CHECK(complete == 1);
        CHECK_OK(piece(m, token, false, buf, sizeof(buf), &len));
        CHECK(len == 1 && buf[0] >= '0' && buf[0] <= '9');
        CHECK_OK(lucifer_sampler_reset(digits.sampler)); // the grammar starts again
    }
}

static void refuses_bad_samplers() {
    model_owner m;
    load(m);
    sampler_owner s;
    const std::string deep   = "root ::= " + std::string(100000, '(');
    const struct { const char * grammar; int32_t status; const char * text; } bad[] = {
        {"", LUCIFER_STATUS_INVALID_ARGUMENT, "empty"},
        {"# nothing\n", LUCIFER_STATUS_INVALID_ARGUMENT, "empty"},
        {"root ::= \"a", LUCIFER_STATUS_INVALID_ARGUMENT, "unexpected end"},
        {"a ::= \"a\"\nroot := a", LUCIFER_STATUS_INVALID_ARGUMENT, "line 2: expecting ::="},
        {"a ::= \"a\"", LUCIFER_STATUS_INVALID_ARGUMENT, "no rule 'root'"},
        {"root ::= b", LUCIFER_STATUS_INVALID_ARGUMENT, "rule 'b' is used but not defined"},
        {"root ::= root \"a\" | \"b\"", LUCIFER_STATUS_INVALID_ARGUMENT, "left recursion"},
        {"%llguidance {}", LUCIFER_STATUS_UNSUPPORTED, "llguidance"},
        {deep.c_str(), LUCIFER_STATUS_INVALID_ARGUMENT, "nested deeper"},
    };
    for (const auto & b : bad) {
        auto sp = sized<lucifer_sampler_params>();
        CHECK_OK(lucifer_sampler_params_init(m.model, &sp));
        sp.grammar = b.grammar;
        CHECK_FAILS(b.status, b.text, lucifer_sampler_init(&sp, &s.sampler));
    }
    auto sp = sized<lucifer_sampler_params>();
    CHECK_OK(lucifer_sampler_params_init(m.model, &sp));
    sp.samplers = "top_k;nonsense";
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "samplers is 'nonsense'", lucifer_sampler_init(&sp, &s.sampler));
    sp.samplers       = "top_k;temperature";
    sp.penalty_repeat = 0;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "penalty_repeat", lucifer_sampler_init(&sp, &s.sampler));
    sp.penalty_repeat = 1;
    sp.mirostat       = 3;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "mirostat", lucifer_sampler_init(&sp, &s.sampler));
}

static void gives_log_probabilities() {
    model_owner m;
    load(m);
    context_owner c;
    const auto    cp = context_params(m);
    CHECK_OK(lucifer_context_init(&cp, &c.context));
    CHECK_OK(decode(c, tokenize(m, "list all files", true), 0));
    const int32_t        n_vocab = describe(m).n_vocab;
    std::vector<int32_t> ids((size_t) n_vocab);
    std::vector<float>   logprobs((size_t) n_vocab);
    float                own = 0;
    const int32_t        best = argmax(c, n_vocab);
    CHECK_OK(lucifer_context_logprobs(c.context, -1, best, &own, n_vocab, ids.data(), logprobs.data()));
    CHECK(ids[0] == best && own == logprobs[0]);
    double sum = 0;
    for (size_t i = 0; i < ids.size(); i++) {
        sum += std::exp((double) logprobs[i]);
        CHECK(i == 0 || logprobs[i] <= logprobs[i - 1]);
    }
    CHECK(std::fabs(sum - 1) < 1e-4); // float rounding of n_vocab terms
}

static void saves_and_loads_a_state() {
    model_owner m;
    load(m);
    const int32_t n_vocab = describe(m).n_vocab;
    const auto    tokens  = tokenize(m, "show the disk usage", true);
    context_owner a, b;
    const auto    cp = context_params(m);
    CHECK_OK(lucifer_context_init(&cp, &a.context));
    CHECK_OK(lucifer_context_init(&cp, &b.context));
    CHECK_OK(decode(a, tokens, 0));
    const int32_t     next = argmax(a, n_vocab);
    const char *      tmp  = getenv("TMPDIR");
    const std::string path = std::string(tmp != nullptr ? tmp : "/tmp") + "/lucifer-state-" + std::to_string((long) (intptr_t) &a) + ".bin";
    CHECK_OK(lucifer_state_save(a.context, 0, path.c_str(), tokens.data(), (int32_t) tokens.size()));
    std::vector<int32_t> back(tokens.size());
    int32_t              n = 0;
    CHECK(lucifer_state_load(b.context, 0, path.c_str(), nullptr, 0, &n) == LUCIFER_STATUS_BUFFER_TOO_SMALL);
    CHECK(n == (int32_t) tokens.size());
    CHECK_OK(lucifer_state_load(b.context, 0, path.c_str(), back.data(), n, &n));
    CHECK(back == tokens);
    CHECK_OK(decode(a, {next}, n));
    CHECK_OK(decode(b, {next}, n));
    CHECK(argmax(a, n_vocab) == argmax(b, n_vocab));

    FILE * file = fopen(path.c_str(), "r+b");
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    fseek(file, size / 2, SEEK_SET);
    fputc(fgetc(file) ^ 1, file); // one byte later than read, as good as any
    fclose(file);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_FILE, "checksum", lucifer_state_load(b.context, 0, path.c_str(), back.data(), (int32_t) back.size(), &n));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "the sequence holds", lucifer_state_save(a.context, 0, path.c_str(), tokens.data(), n));
    std::vector<int32_t> held = tokens;
    held.push_back(next);
    back.resize(held.size());
#if !defined(_WIN32)
    for (long cut : {0L, 3L, 11L, 12L, 40L, size / 3, size - 40}) {
        const std::string command = "truncate -s " + std::to_string(cut) + " " + path;
        CHECK_OK(lucifer_state_save(a.context, 0, path.c_str(), held.data(), (int32_t) held.size()));
        CHECK(system(command.c_str()) == 0);
        CHECK(lucifer_state_load(b.context, 0, path.c_str(), back.data(), (int32_t) back.size(), &n) == LUCIFER_STATUS_INVALID_FILE);
    }
#endif
    remove(path.c_str());
    CHECK_OK(lucifer_memory_clear(b.context));
    CHECK_OK(decode(b, tokens, 0));
    CHECK(argmax(b, n_vocab) == next);
}

static void removes_copies_and_shifts_memory() {
    model_owner m;
    load(m);
    context_owner c;
    auto          cp = context_params(m);
    cp.n_seq_max     = 2;
    cp.n_ctx         = 1024;
    CHECK_OK(lucifer_context_init(&cp, &c.context));
    CHECK_OK(decode(c, {1, 2, 3, 4, 5, 6}, 0));
    int32_t removed = 0, pos = 0;
    CHECK_OK(lucifer_memory_remove(c.context, 0, 4, -1, &removed));
    CHECK(removed == 1);
    CHECK_OK(lucifer_memory_pos_max(c.context, 0, &pos));
    CHECK(pos == 3);
    CHECK_FAILS(LUCIFER_STATUS_UNSUPPORTED, "kv_unified", lucifer_memory_copy(c.context, 0, 1, 1, 2));
    CHECK_OK(lucifer_memory_copy(c.context, 0, 1, -1, -1));
    CHECK_OK(lucifer_memory_pos_max(c.context, 1, &pos));
    CHECK(pos == 3);
    CHECK_OK(decode(c, {7}, 4, 1));
    CHECK_OK(lucifer_memory_remove(c.context, 0, 0, 2, &removed));
    CHECK_OK(lucifer_memory_shift(c.context, 0, 2, -1, -2));
    CHECK_OK(lucifer_memory_pos_max(c.context, 0, &pos));
    CHECK(pos == 1);
    CHECK_OK(decode(c, {7}, 2, 0));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "below 0", lucifer_memory_shift(c.context, 0, 0, -1, -1));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "sequence 2", lucifer_memory_copy(c.context, 0, 2, -1, -1));
}

static void embeds() {
    model_owner m;
    load(m);
    context_owner c;
    auto          cp = context_params(m);
    cp.embeddings    = 1;
    cp.pooling_type  = 1; // mean
    CHECK_OK(lucifer_context_init(&cp, &c.context));
    CHECK_OK(decode(c, tokenize(m, "list all files", true), 0));
    std::vector<float> embedding((size_t) describe(m).n_embd_out);
    CHECK_OK(lucifer_context_embeddings(c.context, -1, 0, embedding.data(), (int32_t) embedding.size()));
    float norm = 0;
    for (float x : embedding) {
        norm += x * x;
    }
    CHECK(norm > 0 && std::isfinite(norm));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "of sequences", lucifer_context_embeddings(c.context, -1, -1, embedding.data(), (int32_t) embedding.size()));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "n_out", lucifer_context_embeddings(c.context, -1, 0, embedding.data(), 1));
}

static void renders_chats() {
    model_owner m;
    load(m);
    char         buf[16384];
    int64_t      len     = 0;
    const char * request = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi \\u00e4\"}]}";
    CHECK_OK(lucifer_chat_render(m.model, "chatml", request, nullptr, buf, sizeof(buf), &len));
    CHECK(std::string(buf, (size_t) len).find("<|im_start|>user\\nhi \xc3\xa4<|im_end|>\\n<|im_start|>assistant") != std::string::npos);
    CHECK_OK(lucifer_chat_render(m.model, "llama2", request, nullptr, buf, sizeof(buf), &len));
    CHECK(std::string(buf, (size_t) len).find("[INST]") != std::string::npos);
    CHECK_OK(lucifer_chat_render(m.model, "{% for m in messages %}<{{ m.content }}>{% endfor %}", request, nullptr, buf, sizeof(buf), &len));
    CHECK(std::string(buf, (size_t) len).find("\"<hi \xc3\xa4>\"") != std::string::npos);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "neither a Jinja template nor the name", lucifer_chat_render(m.model, "nonsense", request, nullptr, buf, sizeof(buf), &len));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "does not parse", lucifer_chat_render(m.model, "{% for %}", request, nullptr, buf, sizeof(buf), &len));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "no good", lucifer_chat_render(m.model, "{{ raise_exception('no good') }}", request, nullptr, buf, sizeof(buf), &len));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid chat request", lucifer_chat_render(m.model, "chatml", "{\"messages\":", nullptr, buf, sizeof(buf), &len));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "messages", lucifer_chat_render(m.model, "chatml", "{}", nullptr, buf, sizeof(buf), &len));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid chat request", lucifer_chat_render(m.model, "chatml", "{\"messages\":[1]}", nullptr, buf, sizeof(buf), &len));
}

static void refuses_an_adapter_that_is_none() {
    model_owner       m;
    lucifer_adapter * adapter = nullptr;
    load(m);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_FILE, "cannot be used as adapter", lucifer_adapter_load(m.model, g_path, &adapter));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_FILE, "cannot be used as adapter", lucifer_adapter_load(m.model, "/does/not/exist", &adapter));
}

static void a_model_without_weights_only_tokenizes() {
    model_owner m;
    auto        params = model_params(&g_path);
    params.vocab_only  = 1;
    CHECK_OK(lucifer_model_load(&params, &m.model));
    CHECK(describe(m).n_vocab > 0 && !tokenize(m, "list", true).empty());
    context_owner c;
    const auto    cp = context_params(m);
    CHECK_FAILS(LUCIFER_STATUS_UNSUPPORTED, "without its weights", lucifer_context_init(&cp, &c.context));
}

int main(int argc, char ** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: model-test FILE.gguf\n");
        return 2;
    }
    g_path = argv[1];
    CHECK_OK(lucifer_init(LUCIFER_LIB_DIR));
    loads_and_describes();
    refuses_bad_loads();
    more_layers_than_there_are_is_all();
    tokenizes_and_back();
    decodes_the_same_in_one_batch_and_token_by_token();
    refuses_bad_batches();
    says_when_the_context_is_full();
    refuses_bad_contexts();
    samples_with_a_seed_and_a_grammar();
    refuses_bad_samplers();
    gives_log_probabilities();
    saves_and_loads_a_state();
    removes_copies_and_shifts_memory();
    embeds();
    renders_chats();
    refuses_an_adapter_that_is_none();
    a_model_without_weights_only_tokenizes();
    printf("ok\n");
    return 0;
}
