// Chat templates, grammars and JSON schemas that would overflow the stack, take all memory or never end: each is refused, says which
// limit it broke, and leaves the library as it was.

#include "check.h"

#include <pthread.h>

#include <string>
#include <vector>

static lucifer_model * g_model;

static const char * g_request = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

static int32_t render(const std::string & source, std::string * prompt = nullptr) {
    std::vector<char> buf(1 << 20);
    int64_t           len    = 0;
    const int32_t     status = lucifer_chat_render(g_model, source.c_str(), g_request, nullptr, buf.data(), (int64_t) buf.size(), &len);
    if (prompt != nullptr && status == LUCIFER_STATUS_OK) {
        prompt->assign(buf.data(), (size_t) len);
    }
    return status;
}

// trigger: of a lazy grammar; null: the grammar is not lazy
static int32_t make_sampler(const std::string & grammar, lucifer_sampler ** sampler, const char * trigger = nullptr) {
    auto params = sized<lucifer_sampler_params>();
    CHECK_OK(lucifer_sampler_params_init(g_model, &params));
    params.grammar                    = grammar.c_str();
    params.grammar_lazy               = trigger != nullptr;
    params.grammar_trigger_patterns   = &trigger;
    params.n_grammar_trigger_patterns = trigger != nullptr;
    return lucifer_sampler_init(&params, sampler);
}

// A context with the logits of one token.
static lucifer_context * make_context() {
    auto params = sized<lucifer_context_params>();
    CHECK_OK(lucifer_context_params_init(&params));
    params.model              = g_model;
    lucifer_context * context = nullptr;
    CHECK_OK(lucifer_context_init(&params, &context));
    const int32_t token = 3, pos = 0, seq = 0;
    const int8_t  output = 1;
    auto          batch  = sized<lucifer_batch>();
    batch.tokens         = &token;
    batch.pos            = &pos;
    batch.seq_ids        = &seq;
    batch.outputs        = &output;
    batch.n_tokens       = 1;
    CHECK_OK(lucifer_context_decode(context, &batch));
    return context;
}

static int32_t check_grammar(const std::string & grammar) {
    lucifer_sampler * sampler = nullptr;
    const int32_t     status  = make_sampler(grammar, &sampler);
    lucifer_sampler_free(sampler);
    return status;
}

// i ::= before i+1 between i+1 after, for all i; the last is "x".
static std::string chain(int n, const char * before, const char * between, const char * after) {
    std::string grammar = "root ::= r0\n";
    for (int i = 0; i < n; i++) {
        const std::string next = "r" + std::to_string(i + 1);
        grammar += "r" + std::to_string(i) + " ::= " + before + next + between + (*between != '\0' ? next : "") + after + "\n";
    }
    return grammar + "r" + std::to_string(n) + " ::= \"x\"\n";
}

static void templates_end() {
    const std::string memory = "the chat template takes more than 64 MiB of memory", time = "the chat template takes more than 0.3 s of processor time",
                      stack = "the chat template calls or holds itself without end";
    const struct {
        const char *        source;
        const std::string & says;
    } greedy[] = {
        {"{{ (\"a\"*100000)|replace(\"a\",\"b\"*100000) }}", memory},
        {"{{ messages|tojson(indent=99999999) }}", memory},
        {"{{ \"x\"|indent(999999999) }}", memory},
        {"{% set ns = namespace(x='word') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}", memory},
        {"{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% for j in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{% endfor %}", memory},
        {"{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}", stack},
        {"{% for i in range(10000) %}{% for j in range(10000) %}{% set x = i %}{% endfor %}{% endfor %}", time},
        // a pair of the last pair and itself: its hash takes two to the power of sixty steps, without an allocation
        {"{% set ns = namespace(t='a') %}{% for i in range(60) %}{% set ns.t = ({ns.t: ns.t}|items)[0] %}{% endfor %}", time},
    };
    for (const auto & g : greedy) {
        CHECK_OK(lucifer_limits_set((int64_t) 64 << 20, &g.says == &time ? 300 : 60000));
        CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, g.says.c_str(), render(g.source));
        CHECK_OK(lucifer_limits_set((int64_t) 256 << 20, 60000));
        CHECK_OK(render("chatml"));
    }
}

