#include "bounded.h"

#include "calls.h"
#include "guard.h"
#include "params.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>

#include <pthread.h>
#if defined(__linux__)
#    include <sys/resource.h>
#    include <unistd.h>
#endif

namespace lucifer {

namespace {

// Of llama.cpp's templates, the most costly makes 44 million objects for a chat of 400 messages, which takes some seconds, and none
// holds more than 12,000 or goes deeper than 42 KB of stack.
std::atomic<int64_t> g_max_bytes{(int64_t) 256 << 20};
std::atomic<int64_t> g_max_millis{10000};

constexpr size_t  max_depth     = (size_t) 16 << 20; // of the stack, by the work's own recursion
constexpr int64_t milli         = 1000000;           // nanoseconds
constexpr int64_t grace         = 1000 * milli;      // from the deadline or the cancel on, until the thread is left behind
constexpr int64_t poll_millis   = 50;                // of the caller's cancel flag
constexpr size_t  most_parked   = 4;
constexpr int     most_runaways = 8;

std::atomic<int> g_runaways{0};

constexpr size_t  least_stack   = (size_t) 256 << 20; // for work without a limit of its recursion: see sampler.cpp

// Objects that hold each other are destroyed and compared by recursion, as many as fit into the memory that they may take; each
// takes less of the stack. All of it is only address space until it is used.
size_t stack_for(int64_t max_bytes) {
    return max_depth + std::max((size_t) max_bytes, least_stack);
}

struct job {
    std::function<void()> body;
    const char *          what;    // the exported function, for last words
    const char *          subject; // the file that it works on
    budget                allowed;
    int32_t               cancel = 0; // not the caller's flag, which may be gone before the thread is
    std::exception_ptr    thrown;
    bool                  left    = false; // as it stood
    int64_t               started = 0; // by the clock of the thread that works
    clockid_t             clock   = CLOCK_MONOTONIC;
    std::atomic<int>      thread{0};

    std::mutex              mutex;
    std::condition_variable ended;
    bool                    done     = false;
    bool                    deserted = false;
};

void compute(job & j) {
    char        top;
    guard_scope scope(j.what, j.subject); // as on the caller's thread: assertions that fail here throw as well
    j.allowed.stack_top = &top;
    j.allowed.max_depth = (ptrdiff_t) max_depth;
    j.allowed.cancelled = &j.cancel;
    budget_begin(&j.allowed);
    try {
        j.left = !run_watched(j.allowed, j.body);
        budget_begin(nullptr);
    } catch (...) {
        budget_begin(nullptr);
        j.thrown = std::current_exception();
    }
}

// Threads that wait for jobs. They live until the process ends, and so do what they wait on.
class thread_pool {
public:
    void run(std::shared_ptr<job> next) {
        std::lock_guard<std::mutex> lock(mutex_);
        if (n_parked_ > 0) {
            n_parked_--;
        } else {
            start();
        }
        jobs_.push_back(std::move(next));
        wake_.notify_one();
    }

private:
    void start() {
        // a limit that is raised later holds for threads that are started later
        const size_t   size = stack_for(g_max_bytes);
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, size);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_t thread;
        const int error = pthread_create(&thread, &attributes, serve, this);
        pthread_attr_destroy(&attributes);
        if (error != 0) {
            fail(LUCIFER_STATUS_OUT_OF_MEMORY, "cannot start a thread with %zu MiB of stack", size >> 20);
        }
    }

    static void * serve(void * data) {
        auto & pool = *static_cast<thread_pool *>(data);
        bool   goes_on;
        do {
            const std::shared_ptr<job> j = pool.take();
            begin(*j);
            compute(*j);
            j->body = nullptr;

            std::lock_guard<std::mutex> lock(j->mutex);
            j->done = true;
            g_runaways -= j->deserted ? 1 : 0;
            goes_on = j->allowed.spent == budget::none && !j->left && pool.park(); // else much of the stack may be real memory
            j->ended.notify_one();
        } while (goes_on);
        return nullptr;
    }

    // Its time is that of this thread, from now on.
    static void begin(job & j) {
        std::lock_guard<std::mutex> lock(j.mutex);
#if defined(__linux__)
        pthread_getcpuclockid(pthread_self(), &j.clock);
        j.thread = (int) gettid();
#endif
        j.started          = budget_clock();
        j.allowed.deadline = j.started + limit_nanos();
    }

