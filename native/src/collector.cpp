#include "collector.h"

#include "guard.h"
#include "objects.h"

#include "ggml-backend.h"
#include "ggml.h"

#include <cmath>
#include <cstring>

namespace lucifer {

namespace {

// With fewer tokens upstream ignores a multiplication: it is then not a text's, but a single step's.
constexpr int64_t least_tokens = 16;

// The scheduler names copies of weights "DEVICE#name#part".
std::string weight_name(const ggml_tensor * weight) {
    const char * begin = strchr(weight->name, '#');
    if (begin == nullptr) {
        return weight->name;
    }
    const char * end = strchr(begin + 1, '#');
    return end == nullptr ? std::string(begin + 1) : std::string(begin + 1, end);
}

void add_squares(float * sums, const float * x, int64_t n) {
    for (int64_t j = 0; j < n; j++) {
        sums[j] += x[j] * x[j];
    }
}

} // namespace

bool collector::on_node(ggml_tensor * node, bool ask, void * self) {
    auto & c = *(collector *) self;
    if (!c.fault_.empty()) {
        return !ask; // "not interested", or "go on"
    }
    if (ask) {
        return c.wants(node);
    }
    try {
        c.collect(node);
    } catch (const std::exception & e) {
        c.fault_ = e.what();
    }
    return true;
}

bool collector::wants(const ggml_tensor * node) const {
    if (node->op == GGML_OP_MUL_MAT_ID) {
        return true;
    }
    if (node->op != GGML_OP_MUL_MAT || node->src[1]->ne[1] < least_tokens || node->src[1]->type != GGML_TYPE_F32) {
        return false;
    }
    const std::string name = weight_name(node->src[0]);
    return name.compare(0, 4, "blk.") == 0 || (with_output_ && name == "output.weight");
}

void collector::collect(const ggml_tensor * node) {
    const ggml_tensor * inputs = node->src[1];
    const char *        data   = (const char *) inputs->data;
    if (!ggml_backend_buffer_is_host(inputs->buffer)) {
        inputs_.resize(ggml_nbytes(inputs));
        ggml_backend_tensor_get(inputs, inputs_.data(), 0, inputs_.size());
        data = inputs_.data();
    }
    if (inputs->type != GGML_TYPE_F32 || inputs->nb[0] != sizeof(float)) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "the inputs of %s are not rows of floats", node->src[0]->name);
    }
    if (node->op == GGML_OP_MUL_MAT_ID) {
        collect_experts(node, data);
    } else {
        collect_dense(node, data);
    }
}

// weight [n_columns, n_rows, n_experts], inputs [n_columns, n_used or 1, n_tokens], ids [n_used, n_tokens]
void collector::collect_experts(const ggml_tensor * node, const char * data) {
    const ggml_tensor * inputs    = node->src[1];
    const ggml_tensor * ids       = node->src[2];
    const std::string   name      = weight_name(node->src[0]);
    const int64_t       n_experts = node->src[0]->ne[2];
    const int64_t       n_columns = inputs->ne[0];
    if (ids->ne[1] != inputs->ne[2] || inputs->ne[3] != 1) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "the inputs of %s have more than three dimensions", name.c_str());
    }
    ids_.resize(ggml_nbytes(ids)); // not contiguous: a view of a larger tensor
    ggml_backend_tensor_get(ids, ids_.data(), 0, ids_.size());

    entry & e = entries[name];
    if (e.counts.size() == 1 && n_experts > 1) {
        e.counts.resize((size_t) n_experts, e.counts[0]); // from an old file
    }
    prepare(name, e, (size_t) (n_columns * n_experts), (size_t) n_experts);
    std::vector<bool> touched((size_t) n_experts);
    for (int64_t used = 0; used < ids->ne[0]; used++) {
        for (int64_t token = 0; token < inputs->ne[2]; token++) {
            int32_t expert;
            memcpy(&expert, ids_.data() + (size_t) token * ids->nb[1] + (size_t) used * ids->nb[0], sizeof(expert));
            if (expert < 0 || expert >= n_experts) {
                fail(LUCIFER_STATUS_FAILED, "%s: expert %d of %lld", name.c_str(), expert, (long long) n_experts);
            }
            const char * row = data + (size_t) (used % inputs->ne[1]) * inputs->nb[1] + (size_t) token * inputs->nb[2];
            e.counts[(size_t) expert]++;
            touched[(size_t) expert] = true;
            add_squares(e.sums.data() + expert * n_columns, (const float *) row, n_columns);
        }
    }
    for (int64_t expert = 0; expert < n_experts; expert++) {
        if (touched[(size_t) expert]) {
            check_finite(name, e.sums.data() + expert * n_columns, (size_t) n_columns);
        }
    }
}

