// Copies of recorded nodes: see class cloner.

#include "attention.h"
#include "autograd.h"
#include "flash-attention.h"
#include "guard.h"
#include "product.h"
#include "trace.h"

#include <cstring>
#include <stdexcept>

namespace lucifer {

// Of a micro-batch, from which on a device multiplies faster by BF16, after unpacking a quantized weight, than by its own type.
static const int32_t ROWS_TO_UNPACK = 1024;

// Of a block of attention on a device: as few as keep its products large.
static const int64_t ATTENTION_ROWS = 512;

static status_error unsupported(const std::string & message) { return { LUCIFER_STATUS_UNSUPPORTED, message }; }

cloner::cloner(const trace & source, ggml_context * ctx, ggml_tensor * rows, arithmetic kind, batch_shape shape)
    : source(source), ctx(ctx), rows(rows), kind(kind), shape(shape) {}

ggml_tensor * cloner::new_like(const ggml_tensor * t) const {
    return ggml_new_tensor_4d(ctx, t->type, scaled(t->ne[0]), scaled(t->ne[1]), scaled(t->ne[2]), scaled(t->ne[3]));
}

ggml_tensor * cloner::part_like(const ggml_tensor * t, ggml_tensor * larger) const {
    const ggml_tensor * l = larger;
    return ggml_view_4d(ctx, larger, scaled(t->ne[0]), scaled(t->ne[1]), scaled(t->ne[2]), scaled(t->ne[3]), l->nb[1], l->nb[2], l->nb[3], 0);
}

ggml_tensor * cloner::copy_of(ggml_tensor * recorded) const {
    const auto it = copies.find(recorded);
    return it == copies.end() ? nullptr : it->second;
}

void cloner::clone(const trace::segment & part) {
    for (size_t i = part.begin; i < part.end; ++i) {
        ggml_tensor * t = source.recorded()[i];
        const bool left_out = fuses_attention() && source.within_attention(t);
        if (copies.count(t) == 0 && !left_out) {
            copies[t] = clone_node(t);
        }
    }
}

void cloner::clone_head(const trace::segment & part, int64_t n_rows) {
    const size_t first = made.size();
    clone(part);
    for (size_t i = first; i < made.size(); ++i) {
        ggml_tensor * t = made[i];
        if (expressions.count(t) != 0) {
            continue;
        }
        if (t->ne[1] != shape.outputs || !ggml_is_contiguous(t) || t->ne[2]*t->ne[3] != 1) {
            throw unsupported(std::string("the output layer does not work row by row: ") + ggml_op_desc(t) + " " + t->name);
        }
        t->ne[1] = n_rows;
        t->nb[2] = t->nb[1]*n_rows;
        t->nb[3] = t->nb[2];
    }
}

// Leaves that are not inputs (weights, adapter tensors, constants of the model) are used where they are.
ggml_tensor * cloner::operand(ggml_tensor * recorded) {
    const auto it = copies.find(recorded);
    if (it != copies.end()) {
        return it->second;
    }
    if (recorded->op != GGML_OP_NONE) {
        throw std::logic_error(std::string("tensor used before it was made: ") + recorded->name);
    }
    return recorded;
}

ggml_tensor * cloner::weight_operand(ggml_tensor * recorded) {
    ggml_tensor * w = operand(recorded);
    if (kind == arithmetic::native || w->op != GGML_OP_NONE || w->type == GGML_TYPE_F32 || is_adapter_tensor(w)) {
        return w;
    }
    if (kind == arithmetic::mixed && !(ggml_is_quantized(w->type) && ggml_n_dims(w) <= 2 && shape.rows >= ROWS_TO_UNPACK)) {
        return w;
    }
    ggml_tensor * unpacked = autograd(ctx, rows, kind).for_product(w);
    expressions[unpacked] = w;
    keep(unpacked);
    return unpacked;
}

ggml_tensor * cloner::clone_node(ggml_tensor * t) {
    if (source.stored_for(t) != nullptr) {
        return clone_cache_read(t);
    }
    if (t->view_src != nullptr) {
        return clone_view(t);
    }
    if (kind != arithmetic::native && kind != arithmetic::mixed) {
        if (ggml_tensor * gelu = clone_exact_gelu(t)) {
            return gelu;
        }
    }
    if (fuses_attention() && source.attentions().count(t) != 0) {
        return clone_attention(t);
    }
    if (kind == arithmetic::packed) {
        if (ggml_tensor * product = clone_product(t)) {
            return product;
        }
    }
    if (kind == arithmetic::mixed) {
        if (ggml_tensor * product = clone_adapter_scale(t)) {
            return product;
        }
    }
    if (t->op == GGML_OP_CONT && (kind == arithmetic::packed || kind == arithmetic::mixed)) {
        return clone_cont(t);
    }
    const bool    matmul = t->op == GGML_OP_MUL_MAT || t->op == GGML_OP_MUL_MAT_ID;
    ggml_tensor * own    = new_like(t);
    own->op = t->op;
    std::memcpy(own->op_params, t->op_params, sizeof(t->op_params));
    for (int j = 0; j < GGML_MAX_SRC; ++j) {
        if (t->src[j] != nullptr) {
            own->src[j] = matmul && j == 0 ? weight_operand(t->src[j]) : operand(t->src[j]);
        }
    }
    if (kind == arithmetic::mixed && t->op == GGML_OP_MUL_MAT && own->src[0]->type == GGML_TYPE_F16) {
        ggml_prec_set_acc(own, GGML_PREC_F32);  // CUDA would sum in F16
    }
    ggml_set_name(own, t->name);
    return keep(narrowed(t, own));
}

// own without the cache's empty cells, where it is a copy of a tensor that has a value for each.
ggml_tensor * cloner::narrowed(const ggml_tensor * recorded, ggml_tensor * own) const {
    if (kind == arithmetic::packed && source.spans_cache(recorded)) {
        own->ne[0] = shape.rows;
        for (int i = 1; i < GGML_MAX_DIMS; ++i) {
            own->nb[i] = own->nb[i - 1]*own->ne[i - 1];
        }
    }
    return own;
}

ggml_tensor * cloner::clone_input(ggml_tensor * recorded) {
    ggml_tensor * own = new_like(recorded);
    ggml_set_name(own, recorded->name);
    ggml_set_input(own);
    return copies[recorded] = narrowed(recorded, own);
}

ggml_tensor * cloner::keep(ggml_tensor * own) {
    made.push_back(own);
    return own;
}

// t as a product by gemm() if it is one, or if it adds an adapter's part to one: W x + scale * B (A x). Else nullptr.
ggml_tensor * cloner::clone_product(ggml_tensor * t) {
    ggml_tensor * own = nullptr;
    if (t->op == GGML_OP_MUL_MAT) {
        own = narrowed(t, new_product(ctx, product::forward, new_like(t), { operand(t->src[0]), operand(t->src[1]), 1.0f }));
    } else if (t->op == GGML_OP_ADD) {
        ggml_tensor * base = operand(t->src[0]);
        ggml_tensor * part = operand(t->src[1]);
        float factor[2];  // of SCALE: factor and addend
        std::memcpy(factor, part->op_params, sizeof(factor));
        if (product_form(base) != product::forward || part->op != GGML_OP_SCALE || factor[1] != 0.0f ||
            product_form(part->src[0]) != product::forward || !ggml_are_same_shape(base, part)) {
            return nullptr;
        }
        own = copy_product(ctx, base);
        if (!merge_products(own, part->src[0], factor[0])) {
            return nullptr;
        }
    } else {
        return nullptr;
    }
    ggml_set_name(own, t->name);
    return keep(own);
}

// scale * (B x) of an adapter's B as B (scale * x), whose rows are as short as the rank; nullptr for anything else.
ggml_tensor * cloner::clone_adapter_scale(ggml_tensor * t) {
    ggml_tensor * product = t->op == GGML_OP_SCALE ? t->src[0] : nullptr;
    if (product == nullptr || product->op != GGML_OP_MUL_MAT || !is_adapter_tensor(product->src[0])) {
        return nullptr;
    }
    float factor[2];  // and addend
    std::memcpy(factor, t->op_params, sizeof(factor));
    if (factor[1] != 0.0f) {
        return nullptr;
    }
    ggml_tensor * x   = keep(ggml_scale(ctx, operand(product->src[1]), factor[0]));
    ggml_tensor * own = keep(ggml_mul_mat(ctx, operand(product->src[0]), x));
    ggml_set_name(own, t->name);
    return own;
}

ggml_tensor * cloner::clone_cont(ggml_tensor * t) {
    ggml_tensor * x = operand(t->src[0]);
    if (!ggml_is_contiguous(x)) {
        x = keep(kind == arithmetic::mixed ? gathered(ctx, x) : ggml_cont(ctx, x)); // the CPU's kernel of REPEAT has one thread
    }
    return keep(ggml_reshape(ctx, x, new_like(t)));
}

ggml_tensor * cloner::clone_attention(ggml_tensor * t) {
    const trace::attention & part  = source.attentions().at(t);
    const ggml_tensor *      probs = part.probabilities;
    float scale;
    std::memcpy(&scale, probs->op_params, sizeof(scale));
    ggml_tensor * own = keep(make_attention(operand(part.scores->src[1]), operand(part.scores->src[0]), operand(t->src[0]),
                                            operand(probs->src[1]), scale));
    ggml_set_name(own, t->name);
    direct.insert(t);
    return keep(ggml_permute(ctx, own, 0, 2, 1, 3));
}

// [d_v, heads, n]
ggml_tensor * cloner::make_attention(ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, ggml_tensor * mask, float scale) {
    switch (attention) {
        case attention_form::flash:  return new_flash_attention(ctx, q, k, v, mask, scale);
        case attention_form::blocks: return attention_blocks.emplace_back(ctx, q, k, v, mask, scale, ATTENTION_ROWS).result();
        default:                     return new_attention(ctx, q, k, v, mask, scale);
    }
}

// t as plain operations if it is a GELU or a GELU-gated unit, else nullptr.
ggml_tensor * cloner::clone_exact_gelu(ggml_tensor * t) {
    const bool is_unary = t->op == GGML_OP_UNARY;
    const bool is_glu   = t->op == GGML_OP_GLU;
    const bool quick    = (is_unary && ggml_get_unary_op(t) == GGML_UNARY_OP_GELU_QUICK) || (is_glu && ggml_get_glu_op(t) == GGML_GLU_OP_GEGLU_QUICK);
    const bool gelu     = (is_unary && ggml_get_unary_op(t) == GGML_UNARY_OP_GELU) || (is_glu && ggml_get_glu_op(t) == GGML_GLU_OP_GEGLU);
    if (!quick && !gelu) {
        return nullptr;
    }
    ggml_tensor * x = operand(t->src[0]);
    ggml_tensor * up = nullptr;
    if (is_glu && t->src[1] != nullptr) {
        up = operand(t->src[1]);
    } else if (is_glu) {  // gate and up are the halves of x; op_params[1]: the second is the gate
        const int64_t n    = x->ne[0]/2;
        const auto    half = [&](int i) {
            ggml_tensor * view = keep(ggml_view_4d(ctx, x, n, x->ne[1], x->ne[2], x->ne[3], x->nb[1], x->nb[2], x->nb[3], i*n*x->nb[0]));
            return keep(ggml_cont(ctx, view));
        };
        const bool swapped = t->op_params[1] != 0;
        up = half(swapped ? 0 : 1);
        x  = half(swapped ? 1 : 0);
    }
    ggml_tensor * y = exact_gelu(x, quick);
    if (up != nullptr) {
        y = keep(ggml_mul(ctx, y, up));
    }
    ggml_set_name(y, t->name);
    return y;
}

// 0.5*x*(1 + tanh(k*x*(1 + q*x^2))), quick: x*sigmoid(1.702*x)
ggml_tensor * cloner::exact_gelu(ggml_tensor * x, bool quick) {
    const float k = 0.79788456080286535588f;
    const float q = 0.044715f;
    if (!ggml_is_contiguous(x)) {
        x = keep(ggml_cont(ctx, x));
    }
    if (quick) {
        return keep(ggml_mul(ctx, x, keep(ggml_sigmoid(ctx, keep(ggml_scale(ctx, x, 1.702f))))));
    }
    ggml_tensor * factor = keep(ggml_scale_bias(ctx, keep(ggml_sqr(ctx, x)), k*q, k));
    ggml_tensor * t      = keep(ggml_tanh(ctx, keep(ggml_mul(ctx, x, factor))));
    return keep(ggml_mul(ctx, x, keep(ggml_scale_bias(ctx, t, 0.5f, 0.5f))));
}

ggml_tensor * cloner::clone_view(ggml_tensor * t) {
    ggml_tensor * src = operand(t->src[0]);
    if (direct.count(t->src[0]) != 0 && t->op == GGML_OP_PERMUTE) {
        const int32_t * p = t->op_params;
        ggml_tensor *   own = ggml_permute(ctx, src, p[0], p[1], p[2], p[3]);
        ggml_set_name(own, t->name);
        keep(own);
        return own;
    }
    const size_t src_offs = t->src[0]->view_src != nullptr ? t->src[0]->view_offs : 0;
    ggml_tensor * own = ggml_view_tensor(ctx, src);
    own->view_offs = (src->view_src != nullptr ? src->view_offs : 0) + scaled(t->view_offs) - scaled(src_offs);
    for (int i = 0; i < GGML_MAX_DIMS; ++i) {
        own->ne[i] = scaled(t->ne[i]);
        own->nb[i] = scaled(t->nb[i]);
    }
    if (own->view_src->data != nullptr) {
        own->data = static_cast<char *>(own->view_src->data) + own->view_offs;
    }
    own->op = t->op;
    own->src[0] = src;
    std::memcpy(own->op_params, t->op_params, sizeof(t->op_params));
    ggml_set_name(own, t->name);
    keep(own);
    return own;
}

// K is read as [n_embd_head, n_head_kv, n_kv], V transposed as [n_kv, n_head_kv, n_embd_head]. The cache's cells behind the
// batch's rows, where they are not left out, read as zeros, which the mask hides.
ggml_tensor * cloner::clone_cache_read(ggml_tensor * t) {
    ggml_tensor * cur = operand(source.stored_for(t));
    if (!ggml_is_contiguous(cur)) {
        cur = keep(ggml_cont(ctx, cur));
    }
    const bool    is_transposed = t->nb[1] > t->nb[2];
    const int64_t n_embd_head   = is_transposed ? t->ne[2] : t->ne[0];
    const int64_t n_kv          = is_transposed ? t->ne[0] : t->ne[2];
    const int64_t n_tokens      = shape.rows;

    ggml_tensor * own = keep(ggml_reshape_3d(ctx, cur, n_embd_head, t->ne[1], n_tokens));
    if (n_kv > n_tokens && !(kind == arithmetic::packed && source.narrows())) {
        own = keep(ggml_pad(ctx, own, 0, 0, (int) (n_kv - n_tokens), 0));
    }
    if (is_transposed) {
        own = keep(ggml_permute(ctx, own, 2, 1, 0, 3));
        own = kind == arithmetic::packed ? own : keep(ggml_cont(ctx, own));
    }
    ggml_set_name(own, t->name);
    direct.insert(t);
    return own;
}

}  // namespace lucifer
