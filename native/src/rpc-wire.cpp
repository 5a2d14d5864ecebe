// The sockets of ggml-rpc's client. It waits for ever for a server that says nothing, believes what one says, and ends the process when
// one goes away: on a thread of its own, where nothing can be caught. cmake/RpcWire.cmake has the linker put these functions in the place
// of the C library's in ggml-rpc, so that nothing of it is changed. They follow the protocol, and wait with limits.
//
// A connection that fails is not reported to ggml-rpc. From then on requests are swallowed and replies stand in for the server's: of the
// right size, and saying that there is nothing. Every call then ends in good order and frees what it holds; whoever called llama.cpp asks
// lucifer_rpc_fault afterwards, before believing the result.

#include "rpc-wire.h"

#include "rpc-request.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

// Names that the linker's --wrap gives: calls of X go to __wrap_X, and __real_X is the C library's.
extern "C" {
int     __real_connect(int fd, const sockaddr * address, socklen_t size);
ssize_t __real_send(int fd, const void * data, size_t n, int flags);
ssize_t __real_recv(int fd, void * data, size_t n, int flags);
int     __real_close(int fd);
}

using namespace lucifer;

namespace {

int seconds_of(const char * name, int otherwise) {
    const char * text  = getenv(name);
    const long   value = text != nullptr ? strtol(text, nullptr, 10) : 0;
    return value > 0 && value < 1000000 ? (int) value : otherwise;
}

// For a reply that waits for what was sent before: data to be stored, a graph to be computed.
int work_seconds() {
    static const int seconds = seconds_of("LUCIFER_LLAMA_RPC_TIMEOUT", 600);
    return seconds;
}

// For a reply that waits for nothing.
int answer_seconds() {
    return std::min(10, work_seconds());
}

using address = std::pair<uint32_t, uint16_t>; // of a server: IPv4 and port, in the network's order

address address_of(const sockaddr_in & peer) { return {peer.sin_addr.s_addr, peer.sin_port}; }

std::mutex                     g_mutex;
std::map<address, std::string> g_lost; // servers of which ggml-rpc keeps an answer that is not theirs, and why

// A connection to a server: used by one thread at a time, asked for its fault by any.
class wire {
public:
    wire(int fd, const sockaddr_in & peer) : fd_(fd), peer_(peer) {}

    address peer() const { return address_of(peer_); }

    std::string fault() {
        std::lock_guard<std::mutex> lock(mutex_);
        return fault_;
    }

    void connect() {
        const int flags = fcntl(fd_, F_GETFL);
        fcntl(fd_, F_SETFL, flags | O_NONBLOCK);
        if (__real_connect(fd_, (const sockaddr *) &peer_, sizeof(peer_)) != 0 && errno != EINPROGRESS) {
            fail(std::string("it cannot be reached: ") + strerror(errno));
        } else if (wait(POLLOUT, answer_seconds())) {
            int       error = 0;
            socklen_t size  = sizeof(error);
            getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
            if (error != 0) {
                fail(std::string("it cannot be reached: ") + strerror(error));
            }
        }
        fcntl(fd_, F_SETFL, flags);
        watch_the_machine();
    }

    ssize_t send(const void * data, size_t n) {
        if (asked_.follow((const uint8_t *) data, n)) {
            reply_bytes_ = asked_.reply_bytes();
            works_       = works_ || asked_.is_work();
        }
        size_t done = 0;
        while (done < n && !failed_ && wait(POLLOUT, work_seconds())) {
            const ssize_t sent = __real_send(fd_, (const char *) data + done, n - done, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent >= 0) {
                done += (size_t) sent;
            } else if (errno != EAGAIN && errno != EINTR) {
                fail(std::string("it is gone: ") + strerror(errno));
            }
        }
        return (ssize_t) n;
    }

