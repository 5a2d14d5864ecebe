// For x86-64 with AVX2 and FMA.
#define GEMM_NAME    gemm_avx2
#define GEMM_LANES     8
#define GEMM_ROWS      6
#define GEMM_VECTORS   2
#include "gemm-kernel.h"
