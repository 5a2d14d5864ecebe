// Which models have a table of positions. A model does not tell, so its files are looked into: at what is not data. Reading that as GGUF
// would take longer than loading the model does.

#include "positions.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace lucifer {

namespace {

uint64_t file_size(const char * path) {
    std::error_code     error;
    const std::uintmax_t size = std::filesystem::file_size(std::filesystem::u8path(path), error);
    return error ? 0 : (uint64_t) size;
}

// Whether a file names a tensor within its first n bytes, as GGUF does: the name's length in 8 bytes, and the name.
bool names_tensor(const char * path, uint64_t n, const std::string & name) {
    const uint64_t length = name.size();
    std::string    wanted((const char *) &length, sizeof(length));
    wanted += name;
    constexpr size_t block = 1 << 20;
    std::ifstream    file(std::filesystem::u8path(path), std::ios::binary);
    std::string      text; // a block, behind the last bytes of the one before
    for (uint64_t at = 0; at < n && file; at += block) {
        text.erase(0, text.size() - std::min(text.size(), wanted.size() - 1));
        const size_t kept = text.size();
        text.resize(kept + (size_t) std::min<uint64_t>(block, n - at));
        file.read(&text[kept], (std::streamsize) (text.size() - kept));
        text.resize(kept + (size_t) file.gcount());
        if (text.find(wanted) != std::string::npos) {
            return true;
        }
    }
    return false;
}

} // namespace

int32_t learnt_positions(const llama_model * model, const std::vector<const char *> & paths) {
    uint64_t bytes = 0;
    for (const char * path : paths) {
        bytes += file_size(path);
    }
    constexpr uint64_t most = 1ULL << 32; // of what is not data, behind it too
    const uint64_t     n    = std::min(most, bytes - std::min(bytes, llama_model_size(model)));
    const bool         has  = std::any_of(paths.begin(), paths.end(),
                                          [&](const char * path) { return names_tensor(path, n, "position_embd.weight"); });
    return has ? llama_model_n_ctx_train(model) : 0; // it loads with no other number of rows
}

} // namespace lucifer