    ssize_t recv(void * data, size_t n) {
        if (reply_.empty() && !failed_) {
            read_head();
        }
        if (failed_ && reply_.empty()) {
            stand_in();
        }
        const uint64_t at = reply_at_;
        size_t         got;
        if (at < reply_.size()) {
            got = std::min(n, (size_t) (reply_.size() - at));
            memcpy(data, reply_.data() + at, got);
        } else {
            got = failed_ ? 0 : read_some(data, n);
            if (got == 0) {
                memset(data, 0, n);
                got = n;
            }
        }
        reply_at_ += got;
        if (reply_at_ >= 8 + reply_bytes_) {
            reply_.clear();
            reply_at_ = 0;
            works_    = false;
        }
        return (ssize_t) got;
    }

private:
    // The other machine may be gone without a word, while this one waits for it to compute.
    void watch_the_machine() const {
        const int on = 1, idle = 10, interval = 10, count = 3;
        const unsigned unsent_millis = 30000;
        setsockopt(fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        setsockopt(fd_, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
        setsockopt(fd_, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
        setsockopt(fd_, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
        setsockopt(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, &unsent_millis, sizeof(unsent_millis));
    }

    // The reply's size, and all of it when it is small: what is wrong with it is known before ggml-rpc sees it.
    void read_head() {
        std::vector<uint8_t> reply(8 + (reply_bytes_ <= rpc_small_reply ? (size_t) reply_bytes_ : 0));
        if (!read_all(reply.data(), 8)) {
            return;
        }
        const uint64_t size = value_at<uint64_t>(reply.data());
        if (size != reply_bytes_) {
            fail("it answers with " + std::to_string(size) + " bytes, expected " + std::to_string(reply_bytes_));
            return;
        }
        if (!read_all(reply.data() + 8, reply.size() - 8)) {
            return;
        }
        const std::string why = asked_.fault_of(reply.data() + 8);
        if (!why.empty()) {
            fail(why);
            return;
        }
        reply_ = std::move(reply);
    }

    void stand_in() {
        const std::vector<uint8_t> body = asked_.stand_in();
        reply_.assign(8, 0);
        memcpy(reply_.data(), &reply_bytes_, 8);
        reply_.insert(reply_.end(), body.begin(), body.begin() + (ptrdiff_t) std::min<uint64_t>(body.size(), reply_bytes_));
        reply_at_ = 0;
        if (asked_.is_asked_once()) {
            std::lock_guard<std::mutex> lock(g_mutex);
            g_lost.insert({peer(), fault()});
        }
    }

    bool read_all(uint8_t * data, size_t n) {
        size_t done = 0;
        while (done < n) {
            const size_t got = read_some(data + done, n - done);
            if (got == 0) {
                return false;
            }
            done += got;
        }
        return true;
    }

    // 0: the connection has failed.
    size_t read_some(void * data, size_t n) {
        while (wait(POLLIN, works_ ? work_seconds() : answer_seconds())) {
            const ssize_t got = __real_recv(fd_, data, n, MSG_DONTWAIT);
            if (got > 0) {
                return (size_t) got;
            }
            if (got == 0) {
                fail("it has closed the connection");
                return 0;
            }
            if (errno != EAGAIN && errno != EINTR) {
                fail(std::string("it is gone: ") + strerror(errno));
                return 0;
            }
        }
        return 0;
    }

    bool wait(short events, int seconds) {
        pollfd entry = {fd_, events, 0};
        int    n;
        do {
            n = poll(&entry, 1, seconds * 1000);
        } while (n < 0 && errno == EINTR);
        if (n <= 0) {
            fail(n < 0 ? strerror(errno) : "it has said nothing for " + std::to_string(seconds) + " seconds");
        }
        return n > 0;
    }

    void fail(const std::string & why) {
        std::lock_guard<std::mutex> lock(mutex_);
        if (!failed_) {
            failed_ = true;
            fault_  = why;
        }
    }

    const int            fd_;
    const sockaddr_in    peer_;
    rpc_request          asked_;
    std::vector<uint8_t> reply_;            // its size and, when it is small, the rest
    uint64_t             reply_bytes_ = 0;
    uint64_t             reply_at_    = 0;
    bool                 works_       = false; // the server has something to do before its next reply
    bool                 failed_      = false;
    std::mutex           mutex_;
    std::string          fault_;
};

std::map<int, std::shared_ptr<wire>> g_wires;
std::map<address, std::string>       g_last_fault; // of a connection that has been closed

std::shared_ptr<wire> wire_of(int fd) {
    std::lock_guard<std::mutex> lock(g_mutex);
    const auto found = g_wires.find(fd);
    return found == g_wires.end() ? nullptr : found->second;
}

} // namespace

extern "C" {

int __wrap_connect(int fd, const sockaddr * address, socklen_t size) {
    if (size != sizeof(sockaddr_in) || address->sa_family != AF_INET) {
        return __real_connect(fd, address, size);
    }
    auto connection = std::make_shared<wire>(fd, value_at<sockaddr_in>((const uint8_t *) address));
    {
        std::lock_guard<std::mutex> lock(g_mutex);
        g_wires[fd] = connection;
        g_last_fault.erase(connection->peer());
    }
    connection->connect();
    return 0;
}

ssize_t __wrap_send(int fd, const void * data, size_t n, int flags) {
    const auto connection = wire_of(fd); // none: of a server
    return connection != nullptr ? connection->send(data, n) : __real_send(fd, data, n, flags);
}

ssize_t __wrap_recv(int fd, void * data, size_t n, int flags) {
    const auto connection = wire_of(fd);
    return connection != nullptr ? connection->recv(data, n) : __real_recv(fd, data, n, flags);
}

int __wrap_close(int fd) {
    if (const auto connection = wire_of(fd)) {
        std::lock_guard<std::mutex> lock(g_mutex);
        g_last_fault[connection->peer()] = connection->fault();
        g_wires.erase(fd);
    }
    return __real_close(fd);
}

size_t lucifer_rpc_fault(uint32_t ip, uint16_t port, char * buf, size_t cap) {
    std::lock_guard<std::mutex> lock(g_mutex);
    const address               peer = {ip, port};
    const auto                  lost = g_lost.find(peer);
    std::string                 fault     = lost != g_lost.end() ? lost->second : "";
    bool                        connected = false;
    for (const auto & [fd, connection] : g_wires) {
        if (connection->peer() == peer) {
            connected = true;
            fault     = fault.empty() ? connection->fault() : fault;
        }
    }
    if (!connected && fault.empty()) {
        fault = g_last_fault[peer];
    }
    memcpy(buf, fault.data(), std::min(cap, fault.size()));
    return fault.size();
}
}
