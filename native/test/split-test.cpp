// Our split of a text gives the words that llama.cpp's gives, by each of its lists of expressions, and does so for texts that would end a
// process of llama.cpp. This test holds llama.cpp's own split, and runs it on a stack that is large enough.

#include "split.h"
#include "unicode.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include <pthread.h>

using namespace lucifer::engine;

namespace {

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                        \
        }                                                                   \
    } while (0)

using expressions = std::vector<std::string>;

std::string read_file(const std::filesystem::path & path) {
    std::ifstream     file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    CHECK(file.good() && !text.str().empty());
    return text.str();
}

// The string literals of a piece of C++ without raw ones, and past comments.
expressions read_literals(const std::string & code) {
    expressions literals;
    for (size_t at = 0; at < code.size(); at++) {
        if (code.compare(at, 2, "//") == 0) {
            at = code.find('\n', at);
        } else if (code[at] == '"') {
            std::string & literal = literals.emplace_back();
            for (at++; code[at] != '"'; at++) {
                if (code[at] != '\\') {
                    literal += code[at];
                    continue;
                }
                const char escape = code[++at];
                CHECK(std::string("nrt\\\"").find(escape) != std::string::npos);
                literal += escape == 'n' ? '\n' : escape == 'r' ? '\r' : escape == 't' ? '\t' : escape;
            }
        }
    }
    return literals;
}

// Each list of expressions that llama.cpp's tokenizers have, as its source says.
std::vector<expressions> read_lists() {
    const std::string        code = read_file(LLAMA_CPP_DIR "/src/llama-vocab.cpp");
    const std::string        opening = "regex_exprs = {";
    std::set<expressions>    lists;
    for (size_t at = code.find(opening); at != std::string::npos; at = code.find(opening, at + 1)) {
        const size_t end = code.find("\n                };", at);
        CHECK(end != std::string::npos);
        lists.insert(read_literals(code.substr(at, end - at)));
    }
    CHECK(lists.size() >= 30);
    return {lists.begin(), lists.end()};
}

// Those by which llama.cpp splits with functions of its own are the ones that we take for such.
void knows_the_functions() {
    const std::string code    = read_file(LLAMA_CPP_DIR "/src/unicode.cpp");
    const size_t      begin   = code.find("unicode_regex_split_custom(const std::string & text, const std::string & regex_expr");
    const size_t      end     = code.find("\n}\n", begin);
    const std::string body    = code.substr(begin, end - begin);
    size_t            choices = 0;
    for (size_t at = body.find("regex_expr == \""); at != std::string::npos; at = body.find("regex_expr == \"", at + 1)) {
        const std::string expression = read_literals(body.substr(at, body.find('\n', at) - at)).front();
        CHECK(is_split_by_function(expression));
        choices++;
    }
    CHECK(choices == 9);
}

void can_read_all(const std::vector<expressions> & lists) {
    for (const expressions & list : lists) {
        for (const std::string & expression : list) {
            if (!is_split_by_function(expression) && !is_split_by_engine(expression)) {
                fprintf(stderr, "split-test: llama.cpp has an expression that the engine cannot read: %s\n", expression.c_str());
                exit(1);
            }
        }
    }
}

size_t n_compared = 0;
size_t n_bytes    = 0;

void compare(const expressions & list, const std::string & text) {
    const bool byte_encode = n_compared % 2 == 0;
    const auto ours        = split(text, list, byte_encode, unicode_regex_split);
    const auto theirs      = unicode_regex_split(text, list, byte_encode);
    n_compared++;
    n_bytes += text.size();
    if (ours == theirs) {
        return;
    }
    const size_t at = (size_t) (std::mismatch(ours.begin(), ours.end(), theirs.begin(), theirs.end()).first - ours.begin());
    fprintf(stderr, "split-test: by '%s' ...\nword %zu of '%.2000s'\nis     '%s'\nshould '%s'\n", list.front().c_str(), at, text.c_str(),
            at < ours.size() ? ours[at].c_str() : "(none)", at < theirs.size() ? theirs[at].c_str() : "(none)");
    exit(1);
}

// One or more of each kind that expressions tell apart, and what is said in them.
const std::vector<std::string> kinds = {
    "a", "b", "z", "A", "Z", "s", "t", "S", "T", "re", "VE", "ll", "0", "7", "9", " ", " ", " ", "\t", "\n", "\r", "\v", "\f", "'", "'s", "'LL",
    "!", "-", ".", "/", "[", "]", "\\", "^", "_", "{", "}", "~", "+", "=", "<", ">", "$", "|", "`", "\x01", "\x1c", "\x7f", std::string(1, '\0'),
    "é", "É", "ß", "Ж", "ω", "ƻ", "ʰ", "א", "٣", "²", "Ⅷ", "\u0301", "\u093f", "\u0e31", "…", "“", "、", "。", "！", "：", "￥", "€", "©",
    "\u00a0", "\u0085", "\u3000", "\u2028", "\u200b", "\ue000", "\ufffd", "中", "国", "々", "ア", "ひ", "ー", "가", "ㄱ", "ㅏ", "ㄅ", "ｱ", "ไ", "လ",
    "𐐀", "😀", "🇩", "𝟘", "<sentinel:", "IMGIMG", "ABI", "Z", "    ",
    "\xff", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xc0\x80", // no UTF-8
};

