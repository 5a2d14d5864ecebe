#include "imatrix.h"

#include "guard.h"

#include "common/imatrix-loader.h"
#include "ggml-cpp.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <new>
#include <stdexcept>

namespace lucifer {

namespace {

[[noreturn]] void bad(const std::string & path, const std::string & why) {
    fail(LUCIFER_STATUS_INVALID_FILE, "%s: not a usable importance matrix: %s", path.c_str(), why.c_str());
}

// As upstream's llama-quantize: sums of squared activations become means.
std::vector<float> means(const std::string & path, const std::string & name, const common_imatrix_entry & entry, bool legacy) {
    std::vector<float> out(entry.sums.size());
    if (legacy) { // sums hold mean times number of calls
        const int64_t n_calls = entry.counts.empty() ? 0 : entry.counts[0];
        for (size_t i = 0; i < out.size(); i++) {
            out[i] = n_calls > 0 ? entry.sums[i] / (float) n_calls : entry.sums[i];
        }
        return out;
    }
    const size_t n_experts = entry.counts.size();
    if (n_experts == 0 || out.size() % n_experts != 0) {
        bad(path, name + " has " + std::to_string(out.size()) + " sums and " + std::to_string(n_experts) + " counts");
    }
    const size_t n_columns = out.size() / n_experts;
    for (size_t i = 0; i < out.size(); i++) {
        const float count = (float) entry.counts[i / n_columns];
        out[i] = count > 0.0f ? entry.sums[i] / count : 1.0f; // an expert that was never called
    }
    return out;
}

// A file in the older format, as far as its counts go: for an entry llama.cpp takes and clears as much memory as the file says, and finds
// only then that the file ends.
class legacy_counts {
public:
    legacy_counts(const std::string & path, std::ifstream & file) : path_(path), file_(file) {
        file_.seekg(0, std::ios::end);
        left_ = file_.tellg();
        file_.seekg(0);
    }

    void require_sound() {
        const int32_t entries = number("number of entries");
        for (int32_t i = 0; i < entries; i++) {
            pass(number("length of a name"), 1);
            number("number of chunks");
            pass(number("number of values"), sizeof(float));
        }
        if (left_ > 0) {
            number("number of chunks");
        }
        if (left_ > 0) {
            pass(number("length of the text's name"), 1);
        }
    }

private:
    int32_t number(const char * what) {
        int32_t value = -1;
        file_.read((char *) &value, sizeof(value));
        left_ -= (int64_t) sizeof(value);
        if (!file_ || value < 0) {
            bad(path_, std::string("it is neither GGUF nor of the older format: its ") + what + " is missing or negative");
        }
        return value;
    }

    void pass(int64_t count, size_t size) {
        const int64_t n = count * (int64_t) size;
        if (n > left_) {
            bad(path_, "it ends " + std::to_string(n - left_) + " bytes too early");
        }
        file_.seekg(n, std::ios::cur);
        left_ -= n;
    }

    const std::string & path_;
    std::ifstream &     file_;
    int64_t             left_;
};

// What is no sound GGUF file is read in the older format by llama.cpp, whatever it says it is.
void require_sound(const std::string & path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        bad(path, "it cannot be opened");
    }
    const gguf_context_ptr gguf(gguf_init_from_file(path.c_str(), {/*no_alloc =*/ true, /*ctx =*/ nullptr}));
    if (gguf == nullptr) {
        legacy_counts(path, file).require_sound();
    }
}

} // namespace

imatrix imatrix_read(const std::string & path) {
    require_sound(path);
    common_imatrix loaded;
    try {
        if (!common_imatrix_load(path, loaded)) {
            bad(path, call_last_error_line());
        }
    } catch (const abort_caught & e) {
        bad(path, e.message);
    } catch (const std::bad_alloc &) {
        bad(path, "it says it holds more than memory can");
    } catch (const std::length_error &) {
        bad(path, "it says it holds more than memory can");
    }
    if (!loaded.is_legacy && !loaded.has_metadata) {
        bad(path, "it lacks imatrix.datasets, imatrix.chunk_count or imatrix.chunk_size");
    }
    imatrix out;
    for (const auto & entry : loaded.entries) {
        std::vector<float> weights = means(path, entry.first, entry.second, loaded.is_legacy);
        for (float w : weights) {
            if (!std::isfinite(w) || w < 0.0f) { // quantizers take roots of them, and assert on what comes out
                bad(path, entry.first + " holds " + std::to_string(w) + ", expected finite values that are not negative");
            }
        }
        out.weights.emplace(entry.first, std::move(weights));
    }
    out.datasets    = loaded.datasets;
    out.chunk_count = loaded.chunk_count;
    return out;
}

void imatrix_select(imatrix & matrix, const std::vector<std::string> & include, const std::vector<std::string> & exclude) {
    auto contains_one = [](const std::string & name, const std::vector<std::string> & parts) {
        return std::any_of(parts.begin(), parts.end(), [&](const std::string & part) { return name.find(part) != std::string::npos; });
    };
    for (auto it = matrix.weights.begin(); it != matrix.weights.end();) {
        const bool keep = !contains_one(it->first, exclude) && (include.empty() || contains_one(it->first, include));
        it              = keep ? std::next(it) : matrix.weights.erase(it);
    }
}

} // namespace lucifer
