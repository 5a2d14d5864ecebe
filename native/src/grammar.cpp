#include "grammar.h"

#include "bounded.h"
#include "gbnf.h"
#include "guard.h"

#include "common/json-schema-to-grammar.h"
#include "common/json.h"
#include "llama-cpp.h"
#include "src/llama-grammar.h" // not public, but the only way to hear from llama.cpp what is wrong with a grammar

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace lucifer {

namespace {

constexpr size_t max_grammar_bytes = 4 * 1024 * 1024;
constexpr int    max_schema_depth  = 200; // of brackets: the translator recurses

// "line 3: expecting ::= at …": upstream's messages quote the rest of the grammar.
std::string shorten(const std::string & message, const std::string & grammar) {
    const size_t at = message.find(" at ");
    if (at == std::string::npos) {
        return message;
    }
    const std::string rest = message.substr(at + 4);
    if (rest.size() > grammar.size() || grammar.compare(grammar.size() - rest.size(), rest.size(), rest) != 0) {
        return message.substr(0, 200);
    }
    const auto        end  = grammar.end() - (std::string::difference_type) rest.size();
    const auto        line = 1 + std::count(grammar.begin(), end, '\n');
    const std::string near = rest.substr(0, std::min<size_t>(rest.find('\n'), 40));
    return "line " + std::to_string(line) + ": " + message.substr(0, at) + (near.empty() ? " at the end" : " at '" + near + "'");
}

const char * skip_space(const char * p) {
    while (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n' || *p == '#') {
        if (*p == '#') {
            while (*p != '\0' && *p != '\r' && *p != '\n') {
                p++;
            }
        } else {
            p++;
        }
    }
    return p;
}

#if !defined(_WIN32) // a Windows library exports public functions only
void parse_rules(const llama_vocab * vocab, const std::string & grammar) {
    llama_grammar_parser parser(vocab);
    try {
        const char * p = skip_space(grammar.c_str());
        while (*p != '\0') {
            p = parser.parse_rule(p);
        }
    } catch (const std::runtime_error & e) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid grammar: %s", shorten(e.what(), grammar).c_str());
    }
    std::vector<std::string> names(parser.symbol_ids.size());
    for (const auto & symbol : parser.symbol_ids) {
        if (symbol.second >= parser.rules.size() || parser.rules[symbol.second].empty()) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid grammar: rule '%s' is used but not defined", symbol.first.c_str());
        }
        names[symbol.second] = symbol.first;
    }
    if (parser.symbol_ids.find("root") == parser.symbol_ids.end()) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid grammar: it has no rule 'root'");
    }
    gbnf_check_rules(parser.rules, names);
}
#endif

struct translation {
    std::string schema;
    std::string grammar;
};

void translate(translation & t) {
    json_check_depth("the JSON schema", t.schema, max_schema_depth);
    try {
        const common_json json = common_json::parse(t.schema);
        if (!json.is_object() && !json.is_boolean()) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "a JSON schema is an object");
        }
        t.grammar = json_schema_to_grammar(json);
    } catch (const std::exception & e) { // also our own, whose message stays
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid JSON schema: %s", e.what());
    }
}

} // namespace

void grammar_check(const llama_vocab * vocab, const std::string & grammar) {
    if (grammar.compare(0, 11, "%llguidance") == 0) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "llguidance grammars are not in this build; write the grammar as GBNF");
    }
    if (*skip_space(grammar.c_str()) == '\0') {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the grammar is empty");
    }
    if (grammar.size() > max_grammar_bytes) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the grammar is longer than %zu bytes", max_grammar_bytes);
    }
    gbnf_check_text(grammar, llama_vocab_n_tokens(vocab));
#if !defined(_WIN32)
    parse_rules(vocab, grammar);
#endif
    // what common_sampler_init would find too, but leaks when it does
    const llama_sampler_ptr sampler(llama_sampler_init_grammar(vocab, grammar.c_str(), "root"));
    if (sampler == nullptr) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid grammar: %s", call_last_error_line().c_str());
    }
}

void json_check_depth(const char * what, const std::string & text, int most) {
    int  depth  = 0;
    bool string = false;
    for (size_t i = 0; i < text.size(); i++) {
        const char c = text[i];
        if (string) {
            i += c == '\\' ? 1 : 0;
            string = c != '"';
        } else if (c == '"') {
            string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > most) {
                fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s is nested deeper than %d", what, most);
            }
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
}

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_grammar_from_schema(const char * schema, char * buf, int64_t cap, int64_t * len) {
    return guard("lucifer_grammar_from_schema", [&] {
        require(schema, "schema");
        const auto t = std::make_shared<translation>();
        t->schema    = schema;
        run_bounded("the JSON schema", nullptr, [t] { translate(*t); });
        return put_text(t->grammar, buf, cap, len);
    });
}
