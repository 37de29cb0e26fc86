#pragma once
// Requests to the Hub, one at a time, by libcurl: HTTPS, and the proxies that the environment
// names (HTTPS_PROXY, NO_PROXY, ...).
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "hub/settings.h"

namespace dfine::inline hub {

/// A request that got no answer, or not all of one.
class NoAnswer : public std::runtime_error {
 public:
  /// `reached`: whether there was a connection to the server. Without one, a second try rarely
  /// helps.
  NoAnswer(const std::string& reason, bool reached) : runtime_error(reason), reached_(reached) {}
  bool reached() const { return reached_; }

 private:
  bool reached_;
};

struct HttpAnswer {
  long status = 0;                            // 200, 404, ...
  std::map<std::string, std::string> fields;  // by name in lower case; of redirects too
  std::string url;                            // that answered last
  std::string location;                       // where it redirects to; empty: it does not

  /// Empty where the answer has no such field.
  std::string field(const std::string& name) const;
};

/// Takes pieces of the body of an answer of status 2xx. What it throws ends the request.
using TakeBody = std::function<void(const HttpAnswer& answer, std::string_view piece)>;

class HttpClient {
 public:
  /// `check` is called several times a second. What it throws ends the request.
  HttpClient(const HubSettings& settings, std::function<void()> check);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// What the server says of `url` without sending it. Follows redirects on the same host alone:
  /// one to another host is where the Hub keeps large files, and is the answer.
  HttpAnswer head(const std::string& url);

  /// The content of `url` from byte `from` on. Follows all redirects.
  HttpAnswer get(const std::string& url, uint64_t from, const TakeBody& take);

  // Both throw NoAnswer, and Error where a redirect leads to plain http:// or in circles. The token
  // goes to the host of settings.endpoint alone.

 private:
  struct Handle;
  HttpAnswer request(const std::string& url, bool head, uint64_t from, const TakeBody& take);

  const HubSettings settings_;
  std::function<void()> check_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace dfine::inline hub
