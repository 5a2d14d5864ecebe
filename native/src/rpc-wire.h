#pragma once

#include <cstddef>
#include <cstdint>

// Exported by ggml-rpc's library, where rpc-wire.cpp is in it.
//
// Why the connection to a server has failed, the last one if there is none now: its length, 0 when it has not. At most cap bytes are
// copied. Address and port are in network byte order.
extern "C" __attribute__((visibility("default"))) size_t lucifer_rpc_fault(uint32_t ip, uint16_t port, char * buf, size_t cap);
