// What happens when an assertion of ggml fails. ggml calls our hook and, should the hook return, abort().
//
// The hook throws only where the exception is sure to reach a guard: on a thread inside guard(), not while an exception is
// already unwinding (a second one would terminate), and not under ggml_graph_compute, whose worker threads would wait for
// the thread that left. Everywhere else it writes last words to stderr and returns. A destructor that stands in the way
// (noexcept) cannot be seen beforehand; the terminate handler gives the last words then.

#include "abort.h"

#include "guard.h"

#include "ggml.h"

#include <cstdio>
#include <cstring>
#include <exception>

#if defined(__linux__) || defined(__APPLE__)
#    include <dlfcn.h>
#    include <execinfo.h>
#    include <unistd.h>
#    if defined(__GLIBC__)
#        include <link.h>
#    endif
#elif defined(_WIN32)
#    include <io.h>
#endif

namespace lucifer {

static void write_stderr(const char * text) {
#if defined(_WIN32)
    (void) !_write(2, text, (unsigned) strlen(text));
#else
    (void) !write(2, text, strlen(text));
#endif
}

static void last_words(const char * message) {
    const call_state & call    = this_call();
    const bool         inside  = call.depth > 0;
    const char *       what    = inside ? call.what : announced_what();
    const char *       subject = inside ? call.subject : announced_subject();

    char text[4096];
    snprintf(text, sizeof(text), "\nlucifer-llama: fatal: %s\nlucifer-llama: %s%s%s%s; the process cannot go on\n", message,
             inside ? "in " : "on a worker thread, probably for ", what ? what : "no call of ours", subject ? " of " : "",
             subject ? subject : "");
    write_stderr(text);
}

#if defined(__linux__) || defined(__APPLE__)
static bool is_compute_frame(void * address) {
    Dl_info info;
#    if defined(__GLIBC__)
    // dladdr names the nearest exported symbol even when the address is far behind its end, in a static function
    const ElfW(Sym) * symbol = nullptr;
    if (!dladdr1(address, &info, (void **) &symbol, RTLD_DL_SYMENT) || info.dli_sname == nullptr || symbol == nullptr) {
        return false;
    }
    if ((const char *) address > (const char *) info.dli_saddr + symbol->st_size) {
        return false;
    }
#    else
    if (!dladdr(address, &info) || info.dli_sname == nullptr) {
        return false;
    }
#    endif
    return strncmp(info.dli_sname, "ggml_graph_compute", 18) == 0 || strncmp(info.dli_sname, "ggml_backend_graph_compute", 26) == 0 ||
           strncmp(info.dli_sname, "ggml_backend_sched_graph_compute", 32) == 0 ||
           strcmp(info.dli_sname, "ggml_backend_synchronize") == 0;
}

static bool is_computing() {
    void *    frames[128];
    const int n = backtrace(frames, 128);
    for (int i = 0; i < n; i++) {
        if (is_compute_frame(frames[i])) {
            return true;
        }
    }
    return n == 128; // deeper than we can see
}
#else
// No symbols to go by: calls that compute have a subject (a model), the others have none.
static bool is_computing() {
    return this_call().subject != nullptr;
}
#endif

// Where the library was built is of no use to its user: "ggml/src/ggml.c:3629: GGML_ASSERT(…) failed".
static const char * without_build_folder(const char * message) {
    for (const char * root : {"/ggml/src/", "/ggml/include/", "/src/llama", "/src/models/", "/src/unicode", "/common/"}) {
        if (const char * found = strstr(message, root)) {
            return found + 1;
        }
    }
    return message;
}

static void on_abort(const char * full_message) {
    const char *       message = without_build_folder(full_message);
    const call_state & call = this_call();
    if (call.depth > 0 && std::uncaught_exceptions() == call.uncaught && !is_computing()) {
        throw abort_caught{message};
    }
    last_words(message);
}

static std::terminate_handler g_previous_terminate;

static void on_terminate() {
    if (std::exception_ptr e = std::current_exception()) {
        try {
            std::rethrow_exception(e);
        } catch (const abort_caught & a) {
            last_words(a.message.c_str());
        } catch (...) {
            // not ours
        }
    }
    if (g_previous_terminate != nullptr) {
        g_previous_terminate();
    }
}

void abort_hook_install() {
#if defined(__linux__) || defined(__APPLE__)
    void * frame;
    backtrace(&frame, 1); // loads libgcc now: it may not be possible in the hook
#endif
    g_previous_terminate = std::set_terminate(on_terminate);
    ggml_set_abort_callback(on_abort);
}

} // namespace lucifer
