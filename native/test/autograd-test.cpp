// Every gradient rule against central differences of the forward pass that it differentiates.

#include "trainer/attention.h"
#include "trainer/autograd.h"
#include "trainer/block-attention.h"

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpp.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace lucifer;

using tensors = std::vector<ggml_tensor *>;

static std::vector<std::unique_ptr<block_attention>> made_parts;  // by the function that was built last

// A function of F32 leaves, all of which want a gradient. Values lie between lo and hi.
struct rule {
    const char *                                              name;
    std::vector<std::vector<int64_t>>                         shapes;  // ne of each leaf
    std::function<ggml_tensor *(ggml_context *, const tensors &)> build;
    float lo = -2.0f;
    float hi = 2.0f;
};

// The graph of sum(weights * f(leaves)) and of its gradients.
class check {
public:
    check(const rule & r, arithmetic kind, bool fused) : rule_(r), ctx(ggml_init({16u << 20, nullptr, true})), backend(ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr)) {
        one_thread();
        for (const auto & ne : r.shapes) {
            leaves.push_back(leaf(ggml_new_tensor(ctx.get(), GGML_TYPE_F32, (int) ne.size(), ne.data())));
        }
        ggml_tensor * y = r.build(ctx.get(), leaves);
        weights = leaf(ggml_dup_tensor(ctx.get(), y));
        loss    = ggml_sum(ctx.get(), ggml_mul(ctx.get(), ggml_cont(ctx.get(), y), weights));
        parts   = std::move(made_parts);
        graph   = ggml_new_graph_custom(ctx.get(), 1024, false);
        ggml_build_forward_expand(graph, y);
        tensors nodes;
        for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
            nodes.push_back(ggml_graph_node(graph, i));
            if (fused) {
                ggml_set_output(nodes.back());  // the CPU's kernels must not write over what they read
            }
        }
        ggml_build_forward_expand(graph, loss);
        autograd back(ctx.get(), nullptr, kind);
        back.fuse(fused);
        for (const auto & part : parts) {
            back.know(*part);
        }
        for (ggml_tensor * t : leaves) {
            back.want(t);
        }
        back.seed(y, weights);
        back.run(nodes);
        for (ggml_tensor * t : leaves) {
            gradients.push_back(back.gradient(t));
            if (gradients.back() != nullptr) {
                ggml_set_output(gradients.back());
                ggml_build_forward_expand(graph, gradients.back());
            }
        }
        ggml_set_output(loss);
        galloc.reset(ggml_gallocr_new(ggml_backend_get_default_buffer_type(backend.get())));
        ggml_gallocr_alloc_graph(galloc.get(), graph);
    }

    // Worst difference of a gradient from the central difference, as a share of the largest gradient of its tensor.
    double worst() {
        std::mt19937 random(7);
        for (ggml_tensor * t : leaves) {
            values.push_back(fill(t, random, rule_.lo, rule_.hi));
        }
        const std::vector<float> w = fill(weights, random, -1.0f, 1.0f);
        compute(w);
        std::vector<std::vector<float>> analytic;
        for (size_t k = 0; k < leaves.size(); k++) {
            analytic.emplace_back(values[k].size(), 0.0f);
            if (gradients[k] != nullptr) {
                ggml_backend_tensor_get(gradients[k], analytic[k].data(), 0, ggml_nbytes(leaves[k]));
            }
        }
        double result = 0;
        for (size_t k = 0; k < leaves.size(); k++) {
            double largest = 1e-3;
            double off     = 0;
            for (size_t i = 0; i < values[k].size(); i++) {
                largest = std::fmax(largest, std::fabs(analytic[k][i]));
                off     = std::fmax(off, std::fabs(difference(k, i, w) - analytic[k][i]));
            }
            result = std::fmax(result, off/largest);
        }
        return result;
    }

private:
    const rule &        rule_;
    ggml_context_ptr    ctx;
    ggml_backend_ptr    backend;
    ggml_gallocr_ptr    galloc;
    ggml_cgraph *       graph;
    ggml_tensor *       weights;
    ggml_tensor *       loss;
    tensors             leaves;
    tensors             gradients;
    std::vector<std::unique_ptr<block_attention>> parts;
    std::vector<std::vector<float>> values;

    // Thousands of tiny graphs: several threads would mostly wait for each other.
    void one_thread() {
        ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(ggml_backend_get_device(backend.get()));
        auto set = (ggml_backend_set_n_threads_t) ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads");
        set(backend.get(), 1);
    }

    static ggml_tensor * leaf(ggml_tensor * t) {
        ggml_set_input(t);
        ggml_set_output(t);  // its memory is not given to another tensor
        return t;
    }

    static std::vector<float> fill(ggml_tensor * t, std::mt19937 & random, float lo, float hi) {
        std::uniform_real_distribution<float> uniform(lo, hi);
        std::vector<float> v(ggml_nelements(t));
        for (float & x : v) {
            x = uniform(random);
        }
        return v;
    }

    double compute(const std::vector<float> & w) {
        ggml_backend_tensor_set(weights, w.data(), 0, ggml_nbytes(weights));
        for (size_t k = 0; k < leaves.size(); k++) {
            ggml_backend_tensor_set(leaves[k], values[k].data(), 0, ggml_nbytes(leaves[k]));
        }
        ggml_backend_graph_compute(backend.get(), graph);
        float v;
        ggml_backend_tensor_get(loss, &v, 0, sizeof(v));
        return v;
    }

    double difference(size_t k, size_t i, const std::vector<float> & w) {
        const float step  = 1e-2f;
        const float value = values[k][i];
        values[k][i] = value + step;
        const double above = compute(w);
        values[k][i] = value - step;
        const double below = compute(w);
        values[k][i] = value;
        return (above - below)/(2.0*step);
    }
};

