#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "hub/http.h"

namespace dfine::inline hub {

/// How often a request is tried again, and after which time.
class Retries {
 public:
  /// `check` is called several times a second while waiting. What it throws ends that.
  explicit Retries(std::function<void()> check) : check_(std::move(check)) {}

  /// Says in the log why and waits: 0.5 s, then twice as long each time, or as long as the server
  /// wants. Throws Error (network_failed) after four failures in a row.
  void failed(const std::string& reason, std::optional<std::chrono::seconds> wanted = {});
  /// The same after NoAnswer. Without a connection the second failure is the last.
  void failed(const std::string& what, const NoAnswer& reason);
  /// Something came through: counting begins again.
  void progressed() { failures_ = 0; }

 private:
  std::function<void()> check_;
  int failures_ = 0;
};

/// Whether this status may be another one soon: too many requests, or trouble in the server.
bool may_pass(long status);

/// What the server wants: the field Retry-After, as seconds or as a date.
std::optional<std::chrono::seconds> wanted_wait(const HttpAnswer& answer);

}  // namespace dfine::inline hub
