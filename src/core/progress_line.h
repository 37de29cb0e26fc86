#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace dfine {

/// Progress of a long run on stderr: one line rewritten in place on a terminal, else a plain line
/// now and then.
class ProgressLine {
 public:
  /// `verb`: "packed".
  explicit ProgressLine(std::string verb);
  /// Ends the line in place, so that what follows begins on a line of its own.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// `what`: "17 of 205 images"; prints only when enough time has passed since the last line.
  void update(const std::string& what, uint64_t bytes, uint64_t bytes_total);
  double seconds() const;

 private:
  std::string verb_;
  bool terminal_, open_ = false;
  std::chrono::steady_clock::time_point start_, last_;
};

}  // namespace dfine
