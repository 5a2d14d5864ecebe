#include "split.h"

#include "categories.h"
#include "matcher.h"
#include "unicode.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace lucifer::engine {

namespace {

using lengths = std::vector<size_t>; // of the parts of a text, in code points

// Source: unicode_regex_split_custom in llama.cpp's src/unicode.cpp.
const char * const functions[] = {
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*"
    "[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*"
    "[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+"
    "[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "\\p{Han}+",
    "\\p{AFMoE_digits}",
    "[^\\n]+|[\\n]+",
    "\\d{1,3}(?=(?:\\d{3})*\\b)",
};

// An expression that is ready to match.
struct pattern {
    program compiled;
    bool    collapsed; // matches the collapsed text
};

bool has_categories(const std::string & expression) {
    return expression.find("\\p{") != std::string::npos;
}

std::unique_ptr<const pattern> read_pattern(const std::string & expression) {
    const std::vector<symbol> symbols   = unicode_cpts_from_utf8(expression);
    const bool                collapsed = has_categories(expression);
    if (collapsed && std::any_of(symbols.begin(), symbols.end(), [](symbol s) { return s >= 0x80; })) {
        return nullptr; // the collapsed text has no such symbols
    }
    try {
        return std::make_unique<const pattern>(pattern{compile(parse_expression(symbols)), collapsed});
    } catch (const unsupported_expression &) {
        return nullptr;
    }
}

// Null where the engine cannot read it. Kept for good: the expressions are llama.cpp's own, no user's.
const pattern * find_pattern(const std::string & expression) {
    static std::mutex                                                      mutex;
    static std::unordered_map<std::string, std::unique_ptr<const pattern>> patterns;
    const std::lock_guard<std::mutex>                                      lock(mutex);

    const auto known = patterns.find(expression);
    return (known != patterns.end() ? known : patterns.emplace(expression, read_pattern(expression)).first)->second.get();
}

// A text in the forms that expressions are matched with, made when they are needed.
class forms {
public:
    explicit forms(const std::string & text) : code_points(unicode_cpts_from_utf8(text)) {}

    const std::vector<symbol> & of(const pattern & p) {
        return p.collapsed ? make(collapsed, collapse) : make(widened, widen);
    }

    const std::vector<symbol> code_points;

private:
    const std::vector<symbol> & make(std::vector<symbol> & form, symbol (*convert)(symbol)) const {
        if (form.empty()) {
            form.resize(code_points.size());
            std::transform(code_points.begin(), code_points.end(), form.begin(), convert);
        }
        return form;
    }

    std::vector<symbol> collapsed;
    std::vector<symbol> widened;
};

std::string to_utf8(const std::vector<symbol> & code_points, size_t begin, size_t end) {
    std::string text;
    for (size_t i = begin; i < end; i++) {
        if (code_points[i] < 0x80) {
            text += (char) code_points[i];
        } else {
            text += unicode_cpt_to_utf8(code_points[i]);
        }
    }
    return text;
}

size_t count_code_points(const std::string & utf8) {
    return (size_t) std::count_if(utf8.begin(), utf8.end(), [](char c) { return ((unsigned char) c & 0xC0) != 0x80; });
}

// The matches in [begin, end), and what is between them. As std::regex_iterator does, an empty match is followed by one that is not empty
// at the same place, if there is such.
void split_part(const program & expression, matcher & matcher, const std::vector<symbol> & text, size_t begin, size_t end, lengths & out) {
    bool   may_be_empty = true;
    size_t covered      = begin;
    size_t at           = begin;
    while (at <= end) {
        const bool   possible = at == end || expression.first.contains(text[at]);
        const size_t match    = possible ? matcher.match(at, end, may_be_empty) : matcher::none;
        if (match == matcher::none) {
            may_be_empty = true;
            at++;
            continue;
        }
        if (at > covered) {
            out.push_back(at - covered);
        }
        out.push_back(match - at);
        covered = match;
        if (match == at && at == end) {
            break;
        }
        may_be_empty = match > at;
        at           = match;
    }
    if (covered < end) {
        out.push_back(end - covered);
    }
}

lengths split_by_pattern(const pattern & pattern, const std::vector<symbol> & text, const lengths & parts) {
    lengths out;
    matcher matcher(pattern.compiled, text);
    size_t  begin = 0;
    for (const size_t length : parts) {
        split_part(pattern.compiled, matcher, text, begin, begin + length, out);
        begin += length;
    }
    return out;
}

lengths split_by_function(const std::string & expression, const std::vector<symbol> & code_points, const lengths & parts,
                          splitter * of_llama_cpp) {
    lengths out;
    size_t  begin = 0;
    for (const size_t length : parts) {
        if (length > 0) {
            for (const std::string & word : of_llama_cpp(to_utf8(code_points, begin, begin + length), {expression}, false)) {
                out.push_back(count_code_points(word));
            }
        }
        begin += length;
    }
    return out;
}

std::string encode_bytes(const std::string & word) {
    static const auto letters = [] {
        std::array<std::string, 256> all;
        for (size_t byte = 0; byte < all.size(); byte++) {
            all[byte] = unicode_byte_to_utf8((uint8_t) byte);
        }
        return all;
    }();
    std::string encoded;
    for (const char byte : word) {
        encoded += letters[(unsigned char) byte];
    }
    return encoded;
}

std::vector<std::string> words(const std::vector<symbol> & code_points, const lengths & parts, bool byte_encode) {
    std::vector<std::string> all;
    all.reserve(parts.size());
    size_t begin = 0;
    for (const size_t length : parts) {
        const std::string word = to_utf8(code_points, begin, begin + length);
        all.push_back(byte_encode ? encode_bytes(word) : word);
        begin += length;
    }
    return all;
}

} // namespace

bool is_split_by_function(const std::string & expression) {
    return std::find(std::begin(functions), std::end(functions), expression) != std::end(functions);
}

bool is_split_by_engine(const std::string & expression) {
    return find_pattern(expression) != nullptr;
}

std::vector<std::string> split(const std::string & text, const std::vector<std::string> & expressions, bool byte_encode,
                               splitter * of_llama_cpp) {
    const bool all_by_function = std::all_of(expressions.begin(), expressions.end(), is_split_by_function);
    const bool all_readable    = std::all_of(expressions.begin(), expressions.end(), [](const std::string & expression) {
        return is_split_by_function(expression) || is_split_by_engine(expression);
    });
    if (text.empty() || all_by_function || !all_readable) {
        return of_llama_cpp(text, expressions, byte_encode);
    }
    forms   forms(text);
    lengths parts = {forms.code_points.size()};
    for (const std::string & expression : expressions) {
        if (is_split_by_function(expression)) {
            parts = split_by_function(expression, forms.code_points, parts, of_llama_cpp);
        } else {
            const pattern & pattern = *find_pattern(expression);
            parts                   = split_by_pattern(pattern, forms.of(pattern), parts);
        }
    }
    return words(forms.code_points, parts, byte_encode);
}

} // namespace lucifer::engine