    std::shared_ptr<job> take() {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return !jobs_.empty(); });
        std::shared_ptr<job> next = std::move(jobs_.front());
        jobs_.pop_front();
        return next;
    }

    bool park() {
        std::lock_guard<std::mutex> lock(mutex_);
        if (n_parked_ == most_parked) {
            return false;
        }
        n_parked_++;
        return true;
    }

    std::mutex                       mutex_;
    std::condition_variable          wake_;
    std::deque<std::shared_ptr<job>> jobs_;         // each has a thread that takes it
    size_t                           n_parked_ = 0; // threads that no job is for
};

thread_pool & pool() {
    static auto * threads = new thread_pool;
    return *threads;
}

// It goes on in the background, as little in the way as can be, and ends where it next allocates.
void desert(job & j) {
    j.deserted = true;
    g_runaways++;
#if defined(__linux__)
    setpriority(PRIO_PROCESS, (id_t) j.thread.load(), 19);
#endif
}

int64_t now(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

// False: it was left behind.
bool wait_for(job & j, const int32_t * cancel, bool may_desert) {
    const auto is_done = [&] { return j.done; };
    int64_t    give_up = INT64_MAX; // by the caller's clock: it waits for what it cancelled

    std::unique_lock<std::mutex> lock(j.mutex);
    while (!j.ended.wait_for(lock, std::chrono::milliseconds(poll_millis), is_done)) {
        if (cancel != nullptr && *(const volatile int32_t *) cancel != 0 && j.cancel == 0) {
            *(volatile int32_t *) &j.cancel = 1;
            give_up                         = now(CLOCK_MONOTONIC) + grace;
        }
        const bool too_long = j.started != 0 && now(j.clock) > j.allowed.deadline + grace;
        if (may_desert && (too_long || now(CLOCK_MONOTONIC) > give_up)) {
            desert(j);
            return false;
        }
    }
    return true;
}

void rethrow(const char * subject, const job & j) {
    require_unspent(subject, j.allowed.spent);
    if (j.left) {
        fail(LUCIFER_STATUS_EXCEPTION, "%s made llama.cpp throw where it must not", subject);
    }
    if (j.thrown) {
        std::rethrow_exception(j.thrown);
    }
}

std::shared_ptr<job> start_job(std::function<void()> body, const budget & allowed) {
    const auto j         = std::make_shared<job>();
    j->body              = std::move(body);
    j->what              = this_call().what;
    j->subject           = this_call().subject;
    j->allowed           = allowed;
    j->allowed.max_bytes = g_max_bytes;
    pool().run(j);
    return j;
}

} // namespace

void require_unspent(const char * subject, budget::limit spent) {
    switch (spent) {
        case budget::none: return;
        case budget::memory:
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s takes more than %lld MiB of memory (-Dai.luciferai.llama.limit.mib)", subject,
                 (long long) (g_max_bytes >> 20));
        case budget::stack: fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s calls or holds itself without end, or is nested too deeply", subject);
        case budget::time:
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s takes more than %g s of processor time (-Dai.luciferai.llama.limit.seconds)", subject,
                 (double) g_max_millis / 1000);
        case budget::cancel: fail(LUCIFER_STATUS_CANCELLED, "cancelled");
    }
}

void run_bounded(const char * subject, const int32_t * cancel, std::function<void()> body) {
    if (g_runaways >= most_runaways) {
        fail(LUCIFER_STATUS_FAILED, "%d pieces of earlier work that took too long have not ended yet; %s is not begun", most_runaways, subject);
    }
    const auto j     = start_job(std::move(body), {});
    const bool ended = wait_for(*j, cancel, true);
    if (!ended) {
        require_unspent(subject, j->cancel != 0 ? budget::cancel : budget::time);
    }
    rethrow(subject, *j);
}

void run_awaited(const char * subject, const int32_t * cancel, budget & held, std::function<void()> body) {
    require_unspent(subject, held.spent);
    const auto j = start_job(std::move(body), held);
    wait_for(*j, cancel, false);
    held = j->allowed;
    rethrow(subject, *j);
}

int64_t limit_nanos() noexcept {
    return g_max_millis * milli;
}

void renew(budget & held, const int32_t * cancel) noexcept {
    held.max_bytes = g_max_bytes;
    held.deadline  = budget_clock() + limit_nanos();
    held.cancelled = cancel;
    held.stack_top = nullptr;
}

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_limits_set(int64_t max_bytes, int64_t max_millis) {
    return guard("lucifer_limits_set", [&] {
        require_range("max_bytes", max_bytes, (int64_t) 1 << 20, (int64_t) 1 << 40);
        require_range("max_millis", max_millis, 1, (int64_t) 1 << 40);
        g_max_bytes  = max_bytes;
        g_max_millis = max_millis;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
