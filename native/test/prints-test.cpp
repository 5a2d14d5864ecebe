// Nothing that llama.cpp prints past its logger reaches the process's stderr or stdout: prints-test FILE.gguf

#include "check.h"

#include "llama.h"

#if !defined(__linux__)
int main() {
    return 0; // see cmake/Prints.cmake
}
#else

#include <cstring>
#include <string>
#include <vector>

#include <unistd.h>

// Both streams of this process in a file while it lives.
class captured {
public:
    captured() : file_(tmpfile()), err_(dup(2)), out_(dup(1)) {
        CHECK(file_ != nullptr && err_ >= 0 && out_ >= 0);
        fflush(stdout);
        dup2(fileno(file_), 2);
        dup2(fileno(file_), 1);
    }

    std::string end() {
        fflush(stdout);
        fflush(stderr);
        dup2(err_, 2);
        dup2(out_, 1);
        std::string text;
        rewind(file_);
        for (int c = fgetc(file_); c != EOF; c = fgetc(file_)) {
            text += (char) c;
        }
        return text;
    }

    ~captured() {
        close(err_);
        close(out_);
        fclose(file_);
    }

private:
    FILE * file_;
    int    err_;
    int    out_;
};

static std::string logged() {
    std::string all;
    char        line[8192];
    int32_t     level   = 0;
    int64_t     dropped = 0;
    int64_t     len     = 0;
    while (lucifer_log_take(&level, &dropped, line, sizeof(line), &len) == LUCIFER_STATUS_OK && len >= 0) {
        all += std::to_string(level) + ": " + std::string(line, (size_t) len) + "\n";
    }
    return all;
}

static void check_logged(captured & streams, const char * text) {
    const std::string printed = streams.end();
    const std::string log     = logged();
    if (!printed.empty() || log.find(text) == std::string::npos) {
        fprintf(stderr, "expected '%s' in the log and nothing printed; log:\n%s\nprinted:\n%s\n", text, log.c_str(), printed.c_str());
        exit(1);
    }
}

// libllama: llama-grammar.cpp prints why a grammar is none. Our own library finds such faults before.
static void a_grammar() {
    captured streams;
    CHECK(llama_sampler_init_grammar(nullptr, "root ::= (", "root") == nullptr);
    check_logged(streams, "error parsing grammar");
}

// llama-common, in our own library: what it cannot honour of a schema.
static void a_schema() {
    captured          streams;
    std::vector<char> grammar(65536);
    int64_t           len = 0;
    const int32_t     status = lucifer_grammar_from_schema("{\"type\": \"string\", \"pattern\": \"abc\"}", grammar.data(), (int64_t) grammar.size(), &len);
    // or it is refused, and says so in its error
    check_logged(streams, status == LUCIFER_STATUS_OK ? "JSON schema conversion was incomplete" : "");
}

// ggml-base: the value that makes a tensor unsound.
static void a_nan(const char * path) {
    FILE * in = fopen(path, "rb");
    CHECK(in != nullptr);
    std::vector<char> bytes;
    for (int c = fgetc(in); c != EOF; c = fgetc(in)) {
        bytes.push_back((char) c);
    }
    fclose(in);
    // the last tensor's last half, in front of what may be padding
    for (size_t i = bytes.size() - 4096; i < bytes.size(); i += 2) {
        bytes[i]     = (char) 0xff;
        bytes[i + 1] = (char) 0x7f;
    }
    const std::string broken = std::string(path) + ".nan-" + std::to_string(getpid());
    const char *      name   = strrchr(broken.c_str(), '/');
    const std::string file   = "/tmp" + std::string(name != nullptr ? name : "/nan.gguf");
    FILE *            out    = fopen(file.c_str(), "wb");
    CHECK(out != nullptr && fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size());
    fclose(out);
    const char * where = file.c_str();
    captured     streams;
    auto         params = sized<lucifer_model_params>();
    CHECK_OK(lucifer_model_params_init(&params));
    params.paths         = &where;
    params.n_paths       = 1;
    params.check_tensors = 1;
    lucifer_model * model  = nullptr;
    const int32_t   status = lucifer_model_load(&params, &model);
    remove(file.c_str());
    CHECK(status != LUCIFER_STATUS_OK);
    check_logged(streams, "found nan value");
}

int main(int argc, char ** argv) {
    CHECK(argc == 2);
    CHECK_OK(lucifer_init(LUCIFER_LIB_DIR));
    CHECK_OK(lucifer_log_set_level(2)); // info
    a_grammar();
    a_schema();
    a_nan(argv[1]);
    return 0;
}
#endif
