// Exceptions and failed assertions become statuses; where they cannot, the process leaves last words.

#include "check.h"

#include <cstring>

#if !defined(_WIN32)
#    include <sys/wait.h>
#    include <unistd.h>
#endif

static void becomes_a_status() {
    CHECK_FAILS(LUCIFER_STATUS_EXCEPTION, "provoked", lucifer_provoke(0));
    CHECK_FAILS(LUCIFER_STATUS_ABORTED, "ggml_nelements", lucifer_provoke(1));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "kind is 99", lucifer_provoke(99));
    for (int i = 0; i < 1000; i++) { // and goes on working
        CHECK(lucifer_provoke(i % 2) != LUCIFER_STATUS_OK);
    }
    int64_t len = 0;
    CHECK(lucifer_build_info(nullptr, 0, &len) == LUCIFER_STATUS_BUFFER_TOO_SMALL && len > 0);
}

#if !defined(_WIN32)
// The child computes a graph whose assertion fails: it must die, and say why on stderr.
static void leaves_last_words(int32_t kind) {
    int pipe_ends[2];
    CHECK(pipe(pipe_ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(pipe_ends[1], 2);
        lucifer_provoke(kind);
        _exit(0); // it lived
    }
    close(pipe_ends[1]);
    std::string words;
    char        block[1024];
    for (ssize_t n; (n = read(pipe_ends[0], block, sizeof(block))) > 0;) {
        words.append(block, (size_t) n);
    }
    close(pipe_ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(!(WIFEXITED(status) && WEXITSTATUS(status) == 0));
    if (words.find("lucifer-llama: fatal: ") == std::string::npos || words.find("provoked inside a graph") == std::string::npos ||
        words.find("lucifer_provoke") == std::string::npos) {
        fprintf(stderr, "kind %d: no last words in: %s\n", kind, words.c_str());
        exit(1);
    }
}
#endif

static void refuses_wrong_calls() {
    int64_t len = 0;
    CHECK(lucifer_devices(nullptr, 0, &len) == LUCIFER_STATUS_BUFFER_TOO_SMALL && len > 0);
    CHECK(lucifer_build_info(nullptr, 0, &len) == LUCIFER_STATUS_BUFFER_TOO_SMALL && len > 0);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "capacity -1", lucifer_build_info(nullptr, -1, &len));
    CHECK_OK(lucifer_model_free(nullptr));
    CHECK_OK(lucifer_context_free(nullptr));
    CHECK_OK(lucifer_sampler_free(nullptr));
    CHECK_OK(lucifer_adapter_free(nullptr));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "null", lucifer_memory_clear(nullptr));
}

static void knows_its_layout() {
    char    name[128];
    int64_t len = 0, value = 0;
    bool    found = false;
    int32_t i     = 0;
    for (; lucifer_layout(i, name, sizeof(name), &len, &value) == LUCIFER_STATUS_OK; i++) {
        found = found || (std::string(name, (size_t) len) == "lucifer_model_info" && value == (int64_t) sizeof(lucifer_model_info));
    }
    CHECK(found && i > 100);
}

static void names_ggml_types() {
    char    name[32];
    int64_t len = 0, elements = 0, bytes = 0;
    CHECK_OK(lucifer_ggml_type(8, name, sizeof(name), &len, &elements, &bytes));
    CHECK(std::string(name, (size_t) len) == "q8_0" && elements == 32 && bytes == 34);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "no type 4", lucifer_ggml_type(4, name, sizeof(name), &len, &elements, &bytes)); // removed
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "no type 99999", lucifer_ggml_type(99999, name, sizeof(name), &len, &elements, &bytes));
}

static void refuses_rpc_servers_that_are_not_there() {
    int32_t n = 0;
    for (const char * bad : {"", "localhost", "localhost:", ":50052", "localhost:0", "localhost:65536", "localhost:12x", "a:b:1", "[::1]:1"}) {
        CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "expected host:port", lucifer_rpc_add_server(bad, &n));
    }
    CHECK_FAILS(LUCIFER_STATUS_FAILED, "connection refused", lucifer_rpc_add_server("127.0.0.1:1", &n));
    CHECK_FAILS(LUCIFER_STATUS_FAILED, "unknown host", lucifer_rpc_add_server("no-such-host.invalid:50052", &n));
}

static void turns_schemas_into_grammars() {
    char    text[8192];
    int64_t len = 0;
    CHECK_OK(lucifer_grammar_from_schema("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}", text,
                                         sizeof(text), &len));
    CHECK(std::string(text, (size_t) len).find("root ::=") != std::string::npos);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "JSON schema", lucifer_grammar_from_schema("{\"type\":", text, sizeof(text), &len));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "JSON schema", lucifer_grammar_from_schema("[1]", text, sizeof(text), &len));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "JSON schema", lucifer_grammar_from_schema("{\"type\":\"nonsense\"}", text, sizeof(text), &len));
    const std::string deep = std::string(100000, '[');
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "nested deeper", lucifer_grammar_from_schema(deep.c_str(), text, sizeof(text), &len));
}

static void keeps_the_last_log_lines() {
    int32_t level   = 0;
    int64_t dropped = 0, len = 0;
    char    text[8192];
    while (lucifer_log_take(&level, &dropped, text, sizeof(text), &len) == LUCIFER_STATUS_OK && len >= 0) {
    }
    CHECK_OK(lucifer_log_take(&level, &dropped, text, sizeof(text), &len));
    CHECK(len == -1);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "level is 0", lucifer_log_set_level(0));
}

int main() {
    int32_t version = 0;
    CHECK_OK(lucifer_abi_version(&version));
    CHECK(version == LUCIFER_ABI_VERSION);
    CHECK_OK(lucifer_init(LUCIFER_LIB_DIR));
    CHECK_OK(lucifer_init(LUCIFER_LIB_DIR));
#if !defined(_WIN32)
    leaves_last_words(2); // first: a forked child has this thread only
    leaves_last_words(3);
#endif
    becomes_a_status();
    refuses_wrong_calls();
    knows_its_layout();
    names_ggml_types();
    refuses_rpc_servers_that_are_not_there();
    turns_schemas_into_grammars();
    keeps_the_last_log_lines();
    printf("ok\n");
    return 0;
}
