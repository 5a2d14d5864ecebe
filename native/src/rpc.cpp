// Talks to an rpc-server before llama.cpp does, because llama.cpp asserts on one that is not there, hangs on one that does not
// answer, and asserts on one of another protocol version.

#include "rpc.h"

#include "guard.h"
#include "host.h"
#include "rpc-request.h"
#include "rpc-wire.h"

#include "ggml-backend.h"
#include "ggml-rpc.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>

#if defined(_WIN32)
#    define WIN32_LEAN_AND_MEAN
#    define NOMINMAX
#    include <winsock2.h>
#    include <ws2tcpip.h>
#else
#    include <cerrno>
#    include <fcntl.h>
#    include <netdb.h>
#    include <poll.h>
#    include <sys/socket.h>
#    include <unistd.h>
#endif

namespace lucifer {

rpc_endpoint rpc_parse_endpoint(const std::string & text) {
    const size_t colon = text.find(':');
    // llama.cpp splits at the first colon, so an IPv6 address cannot be given
    const bool one = colon != std::string::npos && colon > 0 && text.find(':', colon + 1) == std::string::npos;
    const std::string port   = one ? text.substr(colon + 1) : "";
    const bool        digits = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
    if (!one || !digits || std::stoi(port) < 1 || std::stoi(port) > 65535 || text.find_first_of(" \t\r\n/[]") != std::string::npos) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "'%s' is not an rpc-server's address, expected host:port (name or IPv4, port 1 to 65535)",
             text.c_str());
    }
    return {text.substr(0, colon), port};
}

#if defined(_WIN32)
using socket_handle = SOCKET;
static const socket_handle no_socket = INVALID_SOCKET;
static void close_handle(socket_handle s) { closesocket(s); }
static bool would_block() { return WSAGetLastError() == WSAEWOULDBLOCK; }
static int  poll_handles(WSAPOLLFD * p, int millis) { return WSAPoll(p, 1, millis); }
using poll_entry = WSAPOLLFD;
static void set_nonblocking(socket_handle s) { u_long on = 1; ioctlsocket(s, FIONBIO, &on); }
static const int send_flags = 0;
#else
using socket_handle = int;
static const socket_handle no_socket = -1;
static void close_handle(socket_handle s) { close(s); }
static bool would_block() { return errno == EINPROGRESS || errno == EAGAIN || errno == EWOULDBLOCK; }
static int  poll_handles(pollfd * p, int millis) { return poll(p, 1, millis); }
using poll_entry = pollfd;
static void set_nonblocking(socket_handle s) { fcntl(s, F_SETFL, fcntl(s, F_GETFL) | O_NONBLOCK); }
#    if defined(MSG_NOSIGNAL)
static const int send_flags = MSG_NOSIGNAL;
#    else
static const int send_flags = 0;
#    endif
#endif

namespace {

// A TCP connection with a deadline for everything together.
class connection {
public:
    explicit connection(int timeout_millis) : deadline(clock::now() + std::chrono::milliseconds(timeout_millis)) {
#if defined(_WIN32)
        WSADATA data;
        WSAStartup(MAKEWORD(2, 2), &data);
#endif
    }
    ~connection() {
        if (handle != no_socket) {
            close_handle(handle);
        }
    }
    connection(const connection &)             = delete;
    connection & operator=(const connection &) = delete;

    // "" or why it failed
    std::string open(const rpc_endpoint & endpoint) {
        addrinfo hints  = {};
        hints.ai_family = AF_INET; // as llama.cpp
        hints.ai_socktype = SOCK_STREAM;
        addrinfo * found  = nullptr;
        if (getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &found) != 0 || found == nullptr) {
            return "unknown host " + endpoint.host;
        }
        handle = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
        if (handle == no_socket) {
            freeaddrinfo(found);
            return "no socket";
        }
        set_nonblocking(handle);
        const int  result  = connect(handle, found->ai_addr, (socklen_t) found->ai_addrlen);
        const bool pending = result != 0 && would_block();
        freeaddrinfo(found);
        if (result != 0 && !pending) {
            return "connection refused";
        }
        if (pending && !wait(POLLOUT)) {
            return "no answer in time";
        }
        int       error = 0;
        socklen_t size  = sizeof(error);
        getsockopt(handle, SOL_SOCKET, SO_ERROR, (char *) &error, &size);
        return error == 0 ? "" : "connection refused";
    }

