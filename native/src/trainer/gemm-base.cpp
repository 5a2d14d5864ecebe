// For every CPU: vectors of four floats (SSE2, NEON).
#define GEMM_NAME    gemm_base
#define GEMM_LANES     4
#define GEMM_ROWS      6
#define GEMM_VECTORS   2
#include "gemm-kernel.h"
