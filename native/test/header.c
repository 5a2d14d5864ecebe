/* The header is plain C: this file is compiled with every warning as an error, and links against the library. */
#include "lucifer_llama.h"

int main(void) {
    return lucifer_abi_version() == LUCIFER_ABI_VERSION ? 0 : 1;
}
