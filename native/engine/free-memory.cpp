#include "free-memory.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace lucifer {

#if defined(_WIN32)
size_t memory_available(size_t otherwise) {
    return otherwise; // ggml asks the system here
}
#else
static int64_t first_number(const char * path) {
    std::ifstream file(path);
    int64_t       value = -1;
    file >> value;
    return file ? value : -1;
}

size_t memory_available(size_t otherwise) {
    std::ifstream meminfo("/proc/meminfo");
    std::string   line;
    int64_t       available = -1;
    while (std::getline(meminfo, line)) {
        if (line.rfind("MemAvailable:", 0) == 0) {
            std::istringstream(line.substr(13)) >> available;
            available *= 1024;
        }
    }
    if (available < 0) {
        return otherwise;
    }
    const int64_t limit = first_number("/sys/fs/cgroup/memory.max"); // cgroup 2; "max" is no number
    const int64_t used  = first_number("/sys/fs/cgroup/memory.current");
    if (limit > 0 && used >= 0) {
        available = std::min(available, std::max<int64_t>(0, limit - used));
    }
    return (size_t) available;
}
#endif

} // namespace lucifer
