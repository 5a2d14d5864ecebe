// A loop over independent parts on several threads.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace lucifer {

// each(i) for i of 0 to n - 1, in any order; it must not throw. The caller's thread takes part. `elements`: numbers that all of them touch;
// few are done before another thread has started.
template <typename Each>
void parallel_for(int32_t n_threads, int64_t elements, size_t n, Each each) {
    constexpr int64_t ELEMENTS_PER_THREAD = 1 << 19;
    n_threads = (int32_t) std::min<int64_t>(n_threads, elements/ELEMENTS_PER_THREAD);
    std::atomic<size_t> next{0};
    const auto work = [&] {
        for (size_t i = next++; i < n; i = next++) {
            each(i);
        }
    };
    std::vector<std::thread> helpers;
    for (int32_t t = 1; t < n_threads && (size_t) t < n; ++t) {
        helpers.emplace_back(work);
    }
    work();
    for (std::thread & helper : helpers) {
        helper.join();
    }
}

}  // namespace lucifer
