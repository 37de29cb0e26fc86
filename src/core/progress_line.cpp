#include "core/progress_line.h"

#include <unistd.h>

#include <cmath>
#include <iostream>
#include <utility>

#include "core/text.h"

namespace dfine {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::seconds kPlainInterval{10};

std::string clock_text(double seconds) {
  const long long whole = std::llround(seconds);
  const std::string rest = str_cat(whole % 60 < 10 ? "0" : "", whole % 60);
  if (whole < 3600) return str_cat(whole / 60, ":", rest);
  return str_cat(whole / 3600, ":", whole / 60 % 60 < 10 ? "0" : "", whole / 60 % 60, ":", rest);
}

}  // namespace

ProgressLine::ProgressLine(std::string verb)
    : verb_(std::move(verb)),
      terminal_(::isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

ProgressLine::~ProgressLine() {
  if (open_) std::cerr << '\n';
}

void ProgressLine::update(const std::string& what, uint64_t bytes, uint64_t bytes_total) {
  const auto now = std::chrono::steady_clock::now();
  const bool due = terminal_ ? now - last_ >= kTerminalInterval || bytes == bytes_total
                             : now - last_ >= kPlainInterval;
  if (!due) return;
  last_ = now;
  const double elapsed = seconds();
  const double rate = elapsed > 0 ? static_cast<double>(bytes) / elapsed : 0;
  std::string line = str_cat(verb_, " ", what, ", ", human_bytes(static_cast<double>(bytes)), ", ",
                             human_bytes(rate), "/s");
  if (rate > 0 && bytes < bytes_total)
    line += str_cat(", ", clock_text(static_cast<double>(bytes_total - bytes) / rate), " left");
  std::cerr << (terminal_ ? "\r\x1b[K" : "") << line << (terminal_ ? "" : "\n") << std::flush;
  open_ = terminal_;
}

double ProgressLine::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

}  // namespace dfine