using random_source = std::mt19937;

size_t below(random_source & random, size_t n) {
    return random() % n;
}

// Of few kinds, so that they meet in all ways; some in runs.
std::string random_text(random_source & random, size_t n_parts) {
    std::vector<std::string> few;
    for (size_t i = 2 + below(random, 12); i > 0; i--) {
        few.push_back(kinds[below(random, kinds.size())]);
    }
    std::string text;
    for (size_t i = 0; i < n_parts; i++) {
        const std::string & part = few[below(random, few.size())];
        for (size_t n = below(random, 8) == 0 ? below(random, 20) : 1; n > 0; n--) {
            text += part;
        }
    }
    return text;
}

void agrees_on_random_texts(const std::vector<expressions> & lists, size_t n_texts) {
    random_source random(20261128);
    for (size_t i = 0; i < n_texts; i++) {
        const std::string text = random_text(random, 1 + below(random, 200));
        for (const expressions & list : lists) {
            compare(list, text);
        }
    }
}

std::string repeat(const std::string & part, size_t n) {
    std::string text;
    while (n-- > 0) {
        text += part;
    }
    return text;
}

// Each kind alone, and with others before, after and between.
std::vector<std::string> long_texts(size_t n) {
    std::vector<std::string> texts;
    for (const std::string & kind : kinds) {
        texts.push_back(repeat(kind, n));
        texts.push_back(" " + repeat(kind, n) + "a");
        texts.push_back("1" + repeat("a" + kind, n / 2) + "\n");
        texts.push_back(repeat(kind + "=1 ", n / 4));
    }
    return texts;
}

void agrees_on_long_texts(const std::vector<expressions> & lists, size_t n) {
    for (const std::string & text : long_texts(n)) {
        for (const expressions & list : lists) {
            compare(list, text);
        }
    }
}

// llama.cpp's own test texts, many languages among them, and its documentation.
void agrees_on_real_texts(const std::vector<expressions> & lists) {
    std::vector<std::string> texts = {read_file(LLAMA_CPP_DIR "/README.md"), read_file(LLAMA_CPP_DIR "/src/unicode.cpp")};
    for (const auto & entry : std::filesystem::directory_iterator(LLAMA_CPP_DIR "/models")) {
        if (entry.path().extension() == ".inp") {
            texts.push_back(read_file(entry.path()));
        }
    }
    CHECK(texts.size() > 10);
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    for (const std::string & text : texts) {
        for (const expressions & list : lists) {
            compare(list, text);
        }
    }
}

// Of a size at which anything quadratic in the length of the text would not end.
void splits_huge_texts(const std::vector<expressions> & lists, size_t n) {
    for (const char * part : {"=", " ", "a", "A", "中", "1", "\n", "a=", " \n", "é", "!", "' ", "\x01", "\u0301"}) {
        const std::string text = repeat(part, n);
        for (const expressions & list : lists) {
            std::string joined;
            for (const std::string & word : split(text + "x", list, false, unicode_regex_split)) {
                joined += word;
            }
            CHECK(joined == text + "x");
        }
    }
}

// Calls body on a thread with a stack of 1 GiB, and waits for it.
template <typename F> void on_a_large_stack(F body) {
    pthread_attr_t attributes;
    pthread_t      thread;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, (size_t) 1 << 30) == 0);
    CHECK(pthread_create(&thread, &attributes, [](void * f) -> void * { (*(F *) f)(); return nullptr; }, &body) == 0);
    CHECK(pthread_join(thread, nullptr) == 0);
    pthread_attr_destroy(&attributes);
}

} // namespace

// Arguments: how many random texts, how long long texts are, how long huge ones are, in parts.
int main(int argc, char ** argv) {
    const size_t n_random = argc > 1 ? strtoul(argv[1], nullptr, 10) : 100;
    const size_t n_long   = argc > 2 ? strtoul(argv[2], nullptr, 10) : 300;
    const size_t n_huge   = argc > 3 ? strtoul(argv[3], nullptr, 10) : 100000;
    const auto   lists    = read_lists();
    knows_the_functions();
    can_read_all(lists);
    on_a_large_stack([&] {
        agrees_on_random_texts(lists, n_random);
        agrees_on_real_texts(lists);
        agrees_on_long_texts(lists, n_long);
    });
    splits_huge_texts(lists, n_huge);
    printf("split-test: %zu lists, %zu texts of %zu bytes compared\n", lists.size(), n_compared, n_bytes);
    return 0;
}
