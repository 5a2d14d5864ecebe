// For x86-64 with AVX-512.
#define GEMM_NAME    gemm_avx512
#define GEMM_LANES     16
#define GEMM_ROWS      12
#define GEMM_VECTORS   2
#include "gemm-kernel.h"
