// llama.cpp's own compute graph of one batch, recorded through the public eval callback, and copied into graphs that can be
// differentiated. So no architecture is written here a second time: what llama.cpp builds is what is trained.
//
// Recorded with the KV cache in F32 and flash attention off. The cache is cut out while copying: what would be stored
// (SET_ROWS into a cache tensor) is used directly where the cache would be read (VIEW of it), so K and V carry gradients.

#pragma once

#include "arithmetic.h"
#include "block-attention.h"

#include "ggml-backend.h"
#include "ggml-cpp.h"
#include "ggml.h"
#include "llama-cpp.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace lucifer {

// Tokens of one micro-batch: several sequences laid end to end. Row i: token, its position in its sequence, its sequence.
struct packed_batch {
    std::vector<int32_t> tokens;
    std::vector<int32_t> positions;
    std::vector<int32_t> sequences;  // -1: padding
    std::vector<int32_t> outputs;    // row numbers whose logits are computed, ascending, distinct
};

// Rows of a micro-batch, and how many of them are outputs.
struct batch_shape {
    int32_t rows;
    int32_t outputs;
};

// How the values of an attention mask follow from positions and sequences; found by comparing with llama.cpp's own mask.
enum class mask_rule { causal, window, chunked, alibi };

class trace {
  public:
    // Decodes one made-up batch.
    // adapter: its tensors become leaves of the graph. Throws std::runtime_error where the graph has an input or a
    // structure that cannot be rebuilt, naming it.
    // sample: of a few rows only, which is enough where is_scalable(); else of the largest batch's shape.
    trace(llama_model * model, llama_adapter_lora * adapter, batch_shape largest, bool sample, int32_t n_threads);

    // Whether the graph can be copied for another shape than the recorded one. The recorded numbers of rows and outputs are then
    // prime numbers of which no dimension of the model is a multiple, so that a size in the graph tells what it counts.
    bool    is_scalable() const { return scalable; }
    int64_t scaled(int64_t size, const batch_shape & to) const;

    // Part of the graph between two cuts; nodes [begin, end) of `nodes`.
    struct segment {
        size_t        begin;
        size_t        end;
        ggml_tensor * output;  // recorded; the only tensor of the segment that later segments read
    };

    const std::vector<segment> & segments() const { return parts; }   // one per layer, then the head
    const std::vector<ggml_tensor *> & recorded() const { return nodes; }

    const packed_batch &       batch() const { return probe; }
    const std::vector<float> & logits() const { return probe_logits; }  // [n_vocab, n_outputs] of the probe, by llama_decode

    void                       forget_logits() { probe_logits = {}; }

    batch_shape shape() const { return { rows, (int32_t) probe.outputs.size() }; }
    int32_t n_vocab() const { return vocab; }
    int64_t max_rows() const { return widest; }  // largest number of rows of a weight matrix

    // An input of the graph, as recorded; its content is a function of the batch.
    struct input {
        enum kind { tokens, positions, mask, output_rows } what;
        mask_rule rule;
    };
    const std::unordered_map<ggml_tensor *, input> & inputs() const { return leaves; }

    // Bytes of an input, of which `own` is a copy with its own shape.
    std::vector<uint8_t> content(const ggml_tensor * recorded_leaf, const ggml_tensor * own, const packed_batch & batch) const;

    // Whether a row of this tensor holds a value for each of the KV cache's cells, of which only the batch's rows are used,
    // and can be made without the others. Attention masks, scores and probabilities are of this kind.
    bool narrows() const { return !cell_rows.empty(); }
    bool spans_cache(const ggml_tensor * recorded) const { return cell_rows.count(recorded) != 0; }

    // Nodes that make up softmax(scale * q k^T + mask) v and are read by nothing else, by the one that is its result.
    struct attention {
        const ggml_tensor * scores;         // MUL_MAT of keys and queries
        const ggml_tensor * probabilities;  // SOFT_MAX of scores and the mask
    };
    const std::unordered_map<const ggml_tensor *, attention> & attentions() const { return blocks; }
    bool within_attention(const ggml_tensor * recorded) const { return inner.count(recorded) != 0; }

    // What a recorded VIEW of the KV cache reads: the tensor that this batch stored there; nullptr for any other tensor.
    ggml_tensor * stored_for(const ggml_tensor * view) const;

  private:
    llama_model *     model;
    llama_context_ptr context;  // owns the recorded tensors, until they are copied
    ggml_context_ptr  copies;   // metadata of these
    int32_t           rows;
    int32_t           n_ctx;
    int32_t           vocab;
    bool              scalable = false;
    int64_t           widest = 1;
    int32_t           n_swa;

    packed_batch       probe;
    std::vector<float> probe_logits;

