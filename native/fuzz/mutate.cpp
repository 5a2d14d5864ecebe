// A main() for a driver where there is no libFuzzer: mutate ENTRY SEED COUNT KEEP FILE-OR-FOLDER...
// Hands the given inputs to the driver, then COUNT mutants of them, the same for the same seed. A child does it; an input that ends it,
// or that it does not come back from, is kept as the file KEEP/ENTRY-SEED, and told.

#include "frame.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr size_t most_bytes      = 1 << 18;
constexpr int    seconds_to_wait = 60; // for one input, on a busy machine

// What the child is at, seen by the parent.
struct work {
    volatile int64_t number; // of the input, from 1
    volatile size_t  size;
    char             bytes[2 * most_bytes];
};

std::vector<std::string> read_inputs(int n, char ** paths) {
    namespace fs = std::filesystem;
    std::vector<fs::path> files;
    for (int i = 0; i < n; i++) {
        if (fs::is_directory(paths[i])) {
            std::copy(fs::directory_iterator(paths[i]), {}, std::back_inserter(files));
        } else {
            files.emplace_back(paths[i]);
        }
    }
    std::sort(files.begin(), files.end());
    std::vector<std::string> inputs;
    for (const auto & file : files) {
        std::ifstream in(file, std::ios::binary);
        must(in.good(), file.c_str());
        inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return inputs;
}

class mutator {
public:
    mutator(const std::vector<std::string> & inputs, uint64_t seed) : inputs_(inputs), random_(seed) {}

    std::string next() {
        std::string text = any_input();
        for (size_t changes = 1 + below(4); changes > 0; changes--) {
            change(text);
        }
        text.resize(std::min(text.size(), most_bytes));
        return text;
    }

private:
    // Not a std distribution: those differ from library to library.
    size_t below(size_t n) { return n == 0 ? 0 : random_() % n; }

    const std::string & any_input() { return inputs_[below(inputs_.size())]; }

    // A place and a length, more often short than long.
    std::pair<size_t, size_t> any_part(const std::string & text) {
        const size_t at = below(text.size());
        return {at, below(std::min(text.size() - at, (size_t) 1 << below(12)) + 1)};
    }

    void change(std::string & text) {
        const auto [at, n] = any_part(text);
        switch (below(8)) {
            case 0:
                if (!text.empty()) {
                    text[at] = (char) (text[at] ^ (1 << below(8)));
                }
                break;
            case 1: text.insert(at, 1, (char) below(256)); break;
            case 2: text.erase(at, n); break;
            case 3: text.insert(at, text.substr(at, n)); break;
            case 4: insert_many(text, at, text.substr(at, n)); break;
            case 5: { // a part of another
                const std::string & other     = any_input();
                const auto [other_at, length] = any_part(other);
                text.replace(at, n, other.substr(other_at, length));
                break;
            }
            case 6: set_bytes(text, at); break;
            default: set_number(text, at);
        }
    }

    // What recurses for each of them runs out of stack.
    void insert_many(std::string & text, size_t at, const std::string & part) {
        const size_t room = most_bytes - std::min(most_bytes, text.size());
        size_t       n    = std::min((size_t) 1 << below(18), room / std::max<size_t>(part.size(), 1));
        std::string  parts;
        for (; n > 0; n--) {
            parts += part;
        }
        text.insert(at, parts);
    }

    // A count, size or offset.
    void set_bytes(std::string & text, size_t at) {
        static constexpr uint64_t numbers[] = {0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, ~0ULL};
        const uint64_t            number    = numbers[below(sizeof(numbers) / sizeof(*numbers))] + below(3) - 1;
        const size_t              size      = std::min((size_t) 1 << below(4), text.size() - at);
        text.replace(at, size, (const char *) &number, size);
    }

    // A number in figures.
    void set_number(std::string & text, size_t at) {
        static const char * const numbers[] = {"0", "-1", "1", "65536", "2147483647", "4294967296", "99999999999999999999", "1e999"};
        const size_t              begin     = text.find_first_of("0123456789", at);
        if (begin != std::string::npos) {
            text.replace(begin, text.find_first_not_of("0123456789", begin) - begin, numbers[below(sizeof(numbers) / sizeof(*numbers))]);
        }
    }

    const std::vector<std::string> & inputs_;
    std::mt19937_64                  random_;
};

void hand_over(work & shared, const std::string & input) {
    const size_t size = std::min(input.size(), sizeof(shared.bytes));
    memcpy(shared.bytes, input.data(), size);
    shared.size   = size;
    shared.number = shared.number + 1;
    attempt(input);
}

[[noreturn]] void child(work & shared, const std::vector<std::string> & inputs, uint64_t seed, int64_t count) {
    for (const auto & input : inputs) {
        hand_over(shared, input);
    }
    mutator mutants(inputs, seed);
    for (int64_t i = 0; i < count; i++) {
        hand_over(shared, mutants.next());
    }
    _exit(0); // what is left is a process's end, which is not looked at here
}

// "" or how the child ended.
std::string watch(pid_t pid, const work & shared) {
    int     status = 0, quiet = 0;
    int64_t number = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        usleep(10000);
        quiet  = shared.number == number ? quiet + 1 : 0;
        number = shared.number;
        if (quiet > seconds_to_wait * 100) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return "takes more than " + std::to_string(seconds_to_wait) + " s";
        }
    }
    if (WIFSIGNALED(status)) {
        return std::string("ends the process: ") + strsignal(WTERMSIG(status));
    }
    return WEXITSTATUS(status) == 0 ? "" : "ends the process with code " + std::to_string(WEXITSTATUS(status));
}

} // namespace

int main(int argc, char ** argv) {
    must(argc > 5, "usage: mutate ENTRY SEED COUNT KEEP FILE-OR-FOLDER...");
    const auto inputs = read_inputs(argc - 5, argv + 5);
    must(!inputs.empty(), "there is no input");
    void * memory = mmap(nullptr, sizeof(work), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(memory != MAP_FAILED, "no memory");
    auto & shared = *static_cast<work *>(memory);

    const pid_t pid = fork();
    must(pid >= 0, "no second process");
    if (pid == 0) {
        child(shared, inputs, strtoull(argv[2], nullptr, 10), atoll(argv[3]));
    }
    const std::string death = watch(pid, shared);
    if (!death.empty()) {
        const auto kept = std::filesystem::path(argv[4]) / (std::string(argv[1]) + "-" + argv[2]);
        std::filesystem::create_directories(kept.parent_path());
        std::ofstream(kept, std::ios::binary).write(shared.bytes, (std::streamsize) shared.size);
        fprintf(stderr, "%s: input %lld %s; it is kept as %s\n", argv[1], (long long) shared.number, death.c_str(), kept.c_str());
        return 1;
    }
    printf("%s: %lld inputs, seed %s\n", argv[1], (long long) shared.number, argv[2]);
    return 0;
}
