#pragma once

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

// Whether something still listens there.
bool rpc_listens(const std::string & endpoint, int timeout_millis) noexcept;

} // namespace lucifer
