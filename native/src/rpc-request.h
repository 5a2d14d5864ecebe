#pragma once

// Requests of ggml-rpc's protocol, as far as the replies to them depend on it.
//
//   request  command uint8, size uint64, body
//   reply    size uint64, body; to some commands only

#include "ggml-rpc.h"
#include "ggml.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace lucifer {

// Of ggml-rpc.cpp. Those that are not named here have no reply.
enum rpc_command : uint8_t {
    alloc_buffer      = 0,
    get_alignment     = 1,
    get_max_size      = 2,
    buffer_get_base   = 3,
    set_tensor_hash   = 7,
    get_tensor        = 8,
    copy_tensor       = 9,
    get_device_memory = 11,
    get_alloc_size    = 13,
    hello             = 14,
    device_count      = 15,
};

constexpr size_t   rpc_tensor_bytes = 296;         // its form in a request
constexpr size_t   rpc_small_reply  = 32;          // the largest reply but for a tensor's data
constexpr uint64_t rpc_most_bytes   = 1ULL << 44;  // of anything that a server says it has
constexpr uint64_t rpc_most_address = 1ULL << 62;
constexpr uint32_t rpc_most_devices = 64;

template <typename T> inline T value_at(const uint8_t * bytes) {
    T value;
    memcpy(&value, bytes, sizeof(value));
    return value;
}

// Bytes of a tensor as ggml_nbytes has them, from its form in the protocol.
inline uint64_t bytes_of_tensor(const uint8_t * t) {
    const uint32_t type = value_at<uint32_t>(t + 8);
    if (type >= GGML_TYPE_COUNT || ggml_blck_size((ggml_type) type) == 0) {
        return 0;
    }
    const auto     ne    = [&](int i) -> uint64_t { return value_at<uint32_t>(t + 20 + 4 * i); };
    const auto     nb    = [&](int i) -> uint64_t { return value_at<uint32_t>(t + 36 + 4 * i); };
    const uint64_t block = (uint64_t) ggml_blck_size((ggml_type) type);
    uint64_t       bytes = block == 1 ? ggml_type_size((ggml_type) type) : ne(0) * nb(0) / block;
    for (int i = block == 1 ? 0 : 1; i < 4; i++) {
        if (ne(i) == 0) {
            return 0;
        }
        bytes += (ne(i) - 1) * nb(i);
    }
    return bytes;
}

// What a client sends: the last whole request, and the beginning of the next.
class rpc_request {
public:
    // Whether a request ends with these bytes.
    bool follow(const uint8_t * data, size_t n) {
        bool ended = false;
        while (n > 0) {
            const size_t part = (size_t) std::min<uint64_t>(n, end() - at_);
            sent_.insert(sent_.end(), data, data + std::min(part, most_kept - std::min(most_kept, sent_.size())));
            at_ += part;
            data += part;
            n -= part;
            if (at_ >= head && at_ == end()) {
                last_ = std::move(sent_);
                sent_.clear();
                at_   = 0;
                ended = true;
            }
        }
        return ended;
    }

    uint8_t         command() const { return last_.empty() ? UINT8_MAX : last_[0]; }
    const uint8_t * body() const { return last_.data() + head; }
    bool            has(size_t n) const { return last_.size() >= head + n; }

    // Whether the server has to store or compute something before it can answer.
    bool is_work() const {
        switch (command()) {
            case hello:
            case device_count:
            case get_alignment:
            case get_max_size:
            case get_device_memory:
            case buffer_get_base:
            case get_alloc_size: return false;
            default:             return true;
        }
    }

    // Whether ggml-rpc asks once and keeps the answer as long as the process lives.
    bool is_asked_once() const { return command() == get_alignment || command() == get_max_size; }

    // Bytes of the reply, 0: there is none.
    uint64_t reply_bytes() const {
        switch (command()) {
            case hello:             return 28;
            case alloc_buffer:
            case get_device_memory: return 16;
            case get_alignment:
            case get_max_size:
            case buffer_get_base:
            case get_alloc_size:    return 8;
            case device_count:      return 4;
            case set_tensor_hash:
            case copy_tensor:       return 1;
            case get_tensor:        return has(rpc_tensor_bytes + 16) ? value_at<uint64_t>(body() + rpc_tensor_bytes + 8) : 0;
            default:                return 0;
        }
    }

    // "" or what is wrong with a reply of the right size.
    std::string fault_of(const uint8_t * reply) const {
        switch (command()) {
            case hello:
                return reply[0] == RPC_PROTO_MAJOR_VERSION && reply[1] <= RPC_PROTO_MINOR_VERSION ? "" : "it speaks another version of the protocol";
            case device_count:
                return value_at<uint32_t>(reply) <= rpc_most_devices ? "" : "it says it has " + std::to_string(value_at<uint32_t>(reply)) + " devices";
            case get_alignment:
                return is_alignment(value_at<uint64_t>(reply)) ? "" : "it gives an alignment that is none";
            case get_max_size:
                return value_at<uint64_t>(reply) > 0 ? "" : "it says it has no room for any buffer";
            case get_device_memory:
                return value_at<uint64_t>(reply) <= value_at<uint64_t>(reply + 8) && value_at<uint64_t>(reply + 8) < rpc_most_bytes
                           ? "" : "it gives sizes of memory that cannot be";
            case alloc_buffer:
                return value_at<uint64_t>(reply) == 0 || (value_at<uint64_t>(reply + 8) >= value_at<uint64_t>(body() + 4) &&
                                                          value_at<uint64_t>(reply + 8) < rpc_most_bytes)
                           ? "" : "it gives a buffer of another size than was asked for";
            case buffer_get_base:
                return value_at<uint64_t>(reply) > 0 && value_at<uint64_t>(reply) < rpc_most_address ? "" : "it gives an address that cannot be";
            case get_alloc_size:
                return value_at<uint64_t>(reply) >= bytes_of_tensor(body() + 4) && value_at<uint64_t>(reply) < rpc_most_bytes
                           ? "" : "it gives a tensor less room than it has";
            default:
                return "";
        }
    }

    // The beginning of what stands in for a reply; what follows is zeros.
    std::vector<uint8_t> stand_in() const {
        std::vector<uint8_t> reply(rpc_small_reply, 0);
        const auto           put = [&](uint64_t value) { memcpy(reply.data(), &value, sizeof(value)); };
        switch (command()) {
            case hello:           reply[0] = RPC_PROTO_MAJOR_VERSION; reply[1] = RPC_PROTO_MINOR_VERSION; break;
            case get_alignment:   put(128); break;
            case get_max_size:    put(rpc_most_address); break;
            case buffer_get_base: put(1 << 20); break;
            case get_alloc_size:  put(bytes_of_tensor(body() + 4)); break;
            case set_tensor_hash:
            case copy_tensor:     reply[0] = 1; break; // done: the data need not be sent
            default:              break;
        }
        return reply;
    }

private:
    static constexpr size_t head      = 9; // command uint8, size uint64
    static constexpr size_t most_kept = head + 4 + rpc_tensor_bytes + 16;

    static bool is_alignment(uint64_t n) { return n > 0 && n <= 1 << 20 && (n & (n - 1)) == 0; }

    // Where the head ends, or the whole.
    uint64_t end() const { return at_ < head ? head : head + value_at<uint64_t>(sent_.data() + 1); }

    std::vector<uint8_t> sent_;   // of the one that is being sent, as much as is of use
    uint64_t             at_ = 0; // bytes of it that have been sent
    std::vector<uint8_t> last_;   // the same of the last one
};

} // namespace lucifer