// Values that hold themselves, and what else llama.cpp recurses over, or ends the process for, without taking memory.
static void templates_that_hold_themselves_end() {
    const std::string list = "{% set l = [] %}{% set x = l.append(l) %}", dict = "{% set n = namespace() %}{% set n.a = n %}",
                      hashed = "{% set n = namespace() %}{% set n.a = (undefined_name|default(k=n)) %}{{ {n.a: 1} }}";
    for (const std::string & source : {list + "{{ l }}", list + "{{ l|tojson }}", list + "{{ l|string }}", list + "{{ l|upper }}", list + "{{ l ~ 'a' }}",
             list + "{{ (l + l)|string }}", dict + "{{ n|tojson }}", dict + "{{ n|string }}", hashed,
             std::string("{% set l = [] %}{% set x = l.append(l.append) %}{{ l|string }}")}) {
        const int32_t status = render(source);
        if (status != LUCIFER_STATUS_OK) {
            CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "the chat template calls or holds itself without end", status);
        }
        CHECK_OK(render("chatml"));
    }
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "calls or holds itself without end", render(list + "{{ l }}"));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "calls or holds itself without end", render(hashed));
    std::string deep;
    for (int i = 0; i < 3000; i++) {
        deep = "{% set f(a=1) %}" + deep + "{% endset %}";
    }
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "blocks are nested deeper than 100", render(deep));
}

static void arguments_of_builtins_are_looked_at() {
    const struct {
        const char * source;
        const char * says;
    } bad[] = {
        {"{{ 4 is divisibleby(0) }}", "divisibleby: 4 cannot be divided by 0"},
        {"{{ (-9223372036854775807 - 1) is divisibleby(-1) }}", "cannot be divided by -1"},
        {"{{ [10, 9, '2']|sort }}", "sort: Integer and String have no common order"},
        {"{{ [1, 0 / 0]|sort }}", "sort: Integer and Float have no common order"},
        {"{{ [{'a': 1}, {'a': 'x'}]|sort(attribute='a') }}", "sort: Integer and String have no common order"},
        {"{{ {1: 1, '2': 3}|dictsort }}", "dictsort: Integer and String have no common order"},
        {"{{ raise_exception(1) }}", "expected value of type String, got Integer"},
    };
    for (const auto & b : bad) {
        CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, b.says, render(b.source));
    }
    std::string prompt;
    CHECK_OK(render("{{ [3, 1.5, 2]|sort }}{{ ['b', 'a']|sort(reverse=true) }}{{ {'b': 1, 'a': 2}|dictsort }}{{ 4 is divisibleby(2) }}", &prompt));
    CHECK(prompt.find("{\"prompt\":\"1.523ba") == 0);
}

static void long_names_are_refused() {
    const std::string name(2000000, '!');
    for (const std::string & tool : {"\"name\":\"" + name + "\",\"parameters\":{}",
                                     "\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{\"" + name + "\":{\"type\":\"string\"}}}"}) {
        const std::string request =
            "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"tools\":[{\"type\":\"function\",\"function\":{" + tool + "}}]}";
        char    buf[1];
        int64_t len = 0;
        CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "in tools or a schema is longer than 10000 bytes",
                    lucifer_chat_render(g_model, "chatml", request.c_str(), nullptr, buf, 1, &len));
    }
}

static void long_messages_are_cut() {
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "bytes more", render("{{ raise_exception('x' * 100000) }}"));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "bytes more", check_grammar("root ::= " + std::string(100000, 'a')));
}

static void long_chats_are_rendered() {
    std::string prompt;
    CHECK_OK(render("{{ (\"a\"*100000)|replace(\"a\",\"bc\") }}{% for i in range(20000) %}{% set x = [i, [i]] %}{% endfor %}", &prompt));
    CHECK(prompt.size() > 200000);
}