    bool write(const void * data, size_t size) {
        const char * p = (const char *) data;
        while (size > 0) {
            if (!wait(POLLOUT)) {
                return false;
            }
            const auto n = send(handle, p, (int) size, send_flags);
            if (n <= 0) {
                return false;
            }
            p += n;
            size -= (size_t) n;
        }
        return true;
    }

    bool read(void * data, size_t size) {
        char * p = (char *) data;
        while (size > 0) {
            if (!wait(POLLIN)) {
                return false;
            }
            const auto n = recv(handle, p, (int) size, 0);
            if (n <= 0) {
                return false;
            }
            p += n;
            size -= (size_t) n;
        }
        return true;
    }

private:
    using clock = std::chrono::steady_clock;

    bool wait(short events) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
        if (left <= 0) {
            return false;
        }
        poll_entry entry = {};
        entry.fd         = handle;
        entry.events     = events;
        return poll_handles(&entry, (int) left) > 0;
    }

    clock::time_point deadline;
    socket_handle     handle = no_socket;
};

// Layout of the HELLO exchange, which upstream keeps fixed over versions:
// request  command 14 (1 byte), size 24 (8 bytes), capabilities; response size 28 (8 bytes), major, minor, patch, padding, capabilities
constexpr uint64_t hello_caps = 24;

} // namespace

std::string rpc_probe(const rpc_endpoint & endpoint, int timeout_millis) {
    connection  peer(timeout_millis);
    std::string error = peer.open(endpoint);
    if (!error.empty()) {
        return error;
    }
    uint8_t request[1 + 8 + hello_caps] = {hello};
    memcpy(request + 1, &hello_caps, 8);
    uint64_t size = 0;
    uint8_t  response[4 + hello_caps];
    if (!peer.write(request, sizeof(request)) || !peer.read(&size, sizeof(size)) || size != sizeof(response) ||
        !peer.read(response, sizeof(response))) {
        return "what listens there does not answer as an rpc-server";
    }
    if (response[0] != RPC_PROTO_MAJOR_VERSION || response[1] > RPC_PROTO_MINOR_VERSION) {
        return format("it speaks version %d.%d of the protocol, expected %d.%d", response[0], response[1], RPC_PROTO_MAJOR_VERSION,
                      RPC_PROTO_MINOR_VERSION);
    }
    return "";
}

rpc_link::rpc_link(const std::string & address) : address_(address) {
    const rpc_endpoint endpoint = rpc_parse_endpoint(address);
    addrinfo           hints    = {};
    hints.ai_family             = AF_INET;
    hints.ai_socktype           = SOCK_STREAM;
    addrinfo * found            = nullptr;
    if (getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &found) == 0 && found != nullptr) {
        sockaddr_in peer;
        memcpy(&peer, found->ai_addr, sizeof(peer));
        ip_   = peer.sin_addr.s_addr;
        port_ = peer.sin_port;
        freeaddrinfo(found);
    }
}

#if !defined(_WIN32)
static decltype(&lucifer_rpc_fault) find_fault() {
    ggml_backend_reg_t reg = ggml_backend_reg_by_name("RPC");
    return reg == nullptr ? nullptr : (decltype(&lucifer_rpc_fault)) shared_library(library_of(reg)).symbol("lucifer_rpc_fault");
}

std::string rpc_link::fault() const noexcept {
    static const auto ask = find_fault();
    char              text[256];
    return ask == nullptr ? "" : std::string(text, std::min(sizeof(text), ask(ip_, port_, text, sizeof(text))));
}
#else
std::string rpc_link::fault() const noexcept {
    return ""; // nobody looks
}
#endif

} // namespace lucifer
