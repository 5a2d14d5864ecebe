#include "gemm.h"

namespace lucifer {

const gemm_kernel & gemm_best() {
#if defined(LUCIFER_X86_KERNELS)
    static const gemm_kernel & best = __builtin_cpu_supports("avx512f") ? gemm_avx512
                                      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? gemm_avx2 : gemm_base;
    return best;
#else
    return gemm_base;
#endif
}

}  // namespace lucifer
