#include "distributed/rendezvous.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline distributed {
namespace {

bool connects(const addrinfo& address, int timeout_ms) {
  const int fd = socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                        address.ai_protocol);
  if (fd < 0) return false;
  int error = connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd waiting{fd, POLLOUT, 0};
    socklen_t length = sizeof(error);
    if (poll(&waiting, 1, timeout_ms) != 1 ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
      error = ETIMEDOUT;
  }
  close(fd);
  return error == 0;
}

c10d::TCPStoreOptions options_for(uint16_t port, bool server) {
  c10d::TCPStoreOptions options;
  options.port = port;
  options.isServer = server;
  options.waitWorkers = false;
  return options;
}

}  // namespace

std::vector<std::string> own_addresses() {
  std::vector<std::string> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
    if (!entry->ifa_addr ||
        (entry->ifa_addr->sa_family != AF_INET && entry->ifa_addr->sa_family != AF_INET6))
      continue;
    const bool v4 = entry->ifa_addr->sa_family == AF_INET;
    if (!v4) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr);
      if (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) || IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) continue;
    } else if (ntohl(reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr.s_addr) >>
                   24 ==
               IN_LOOPBACKNET) {
      continue;
    }
    char text[NI_MAXHOST];
    const socklen_t length = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    if (getnameinfo(entry->ifa_addr, length, text, sizeof(text), nullptr, 0, NI_NUMERICHOST) == 0)
      addresses.emplace_back(text);
  }
  freeifaddrs(list);
  return addresses;
}

bool answers(const std::string& host, uint16_t port, int timeout_ms) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), str_cat(port).c_str(), &hints, &found) != 0) return false;
  bool any = false;
  for (const addrinfo* address = found; address && !any; address = address->ai_next)
    any = connects(*address, timeout_ms);
  freeaddrinfo(found);
  return any;
}

c10::intrusive_ptr<c10d::TCPStore> make_rendezvous(const HostChannel& channel,
                                                   const std::string& host, bool one_host) {
  constexpr int kTimeoutMs = 3000;
  c10::intrusive_ptr<c10d::TCPStore> store;
  uint16_t port = 0;
  std::vector<std::string> addresses;  // of rank zero
  if (channel.rank() == 0) {
    store = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options_for(0, /*server=*/true));
    port = store->getPort();
    if (!one_host) addresses = own_addresses();
    addresses.insert(addresses.begin(), one_host ? "127.0.0.1" : host);
  }
  port = channel.broadcast(port, 0);
  addresses = channel.broadcast(std::move(addresses), 0);
  if (store) return store;
  std::string tried;
  for (const auto& address : addresses) {
    if (answers(address, port, kTimeoutMs))
      return c10::make_intrusive<c10d::TCPStore>(address, options_for(port, /*server=*/false));
    tried += str_cat(" ", address);
  }
  throw Error(
      ErrorCode::kCommunicationFailed,
      str_cat("Host ", host, " cannot reach rank zero over TCP; tried \"port addresses\": ", port,
              tried, "."),
      "The hosts of one job must be able to open TCP connections to each other on any port.");
}

}  // namespace dfine::inline distributed