static void grammars_are_checked() {
    const std::string brackets = std::string("root ::= \"a\nb\" ") + std::string(1000, '(') + "\"x\"" + std::string(1000, ')');
    const struct {
        std::string  grammar;
        const char * says;
    } bad[] = {
        {brackets, "line 2: brackets are nested deeper than 200"},
        {"root ::= [\"\n] " + std::string(1000, '('), "line 2: brackets are nested deeper"},
        {"root ::= <\"> " + std::string(1000, '('), "line 1: brackets are nested deeper"},
        {chain(60000, "", "", ""), "begins with others, which begin with others, in too many ways or too deeply"},
        {chain(60, "", " | ", ""), "begins with others, which begin with others, in too many ways"},
        {"root ::= a \"b\"\na ::= b? root\nb ::= \"c\"", "left recursion: rule 'root' begins with itself"},
        {"root ::= \"a\"{5,2}", "line 1: a repetition is of at least 5 times, and of fewer at most"},
        {"root ::= (\n\"a\"{ 5 ,\n2 })", "line 3: a repetition is of at least 5 times"},
        {"root ::= \"a\"{99999999999999999999}", "a number is larger than"},
        {"root ::= \"a\"{0,99999999999999999999}", "a number is larger than"},
        {"root ::= <[99999999]>", "a token's number is beyond the vocabulary's last"},
        {"root ::= !<[99999999999999999999]>", "a number is larger than"},
        {"root ::= <" + std::string(5000, '=') + ">", "a token between < and > is longer than 1000 bytes"},
        {"root ::= \"\\UFFFFFFFF\"", "\\UFFFFFFFF is no character"},
        {"root ::= [^\\U00110000]", "\\U00110000 is no character"},
        {"root ::= []", "line 1: a class of characters is empty"},
        {"root ::= \"a\"\nb ::= [^]", "line 2: a class of characters is empty; any character is written ."},
        {"root ::= [^\\x00-\\U0010ffff]", "line 1: a class of characters excludes all of them"},
        {"root ::= [^\\U0000E000-\\U0010FFFFb-\\uD7FF\\x01-a]", "line 1: a class of characters excludes all of them"},
        {"root ::= [\\x00]", "line 1: a class of characters has none that a text can hold"},
        {"root ::= [\\uD800-\\uDFFF\\x00]", "line 1: a class of characters has none that a text can hold"},
        {"root ::= \"a\\x00\"", "U+0000 in a literal is no character of a text"},
        {"root ::= \"\\uD83D\"", "U+D83D in a literal is no character of a text"},
        {"root ::= [z-a]", "a range of characters ends (U+0061) before it begins (U+007A)"},
    };
    for (const auto & b : bad) {
        CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, b.says, check_grammar(b.grammar));
    }
    for (const std::string & good : {std::string("root ::= ([^\\]\"\\x00-\\x1F-] \"\\\"(\" # ((((\n | [a-zäöü-] {2,5} | [^\\x00-\\uD7FF\\uE000-\\U0010FFFE] | <[3]> ( !<[4]> \"(\" )*)"),
             "root ::= \"" + std::string(1000, '(') + "\" [" + std::string(1000, '(') + "] #" + std::string(1000, '('), chain(20000, "", "", ""),
             chain(14, "\"a\" ", " ", "")}) {
        CHECK_OK(check_grammar(good));
    }
}

static void grammars_end() {
    lucifer_sampler * sampler = nullptr;
    CHECK_OK(lucifer_limits_set((int64_t) 4 << 20, 60000));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "the grammar takes more than 4 MiB of memory",
                check_grammar("root ::= \"" + std::string(100000, 'a') + "\"{2000}"));
    // begins with itself behind what may be empty, which llama.cpp does not see
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "the grammar takes more than 4 MiB of memory",
                check_grammar("root ::= b root \"x\" | \"y\"\nb ::= c\nc ::= \"\" | \"z\""));

    // there are two ways to end for each character
    lucifer_context * context = make_context();
    CHECK_OK(make_sampler("root ::= [a-z] root \"b\" | [a-z] root \"c\" | \"d\"", &sampler));
    auto choice    = sized<lucifer_choice>();
    choice.context = context;
    choice.i       = -1;
    int32_t status = LUCIFER_STATUS_OK;
    for (int i = 0; i < 100 && status == LUCIFER_STATUS_OK; i++) {
        status = lucifer_sampler_sample(sampler, &choice);
    }
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "the grammar takes more than 4 MiB of memory", status);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "the grammar takes more than 4 MiB of memory", lucifer_sampler_sample(sampler, &choice));
    CHECK_OK(lucifer_sampler_reset(sampler));
    CHECK_OK(lucifer_sampler_sample(sampler, &choice));
    lucifer_sampler_free(sampler);
    lucifer_context_free(context);
    CHECK_OK(lucifer_limits_set((int64_t) 256 << 20, 60000));
}

// llama.cpp looks for a trigger with std::regex, which recurses at each character of the answer.
static void * samples_without_a_trigger(void * context) {
    lucifer_sampler * sampler = nullptr;
    CHECK_OK(make_sampler("root ::= \"x\"", &sampler, "^[\\s\\S]*(<call>)"));
    auto choice    = sized<lucifer_choice>();
    choice.context = static_cast<lucifer_context *>(context);
    choice.i       = -1;
    for (int i = 0; i < 1000; i++) {
        CHECK_OK(lucifer_sampler_sample(sampler, &choice));
    }
    lucifer_sampler_free(sampler);
    return nullptr;
}

