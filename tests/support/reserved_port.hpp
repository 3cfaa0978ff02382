#pragma once

// Ports for servers that are other processes, or that come back.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace msgbus_test {

/// A port of 127.0.0.1 that Linux gives to nobody else while this exists. Servers that set
/// SO_REUSEADDR may listen there, one after the other; between them connections are refused.
class reserved_port {
 public:
  reserved_port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        ::bind(socket_, any, size) != 0 || ::getsockname(socket_, any, &size) != 0) {
      ::close(socket_);
      throw std::runtime_error("no free port");
    }
    number_ = ntohs(address.sin_port);
  }
  reserved_port(const reserved_port&) = delete;
  reserved_port& operator=(const reserved_port&) = delete;
  ~reserved_port() { ::close(socket_); }

  [[nodiscard]] unsigned short number() const noexcept { return number_; }

 private:
  const int socket_;
  unsigned short number_ = 0;
};

}  // namespace msgbus_test