// weight [n_columns, n_rows, n2, n3], inputs [n_columns, n_tokens, m2, m3]; a weight that is a matrix serves inputs of more dimensions
void collector::collect_dense(const ggml_tensor * node, const char * data) {
    const ggml_tensor * weight     = node->src[0];
    const ggml_tensor * inputs     = node->src[1];
    const std::string   name       = weight_name(weight);
    const int64_t       n_matrices = weight->ne[2] * weight->ne[3];
    const int64_t       n_columns  = inputs->ne[0];

    entry & e = entries[name];
    bool    equal = true;
    for (int64_t count : e.counts) {
        equal = equal && count == e.counts[0];
    }
    if (e.counts.size() > 1 && equal) {
        e.counts.resize(1); // from an old file, which counts each matrix
    }
    prepare(name, e, (size_t) (n_columns * n_matrices), e.counts.empty() ? 1 : e.counts.size());
    for (int64_t i3 = 0; i3 < inputs->ne[3]; i3++) {
        for (int64_t i2 = 0; i2 < inputs->ne[2]; i2++) {
            const int64_t matrix = (i3 % weight->ne[3]) * weight->ne[2] + (i2 % weight->ne[2]);
            for (int64_t token = 0; token < inputs->ne[1]; token++) {
                const char * row = data + (size_t) token * inputs->nb[1] + (size_t) i2 * inputs->nb[2] + (size_t) i3 * inputs->nb[3];
                add_squares(e.sums.data() + matrix * n_columns, (const float *) row, n_columns);
            }
        }
    }
    check_finite(name, e.sums.data(), e.sums.size());
    for (int64_t & count : e.counts) {
        count += ggml_nrows(inputs) / n_matrices;
    }
}

void collector::prepare(const std::string & name, entry & e, size_t n_sums, size_t n_counts) {
    if (e.sums.empty()) {
        e.sums.resize(n_sums, 0.0f);
        e.counts.resize(n_counts, 0);
    }
    if (e.sums.size() != n_sums || e.counts.size() != n_counts) {
        fail(LUCIFER_STATUS_INVALID_FILE, "the importance matrix to add to has %zu sums and %zu counts for %s, the model has %zu and %zu",
             e.sums.size(), e.counts.size(), name.c_str(), n_sums, n_counts);
    }
}

void collector::check_finite(const std::string & name, const float * sums, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!std::isfinite(sums[i])) {
            fail(LUCIFER_STATUS_INVALID_FILE, "the inputs of %s are not finite: the model computes with numbers that are none", name.c_str());
        }
    }
}

namespace {

collector & collector_of(lucifer_context & context) {
    if (context.imatrix == nullptr) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the context was made without imatrix");
    }
    return *context.imatrix;
}

const std::pair<const std::string, collector::entry> & entry_of(lucifer_context & context, int32_t index) {
    auto & entries = collector_of(context).entries;
    if (index < 0 || (size_t) index >= entries.size()) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "entry %d of %zu", index, entries.size());
    }
    return *std::next(entries.begin(), index);
}

} // namespace

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_imatrix_count(struct lucifer_context * context, int32_t * n_entries) {
    return guard_object("lucifer_imatrix_count", context, [&] {
        require(n_entries, "n_entries");
        *n_entries = (int32_t) collector_of(*context).entries.size();
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_imatrix_entry(struct lucifer_context * context, int32_t index, char * name, int64_t cap, int64_t * len, int64_t * n_sums,
                              int64_t * n_counts) {
    return guard_object("lucifer_imatrix_entry", context, [&] {
        require(n_sums, "n_sums");
        require(n_counts, "n_counts");
        const auto & [key, e] = entry_of(*context, index);
        *n_sums   = (int64_t) e.sums.size();
        *n_counts = (int64_t) e.counts.size();
        return put_text(key, name, cap, len);
    });
}

int32_t lucifer_imatrix_read(struct lucifer_context * context, int32_t index, float * sums, int64_t n_sums, int64_t * counts,
                             int64_t n_counts) {
    return guard_object("lucifer_imatrix_read", context, [&] {
        require(sums, "sums");
        require(counts, "counts");
        const collector::entry & e = entry_of(*context, index).second;
        if (n_sums != (int64_t) e.sums.size() || n_counts != (int64_t) e.counts.size()) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "room for %lld sums and %lld counts, expected %zu and %zu", (long long) n_sums,
                 (long long) n_counts, e.sums.size(), e.counts.size());
        }
        std::copy(e.sums.begin(), e.sums.end(), sums);
        std::copy(e.counts.begin(), e.counts.end(), counts);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_imatrix_put(struct lucifer_context * context, const char * name, const float * sums, int64_t n_sums, const int64_t * counts,
                            int64_t n_counts) {
    return guard_object("lucifer_imatrix_put", context, [&] {
        require(name, "name");
        require(sums, "sums");
        require(counts, "counts");
        if (n_sums < 1 || n_counts < 1 || n_sums % n_counts != 0) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%lld sums and %lld counts", (long long) n_sums, (long long) n_counts);
        }
        collector_of(*context).entries[name] = {{sums, sums + n_sums}, {counts, counts + n_counts}};
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