static void triggers_are_looked_for_on_a_stack_of_their_own() {
    lucifer_context * context = make_context();
    pthread_attr_t    attributes;
    pthread_t         thread;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, 192 * 1024) == 0);
    CHECK(pthread_create(&thread, &attributes, samples_without_a_trigger, context) == 0);
    CHECK(pthread_join(thread, nullptr) == 0);
    lucifer_context_free(context);
}

static void cancel_ends_a_template() {
    std::vector<char> buf(1024);
    int64_t           len    = 0;
    const int32_t     cancel = 1;
    CHECK_FAILS(LUCIFER_STATUS_CANCELLED, "cancelled",
                lucifer_chat_render(g_model, "{% for i in range(10000) %}{% for j in range(10000) %}{% set x = i %}{% endfor %}{% endfor %}", g_request,
                                    &cancel, buf.data(), (int64_t) buf.size(), &len));
}

static void schemas_end() {
    std::string properties;
    for (int i = 0; i < 100000; i++) {
        properties += (i == 0 ? "\"p" : ",\"p") + std::to_string(i) + "\":{}";
    }
    const std::string schema = "{\"type\":\"object\",\"properties\":{" + properties + "}}";
    std::vector<char> buf(1024);
    int64_t           len = 0;
    for (const int64_t millis : {1, 5, 20, 60, 200}) { // wherever it is, also where it tidies up
        CHECK_OK(lucifer_limits_set((int64_t) 64 << 20, millis));
        CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "the JSON schema takes",
                    lucifer_grammar_from_schema(schema.c_str(), buf.data(), (int64_t) buf.size(), &len));
    }
    for (const int64_t mib : {1, 5, 15, 25, 35}) {
        CHECK_OK(lucifer_limits_set(mib << 20, 1000));
        CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "the JSON schema takes",
                    lucifer_grammar_from_schema(schema.c_str(), buf.data(), (int64_t) buf.size(), &len));
    }
    CHECK_OK(lucifer_limits_set((int64_t) 256 << 20, 60000));
}

static int32_t tokenize(const std::string & text, const int32_t * cancel) {
    auto t    = sized<lucifer_tokens>();
    t.text    = text.data();
    t.n_bytes = (int64_t) text.size();
    t.cancel  = cancel;
    return lucifer_tokenize(g_model, &t);
}

// One word, which cannot be cut.
static void texts_are_tokenized_within_limits() {
    const std::string text(3000000, 'a');
    const int32_t     no  = 0;
    const int32_t     yes = 1;
    CHECK(tokenize(text, &no) == LUCIFER_STATUS_BUFFER_TOO_SMALL);
    CHECK(tokenize(text, &yes) == LUCIFER_STATUS_CANCELLED);
    CHECK_OK(lucifer_limits_set((int64_t) 256 << 20, 1));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "a text of 2.9 MiB takes more than 0.001 s of processor time for each MiB", tokenize(text, nullptr));
    CHECK_OK(lucifer_limits_set((int64_t) 256 << 20, 60000));
    CHECK(tokenize(text, nullptr) == LUCIFER_STATUS_BUFFER_TOO_SMALL);
}

int main(int argc, char ** argv) {
    CHECK(argc == 2);
    CHECK_OK(lucifer_init(LUCIFER_LIB_DIR));
    auto params = sized<lucifer_model_params>();
    CHECK_OK(lucifer_model_params_init(&params));
    const char * path = argv[1];
    params.paths      = &path;
    params.n_paths    = 1;
    CHECK_OK(lucifer_model_load(&params, &g_model));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "max_bytes", lucifer_limits_set(0, 1000));
    CHECK_OK(lucifer_limits_set((int64_t) 256 << 20, 60000)); // the machine may be busy
    templates_end();
    templates_that_hold_themselves_end();
    arguments_of_builtins_are_looked_at();
    long_messages_are_cut();
    long_names_are_refused();
    long_chats_are_rendered();
    cancel_ends_a_template();
    grammars_are_checked();
    grammars_end();
    triggers_are_looked_for_on_a_stack_of_their_own();
    schemas_end();
    texts_are_tokenized_within_limits();
    CHECK_OK(lucifer_model_free(g_model));
    printf("ok\n");
    return 0;
}
