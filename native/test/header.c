/* The header is plain C: this file is compiled with every warning as an error, and links against the library. */
#include "lucifer_llama.h"

int main(void) {
    int32_t version = 0;
    return lucifer_abi_version(&version) == LUCIFER_STATUS_OK && version == LUCIFER_ABI_VERSION ? 0 : 1;
}
