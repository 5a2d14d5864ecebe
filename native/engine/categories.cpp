#include "categories.h"

#include "unicode.h"

namespace lucifer::engine {

namespace {

// Source: unicode_regex_split in llama.cpp's src/unicode.cpp.
constexpr symbol of_white_space  = 0x0B; // vertical tab: \s matches it
constexpr symbol of_other        = 0xD0;
constexpr symbol of_numbers      = 0xD1;
constexpr symbol of_letters      = 0xD2;
constexpr symbol of_punctuation  = 0xD3;
constexpr symbol of_accent_marks = 0xD4;
constexpr symbol of_symbols      = 0xD5;

symbol_set with_ascii(symbol marker, const char * ascii) {
    return symbol_set(marker, marker) | symbol_set::of(ascii);
}

} // namespace

symbol_set category(const std::string & name) {
    if (name == "N") {
        return with_ascii(of_numbers, "0123456789");
    }
    if (name == "L" || name == "Lu" || name == "Ll" || name == "Lt" || name == "Lm" || name == "Lo") { // llama.cpp does not tell them apart
        return with_ascii(of_letters, "") | symbol_set('A', 'Z') | symbol_set('a', 'z');
    }
    if (name == "P") {
        return with_ascii(of_punctuation, "!\"#%&'()*,-./:;?@[\\]_{}");
    }
    if (name == "M") {
        return with_ascii(of_accent_marks, "");
    }
    if (name == "S") {
        return with_ascii(of_symbols, "$+<=>^`|~");
    }
    return {};
}

symbol collapse(symbol code_point) {
    if (code_point < 0x80) {
        return code_point;
    }
    const unicode_cpt_flags flags = unicode_cpt_flags_from_cpt(code_point);
    if (flags.is_whitespace) {
        return of_white_space;
    }
    switch (flags.category_flag()) {
        case unicode_cpt_flags::NUMBER: return of_numbers;
        case unicode_cpt_flags::LETTER: return of_letters;
        case unicode_cpt_flags::PUNCTUATION: return of_punctuation;
        case unicode_cpt_flags::ACCENT_MARK: return of_accent_marks;
        case unicode_cpt_flags::SYMBOL: return of_symbols;
        default: return of_other;
    }
}

symbol widen(symbol code_point) {
    return code_point >= 0x80 && unicode_cpt_flags_from_cpt(code_point).is_whitespace ? of_white_space : code_point;
}

} // namespace lucifer::engine
