// Renders chats with llama.cpp's template engine.

#include "bounded.h"
#include "builtins.h"
#include "grammar.h"
#include "objects.h"

#include "common/chat.h"
#include "common/common.h"
#include "common/jinja/lexer.h"
#include "common/json.h"

#include <algorithm>
#include <cstring>

namespace lucifer {

namespace {

constexpr int max_depth = 100; // of brackets in JSON and in a template's tags, and of its blocks: the engine recurses
constexpr int max_words = 500; // in one tag of a template
constexpr int max_name  = 10000; // bytes

std::vector<const char *> builtin_names() {
    std::vector<const char *> names((size_t) llama_chat_builtin_templates(nullptr, 0));
    llama_chat_builtin_templates(names.data(), names.size());
    return names;
}

bool is_builtin(const std::string & name) {
    const auto names = builtin_names();
    return std::any_of(names.begin(), names.end(), [&](const char * n) { return name == n; });
}

bool is_source(const std::string & text) {
    return text.find("{{") != std::string::npos || text.find("{%") != std::string::npos;
}

// The engine recurses for each bracket and block, and for each link of a chain such as "a.b.c", "x|f|g", "not not x" or
// {% elif %}; a Java thread's stack ends at some 1,500 links. Read by the engine's own lexer, so that nothing hides from it in a
// string. llama.cpp's longest template has 58 words in one tag.
void check_depth(const std::string & source) {
    using jinja::token;
    int         brackets = 0, words = 0, blocks = 0, branches = 0;
    bool        tag = false, assigns = false;
    std::string name; // of a statement: its first word
    for (const token & t : jinja::lexer().tokenize(source).tokens) {
        if (t.t == token::open_statement || t.t == token::open_expression) {
            brackets = words = 0;
            tag      = true;
            assigns  = t.t == token::open_expression;
            name     = "";
        } else if (t.t == token::close_statement || t.t == token::close_expression) {
            tag = false;
            branches += name == "elif";
            if (name == "if" || name == "for" || name == "macro" || name == "call" || name == "filter" || (name == "set" && !assigns)) {
                blocks++;
            } else if (name == "endif" || name == "endfor" || name == "endmacro" || name == "endcall" || name == "endfilter" ||
                       name == "endset") {
                blocks--;
            }
        } else if (tag) {
            words++;
            if (words == 1 && !assigns) {
                name = t.value;
            }
            assigns = assigns || (t.t == token::equals && brackets == 0); // not that of an argument
            brackets += (t.t == token::open_paren || t.t == token::open_square_bracket || t.t == token::open_curly_bracket) -
                        (t.t == token::close_paren || t.t == token::close_square_bracket || t.t == token::close_curly_bracket);
        }
        if (brackets > max_depth || words > max_words) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the chat template's expressions are nested deeper than %d or longer than %d words",
                 max_depth, max_words);
        }
        if (blocks > max_depth || branches > max_words) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the chat template's blocks are nested deeper than %d or have more than %d branches",
                 max_depth, max_words);
        }
    }
}

common_chat_templates_ptr parse_templates(const llama_model * model, const std::string & source) {
    try {
        check_depth(source);
        return common_chat_templates_init(model, source); // reads from the model before it reads the template
    } catch (const status_error &) {
        throw;
    } catch (const std::exception & e) {
        // upstream slices the exception and logs the cause
        const std::string errors = call_errors();
        const size_t      at     = errors.find("error: ");
        const std::string cause  = at == std::string::npos ? e.what() : errors.substr(at + 7, errors.find('\n', at) - at - 7);
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the chat template does not parse: %s", cause.c_str());
    }
}

void require_short_name(const std::string & name) {
    if (name.size() > (size_t) max_name) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the name '%.40s...' in tools or a schema is longer than %d bytes", name.c_str(), max_name);
    }
}

// Of tools, properties and references, which become names of rules by std::regex: it recurses at each character.
void require_short_names(const common_json & value) {
    for (const auto & [key, member] : value.items()) {
        require_short_name(key);
        if (member.is_string() && (key == "name" || key == "$ref")) {
            require_short_name(member.get<std::string>());
        } else if (member.is_object() || member.is_array()) {
            require_short_names(member);
        }
    }
}

common_chat_templates_inputs read_request(const std::string & text) {
    json_check_depth("the request", text, max_depth);
    common_chat_templates_inputs inputs;
    try {
        const common_json json = common_json::parse(text);
        if (!json.is_object() || !json.contains("messages")) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "it has no \"messages\"");
        }
        for (const char * part : {"tools", "json_schema"}) {
            if (json.contains(part)) {
                require_short_names(json.at(part));
            }
        }
        inputs.messages              = common_chat_msgs_parse_oaicompat(json.at("messages"));
        inputs.add_generation_prompt = json.value("add_generation_prompt", true);
        inputs.enable_thinking       = json.value("enable_thinking", true);
        if (json.contains("tools") && !json.at("tools").is_null()) {
            inputs.tools = common_chat_tools_parse_oaicompat(json.at("tools"));
        }
        if (json.contains("json_schema") && !json.at("json_schema").is_null()) {
            inputs.json_schema = json.at("json_schema").dump();
        }
        if (json.contains("template_kwargs")) {
            for (const auto & [key, value] : json.at("template_kwargs").items()) {
                inputs.chat_template_kwargs[key] = value.is_string() ? value.get<std::string>() : value.dump();
            }
        }
    } catch (const std::exception & e) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid chat request: %s", e.what());
    }
    return inputs;
}

