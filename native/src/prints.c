// What ggml and llama.cpp print past their own logger, to stderr and stdout, goes to that logger: and so to ours, or where a program
// without one has it. cmake/Prints.cmake compiles this into each of their libraries and has the linker put these functions in the place
// of the C library's, so that no call is missed, nothing of llama.cpp is changed, and no file descriptor of the process is touched.

#include "ggml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// of ggml-impl.h, exported by ggml-base
void ggml_log_internal(enum ggml_log_level level, const char * format, ...);

// Names that the linker's --wrap gives: calls of X go to __wrap_X, and __real_X is the C library's.
#define WRAPPED(result, name, ...)      \
    result __real_##name(__VA_ARGS__); \
    result __wrap_##name(__VA_ARGS__);

WRAPPED(int, vprintf, const char *, va_list)
WRAPPED(int, puts, const char *)
WRAPPED(int, putchar, int)
WRAPPED(int, vfprintf, FILE *, const char *, va_list)
WRAPPED(int, fputs, const char *, FILE *)
WRAPPED(int, fputc, int, FILE *)
WRAPPED(size_t, fwrite, const void *, size_t, size_t, FILE *)
WRAPPED(void, perror, const char *)
int __wrap_printf(const char * format, ...);
int __wrap_fprintf(FILE * file, const char * format, ...);
// what a compiler with _FORTIFY_SOURCE calls instead
int __wrap___printf_chk(int flag, const char * format, ...);
int __wrap___fprintf_chk(FILE * file, int flag, const char * format, ...);
int __wrap___vfprintf_chk(FILE * file, int flag, const char * format, va_list args);

// ggml's default logger prints, too: what comes from there is printed.
static _Thread_local int t_logging;

static int to_log(FILE * file) {
    return (file == stderr || file == stdout) && !t_logging;
}

// Receivers of the log may throw, as ours does to cancel: what is to be undone is undone by the compiler's cleanup.
static void end_logging(int * before) {
    t_logging = *before;
}

static void free_text(char ** text) {
    free(*text);
}

// A warning: what is printed there has no level, and is nearly always why something fails or is not as it was meant.
static void log_text(const char * text) {
    __attribute__((cleanup(end_logging))) int before = t_logging;
    t_logging = 1;
    ggml_log_internal(GGML_LOG_LEVEL_WARN, "%s", text);
}

static int log_format(const char * format, va_list args) {
    char    text[512];
    va_list again;
    va_copy(again, args);
    const int n = vsnprintf(text, sizeof(text), format, args);

    __attribute__((cleanup(free_text))) char * longer = n < (int) sizeof(text) ? NULL : (char *) malloc((size_t) n + 1);
    if (longer != NULL) {
        vsnprintf(longer, (size_t) n + 1, format, again);
    }
    va_end(again);
    if (n > 0) {
        log_text(longer != NULL ? longer : text);
    }
    return n;
}

int __wrap_vfprintf(FILE * file, const char * format, va_list args) {
    return to_log(file) ? log_format(format, args) : __real_vfprintf(file, format, args);
}

int __wrap_fprintf(FILE * file, const char * format, ...) {
    va_list args;
    va_start(args, format);
    const int n = __wrap_vfprintf(file, format, args);
    va_end(args);
    return n;
}

int __wrap_vprintf(const char * format, va_list args) {
    return __wrap_vfprintf(stdout, format, args);
}

int __wrap_printf(const char * format, ...) {
    va_list args;
    va_start(args, format);
    const int n = __wrap_vfprintf(stdout, format, args);
    va_end(args);
    return n;
}

int __wrap___vfprintf_chk(FILE * file, int flag, const char * format, va_list args) {
    (void) flag;
    return __wrap_vfprintf(file, format, args);
}

int __wrap___fprintf_chk(FILE * file, int flag, const char * format, ...) {
    (void) flag;
    va_list args;
    va_start(args, format);
    const int n = __wrap_vfprintf(file, format, args);
    va_end(args);
    return n;
}

int __wrap___printf_chk(int flag, const char * format, ...) {
    (void) flag;
    va_list args;
    va_start(args, format);
    const int n = __wrap_vfprintf(stdout, format, args);
    va_end(args);
    return n;
}

// What compilers make of a print of a plain text or a single character.

int __wrap_fputs(const char * text, FILE * file) {
    if (!to_log(file)) {
        return __real_fputs(text, file);
    }
    log_text(text);
    return 1;
}

int __wrap_fputc(int c, FILE * file) {
    if (!to_log(file)) {
        return __real_fputc(c, file);
    }
    const char text[2] = { (char) c, '\0' };
    log_text(text);
    return (unsigned char) c;
}

int __wrap_puts(const char * text) {
    if (!to_log(stdout)) {
        return __real_puts(text);
    }
    log_text(text);
    log_text("\n");
    return 1;
}

int __wrap_putchar(int c) {
    return __wrap_fputc(c, stdout);
}

size_t __wrap_fwrite(const void * data, size_t size, size_t count, FILE * file) {
    if (!to_log(file) || size == 0 || count > (size_t) -1 / 2 / size) {
        return __real_fwrite(data, size, count, file);
    }
    __attribute__((cleanup(free_text))) char * text = (char *) malloc(size * count + 1);
    if (text != NULL) {
        memcpy(text, data, size * count);
        text[size * count] = '\0';
        log_text(text);
    }
    return count;
}

void __wrap_perror(const char * what) {
    if (!to_log(stderr)) {
        __real_perror(what);
        return;
    }
    const int error = errno;
    __wrap_fprintf(stderr, "%s: %s\n", what != NULL ? what : "", strerror(error));
}