static ggml_tensor * rotate(ggml_context * c, ggml_tensor * x) {
    ggml_tensor * pos = ggml_cast(c, ggml_arange(c, 0.0f, (float) x->ne[2], 1.0f), GGML_TYPE_I32);
    return ggml_rope_ext(c, x, pos, nullptr, (int) x->ne[0], GGML_ROPE_TYPE_NEOX, 0, 10000.0f, 1.0f, 0.0f, 1.0f, 32.0f, 1.0f);
}

static ggml_tensor * multiply(ggml_context * c, ggml_tensor * a, ggml_tensor * b, float scale) {
    const int64_t ne[4] = {a->ne[1], b->ne[1], b->ne[2], b->ne[3]};
    return new_product(c, product::forward, ggml_new_tensor(c, GGML_TYPE_F32, 4, ne), {a, b, scale});
}

static ggml_tensor * causal_mask(ggml_context * c, int64_t n) {
    return ggml_diag_mask_inf(c, ggml_fill(c, ggml_new_tensor_2d(c, GGML_TYPE_F32, n, n), 0.0f), 0);
}

// Causal. 19 rows are more than a block of them where twelve heads share keys.
static ggml_tensor * attend(ggml_context * c, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v) {
    return new_attention(c, ggml_permute(c, q, 0, 2, 1, 3), ggml_permute(c, k, 0, 2, 1, 3), ggml_permute(c, v, 1, 2, 0, 3),
                         causal_mask(c, q->ne[2]), 0.5f);
}

// The same of a device, two rows in a block.
static ggml_tensor * attend_in_blocks(ggml_context * c, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v) {
    made_parts.push_back(std::make_unique<block_attention>(c, ggml_permute(c, q, 0, 2, 1, 3), ggml_permute(c, k, 0, 2, 1, 3),
                                                           ggml_cont(c, ggml_permute(c, v, 1, 2, 0, 3)), causal_mask(c, q->ne[2]), 0.5f, 2));
    return made_parts.back()->result();
}