// Triggers as regular expressions and tokens, as common_sampler_init makes them.
void write_triggers(const common_chat_params & chat, common_json & out) {
    std::vector<std::string> patterns;
    std::vector<int32_t>     tokens;
    for (const common_grammar_trigger & trigger : chat.grammar_triggers) {
        switch (trigger.type) {
            case COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN: tokens.push_back(trigger.token); break;
            case COMMON_GRAMMAR_TRIGGER_TYPE_WORD: patterns.push_back(regex_escape(trigger.value)); break;
            case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN: patterns.push_back(trigger.value); break;
            case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL: {
                const std::string & p = trigger.value;
                patterns.push_back(p.empty() ? "^$" : (p.front() != '^' ? "^" : "") + p + (p.back() != '$' ? "$" : ""));
                break;
            }
        }
    }
    out["grammar_trigger_patterns"] = patterns;
    out["grammar_trigger_tokens"]   = tokens;
}

std::string write_result(const common_chat_params & chat) {
    common_json out = common_json::object();
    out["prompt"]            = chat.prompt;
    out["stops"]             = chat.additional_stops;
    out["preserved_tokens"]  = chat.preserved_tokens;
    out["grammar"]           = chat.grammar;
    out["grammar_lazy"]      = chat.grammar_lazy;
    write_triggers(chat, out);
    out["generation_prompt"] = chat.generation_prompt;
    out["supports_thinking"] = chat.supports_thinking;
    out["thinking_start"]    = chat.thinking_start_tag;
    out["thinking_end"]      = chat.thinking_end_tags;
    out["format"]            = common_chat_format_name(chat.format);
    return out.dump_safe();
}

// Which template to render with: its source or name ("" is the model's own).
std::string choose_template(const lucifer_model & model, const char * asked) {
    if (asked == nullptr) {
        if (llama_model_chat_template(model.model.get(), nullptr) == nullptr &&
            llama_model_chat_template(model.model.get(), "tool_use") == nullptr) {
            fail(LUCIFER_STATUS_UNSUPPORTED, "%s has no chat template of its own: give one, chatml for example", model.path.c_str());
        }
        return "";
    }
    if (!is_builtin(asked) && !is_source(asked)) {
        std::string names;
        for (const char * name : builtin_names()) {
            names += (names.empty() ? "" : ", ") + std::string(name);
        }
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "'%.100s' is neither a Jinja template nor the name of one; names: %s", asked, names.c_str());
    }
    return asked;
}

// All that a rendering touches: it may be left behind when it does not end.
struct rendering {
    const llama_model *       model;
    std::string               request;
    std::string               source;    // "" is the model's own template
    common_chat_templates_ptr templates; // parsed; null: not yet
    std::string               result;
};

void render(rendering & r) {
    common_chat_templates_inputs inputs = read_request(r.request);
    // of the named templates only chatml exists as Jinja, the others are code of llama.cpp
    inputs.use_jinja = r.source.empty() || r.source == "chatml" || !is_builtin(r.source);
    if (r.templates == nullptr) {
        r.templates = parse_templates(r.model, r.source);
    }
    try {
        r.result = write_result(common_chat_templates_apply(r.templates.get(), inputs));
    } catch (const std::exception & e) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the chat template does not render these messages: %s", name_types(e.what()).c_str());
    }
}

// The model keeps the templates that were used last; who renders has them to itself meanwhile.
void take_templates(lucifer_model & model, rendering & r) {
    std::lock_guard<std::mutex> lock(model.templates_mutex);
    if (model.templates_source == r.source) {
        r.templates = std::move(model.templates);
    }
}

void give_back_templates(lucifer_model & model, rendering & r) {
    std::lock_guard<std::mutex> lock(model.templates_mutex);
    model.templates_source = r.source;
    model.templates        = std::move(r.templates);
}

std::string render_bounded(lucifer_model & model, const char * request, const std::string & source, const int32_t * cancel) {
    const auto r = std::make_shared<rendering>();
    r->model     = model.model.get();
    r->request   = request;
    r->source    = source;
    guard_builtins();
    take_templates(model, *r);
    try {
        run_bounded("the chat template", cancel, [r] { render(*r); });
    } catch (...) {
        if (r.use_count() == 1) { // else it was left behind
            give_back_templates(model, *r);
        }
        throw;
    }
    give_back_templates(model, *r);
    return std::move(r->result);
}

} // namespace

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_chat_render(struct lucifer_model * model, const char * chat_template, const char * request, const int32_t * cancel,
                            char * buf, int64_t cap, int64_t * len) {
    return guard_object("lucifer_chat_render", model, [&] {
        require(request, "request");
        require_vocab(*model);
        return put_text(render_bounded(*model, request, choose_template(*model, chat_template), cancel), buf, cap, len);
    });
}

int32_t lucifer_chat_template(struct lucifer_model * model, const char * variant, char * buf, int64_t cap, int64_t * len) {
    return guard_object("lucifer_chat_template", model, [&] {
        const char * source = llama_model_chat_template(model->model.get(), variant);
        if (source == nullptr) {
            fail(LUCIFER_STATUS_UNSUPPORTED, "%s has no chat template%s%s", model->path.c_str(), variant == nullptr ? "" : " ",
                 variant == nullptr ? "" : variant);
        }
        return put_text(source, strlen(source), buf, cap, len);
    });
}
