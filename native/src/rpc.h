#pragma once

#include <cstdint>
#include <string>

namespace lucifer {

// An rpc-server's address as the user writes it: host:port.
struct rpc_endpoint {
    std::string host;
    std::string port;
};

// Throws INVALID_ARGUMENT for anything but host:port.
rpc_endpoint rpc_parse_endpoint(const std::string & text);

// "" when an rpc-server of our protocol version answers there within the time, else why not. llama.cpp itself asserts.
std::string rpc_probe(const rpc_endpoint & endpoint, int timeout_millis);

// llama.cpp's connection to a server: while it has one, the server serves nobody else. When the server ends, llama.cpp asserts
// on a thread of its own, so this looks at the connection first.
class rpc_link {
public:
    explicit rpc_link(const std::string & address);

    const std::string & address() const { return address_; }

    // Whether the other side has closed the connection. Cheap enough for every token. False where it cannot be known.
    bool is_gone() noexcept;

private:
    bool is_ours(int handle) const noexcept;
    void find() noexcept;

    std::string address_;
    uint32_t    ip_     = 0; // network byte order
    uint16_t    port_   = 0;
    int         handle_ = -1;
    bool        gone_   = false;
};

} // namespace lucifer