static std::vector<rule> rules() {
    using C = ggml_context;
    const std::vector<int64_t> m = {6, 5};
    std::vector<rule> all = {
        {"ADD",              {m, {6, 1}}, [](C * c, const tensors & t) { return ggml_add(c, t[0], t[1]); }},
        {"SUB",              {m, {6, 1}}, [](C * c, const tensors & t) { return ggml_sub(c, t[0], t[1]); }},
        {"MUL",              {m, {6, 1}}, [](C * c, const tensors & t) { return ggml_mul(c, t[0], t[1]); }},
        {"DIV",              {m, {6, 1}}, [](C * c, const tensors & t) { return ggml_div(c, t[0], t[1]); }, 1.0f, 2.0f},
        {"SQR",              {m},         [](C * c, const tensors & t) { return ggml_sqr(c, t[0]); }},
        {"SQRT",             {m},         [](C * c, const tensors & t) { return ggml_sqrt(c, t[0]); }, 1.0f, 3.0f},
        {"SCALE",            {m},         [](C * c, const tensors & t) { return ggml_scale(c, t[0], 0.7f); }},
        {"SUM_ROWS",         {m},         [](C * c, const tensors & t) { return ggml_sum_rows(c, t[0]); }},
        {"REPEAT",           {{6, 1}},    [](C * c, const tensors & t) { return ggml_repeat_4d(c, t[0], 6, 5, 1, 1); }},
        {"CONCAT",           {m, m},      [](C * c, const tensors & t) { return ggml_concat(c, t[0], t[1], 0); }},
        {"PAD",              {m},         [](C * c, const tensors & t) { return ggml_pad(c, t[0], 0, 3, 0, 0); }},
        {"CLAMP",            {m},         [](C * c, const tensors & t) { return ggml_clamp(c, ggml_scale(c, t[0], 1.0f), -5.0f, 5.0f); }},
        {"TRANSPOSE, CONT",  {m},         [](C * c, const tensors & t) { return ggml_cont(c, ggml_transpose(c, t[0])); }},
        {"PERMUTE, CONT",    {{4, 3, 2}}, [](C * c, const tensors & t) { return ggml_cont(c, ggml_permute(c, t[0], 2, 0, 1, 3)); }},
        {"VIEW of a node",   {m},         [](C * c, const tensors & t) {
             ggml_tensor * y = ggml_sqr(c, t[0]);
             return ggml_cont(c, ggml_view_2d(c, y, 3, 5, y->nb[1], 2*y->nb[0]));
         }},
        {"MUL_MAT",          {{6, 5}, {6, 4}},       [](C * c, const tensors & t) { return ggml_mul_mat(c, t[0], t[1]); }},
        {"MUL_MAT, grouped", {{6, 5, 2}, {6, 4, 4}}, [](C * c, const tensors & t) { return ggml_mul_mat(c, ggml_scale(c, t[0], 1.0f), t[1]); }},
        {"product",          {{6, 5}, {6, 4}},       [](C * c, const tensors & t) { return multiply(c, t[0], t[1], 0.5f); }},
        {"product, grouped", {{6, 5, 2}, {6, 4, 4}}, [](C * c, const tensors & t) { return multiply(c, t[0], t[1], 1.0f); }},
        {"product, permuted", {{6, 2, 5}, {4, 2, 6}}, [](C * c, const tensors & t) {
             return multiply(c, ggml_permute(c, t[0], 0, 2, 1, 3), ggml_permute(c, t[1], 1, 2, 0, 3), 1.0f);
         }},
        {"products, sum of", {{6, 5}, {6, 4}, {6, 5}}, [](C * c, const tensors & t) {
             ggml_tensor * y = multiply(c, t[0], t[1], 1.0f);
             return merge_products(y, multiply(c, t[2], t[1], 0.5f), 2.0f) ? y : nullptr;
         }},
        {"attention",        {{4, 4, 5}, {4, 2, 5}, {3, 2, 5}}, [](C * c, const tensors & t) { return attend(c, t[0], t[1], t[2]); }},
        {"attention, blocks", {{4, 12, 19}, {4, 1, 19}, {3, 1, 19}}, [](C * c, const tensors & t) { return attend(c, t[0], t[1], t[2]); }},
        {"attention, device", {{4, 4, 5}, {4, 2, 5}, {3, 2, 5}}, [](C * c, const tensors & t) { return attend_in_blocks(c, t[0], t[1], t[2]); }},
        {"RMS_NORM",         {m},         [](C * c, const tensors & t) { return ggml_rms_norm(c, t[0], 1e-5f); }},
        {"NORM",             {m},         [](C * c, const tensors & t) { return ggml_norm(c, t[0], 1e-5f); }},
        {"SOFT_MAX",         {m},         [](C * c, const tensors & t) { return ggml_soft_max_ext(c, t[0], nullptr, 0.5f, 0.0f); }},
        {"ROPE",             {{8, 2, 5}}, [](C * c, const tensors & t) { return rotate(c, t[0]); }},
        {"GET_ROWS",         {m},         [](C * c, const tensors & t) {
             return ggml_get_rows(c, ggml_sqr(c, t[0]), ggml_cast(c, ggml_arange(c, 1.0f, 4.0f, 1.0f), GGML_TYPE_I32));
         }},
    };
    for (ggml_unary_op op : {GGML_UNARY_OP_NEG, GGML_UNARY_OP_TANH, GGML_UNARY_OP_SIGMOID, GGML_UNARY_OP_EXP, GGML_UNARY_OP_SILU,
                             GGML_UNARY_OP_GELU_ERF, GGML_UNARY_OP_SOFTPLUS}) {
        all.push_back({ggml_unary_op_name(op), {m}, [op](C * c, const tensors & t) { return ggml_unary(c, t[0], op); }});
    }
    all.push_back({"RELU", {m}, [](C * c, const tensors & t) { return ggml_relu(c, t[0]); }, 0.5f, 2.0f});
    for (ggml_glu_op op : {GGML_GLU_OP_SWIGLU, GGML_GLU_OP_GEGLU_ERF}) {
        all.push_back({"GLU of two", {m, m}, [op](C * c, const tensors & t) { return ggml_glu_split(c, t[0], t[1], op); }});
        all.push_back({"GLU of one", {m}, [op](C * c, const tensors & t) { return ggml_glu(c, t[0], op, false); }});
        all.push_back({"GLU of one, swapped", {m}, [op](C * c, const tensors & t) { return ggml_glu(c, t[0], op, true); }});
    }
    return all;
}

int main() {
    ggml_backend_load_all_from_path(LUCIFER_LIB_DIR);
    int failed = 0;
    for (const rule & r : rules()) {
        const double off = std::max({ check(r, arithmetic::exact, false).worst(), check(r, arithmetic::packed, false).worst(), check(r, arithmetic::mixed, true).worst() });
        std::printf("%-20s %.1e\n", r.name, off);
        failed += !(off < 1e-2);  // float differences with a step of 1e-2: about 1e-3 for these functions
    }
    return failed == 0 ? 0 : 1;
}
