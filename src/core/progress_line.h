#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dfine {

/// Progress of a long job. A line changes in place where there is one (core/log.h). Elsewhere there
/// is a message now and then. The log file gets the messages in both cases.
class ProgressLine {
 public:
  /// `verb`: "packed". A message every `seconds`.
  explicit ProgressLine(std::string verb, double seconds = 10);
  /// The last line stays.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Bytes of `what`, such as "17 of 205 images". Prints only when enough time has passed.
  void update(const std::string& what, uint64_t bytes, uint64_t bytes_total);
  /// The same of things that are counted: "image". Without `total` their number is not known.
  void count(int64_t done, std::optional<int64_t> total, std::string_view noun);

  /// For other texts: whether enough time has passed for either kind of line. `last`: nothing
  /// follows.
  bool due(bool last = false) const;
  /// Shows it. `message`: as a message too, however little time has passed. Returns whether it was
  /// one.
  bool show(const std::string& text, bool message = false);

  /// Since the start.
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  std::string remaining(double done, double total) const;

  std::string verb_;
  std::chrono::duration<double> interval_;
  bool live_;
  Clock::time_point start_, last_live_, last_message_;
};

}  // namespace dfine