    std::vector<ggml_tensor *>                             nodes;
    std::vector<segment>                                   parts;
    std::unordered_map<ggml_tensor *, input>               leaves;
    std::unordered_map<const ggml_tensor *, ggml_tensor *> stored;  // cache tensor -> what SET_ROWS puts into it
    std::unordered_set<const ggml_tensor *>                cell_rows;
    std::unordered_map<const ggml_tensor *, attention>     blocks;
    std::unordered_set<const ggml_tensor *>                inner;  // scores and probabilities of these

    struct recorder;
    bool          knows_rules(int32_t largest) const;
    void          make_probe(int32_t n_outputs);
    void          decode(recorder & rec, llama_adapter_lora * adapter, int32_t n_threads);
    void          classify(const recorder & rec);
    mask_rule     find_rule(const ggml_tensor * mask, const std::vector<uint8_t> & data) const;
    std::vector<float> mask_values(int64_t n_kv, mask_rule rule, const packed_batch & batch) const;
    void          keep_reachable(const recorder & rec);
    bool          detach();
    bool          has_distinct_sizes() const;
    void          find_cell_rows();
    void          find_attentions();
    void          cut();
};

// Copies recorded nodes into a ggml context. Weights and adapter tensors are used in place; inputs and cut tensors are
// replaced by the caller's own leaves.
class cloner {
  public:
    // shape: the recorded one, unless the trace is scalable.
    cloner(const trace & source, ggml_context * ctx, ggml_tensor * rows, arithmetic kind, batch_shape shape);

    // A leaf for an input.
    ggml_tensor * clone_input(ggml_tensor * recorded);

    // A new tensor like a recorded one, and a view of as much of a larger one.
    ggml_tensor * new_like(const ggml_tensor * recorded) const;
    ggml_tensor * part_like(const ggml_tensor * recorded, ggml_tensor * larger) const;

    void           replace(ggml_tensor * recorded, ggml_tensor * own) { copies[recorded] = own; }
    ggml_tensor *  copy_of(ggml_tensor * recorded) const;
    void           clone(const trace::segment & part);

    // Clones the head for n_rows rows instead of the shape's outputs: all its operations work row by row.
    void           clone_head(const trace::segment & part, int64_t n_rows);

    // How attentions that the trace found are cloned: as they were recorded; by one operation that keeps no scores and has no gradient,
    // for a device that supports_flash_attention(); in blocks, for one that supports_block_attention().
    enum class attention_form { recorded, flash, blocks };
    void           use_attention(attention_form form) { attention = form; }
    const std::deque<block_attention> & blocks() const { return attention_blocks; }

    // Puts a new own tensor into the order of nodes() before another.
    void insert_before(ggml_tensor * own, ggml_tensor * added) { made.insert(std::find(made.begin(), made.end(), own), added); }

    // Own tensors of everything cloned so far, in topological order.
    const std::vector<ggml_tensor *> & nodes() const { return made; }

    // F32 expression -> the frozen weight that it stands for (not with native arithmetic).
    const std::unordered_map<ggml_tensor *, ggml_tensor *> & dequantized() const { return expressions; }

  private:
    const trace &  source;
    ggml_context * ctx;
    ggml_tensor *  rows;
    arithmetic     kind;
    batch_shape    shape;
    attention_form attention = attention_form::recorded;

    int64_t scaled(int64_t size) const { return source.scaled(size, shape); }
    bool    fuses_attention() const { return attention != attention_form::recorded || kind == arithmetic::packed; }

    std::unordered_map<ggml_tensor *, ggml_tensor *> copies;
    std::unordered_map<ggml_tensor *, ggml_tensor *> expressions;
    std::vector<ggml_tensor *>                       made;
    std::deque<block_attention>                      attention_blocks;

    ggml_tensor * operand(ggml_tensor * recorded);
    ggml_tensor * weight_operand(ggml_tensor * recorded);
    ggml_tensor * clone_node(ggml_tensor * t);
    ggml_tensor * narrowed(const ggml_tensor * recorded, ggml_tensor * own) const;
    ggml_tensor * clone_view(ggml_tensor * t);
    ggml_tensor * clone_cache_read(ggml_tensor * t);
    ggml_tensor * clone_product(ggml_tensor * t);
    ggml_tensor * clone_attention(ggml_tensor * t);
    ggml_tensor * make_attention(ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, ggml_tensor * mask, float scale);
    ggml_tensor * clone_adapter_scale(ggml_tensor * t);
    ggml_tensor * clone_cont(ggml_tensor * t);
    ggml_tensor * clone_exact_gelu(ggml_tensor * t);
    ggml_tensor * exact_gelu(ggml_tensor * x, bool quick);
    ggml_tensor * keep(ggml_tensor * own);
    std::unordered_set<const ggml_tensor *> direct;  // recorded tensors whose copy has other strides
};

bool is_adapter_tensor(const ggml_tensor * t);  // by its name: *.lora_a, *.lora_b

}  // namespace lucifer
