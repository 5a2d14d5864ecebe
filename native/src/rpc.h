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

// llama.cpp's connection to a server: while it has one, the server serves nobody else.
class rpc_link {
public:
    explicit rpc_link(const std::string & address);

    const std::string & address() const { return address_; }

    // Why the connection has failed, "" when it has not: what llama.cpp has got since then is nothing. See rpc-wire.cpp.
    std::string fault() const noexcept;

private:
    std::string address_;
    uint32_t    ip_   = 0; // network byte order
    uint16_t    port_ = 0;
};

} // namespace lucifer
