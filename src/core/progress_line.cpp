#include "core/progress_line.h"

#include <utility>

#include "core/log.h"
#include "core/text.h"

namespace dfine {
namespace {

constexpr std::chrono::milliseconds kLiveInterval{100};

}  // namespace

ProgressLine::ProgressLine(std::string verb, double seconds)
    : verb_(std::move(verb)),
      interval_(seconds),
      live_(log::has_live_line()),
      start_(Clock::now()),
      last_live_(start_),
      last_message_(start_) {}

ProgressLine::~ProgressLine() {
  if (live_) log::end_live();
}

bool ProgressLine::due(bool last) const {
  const auto now = Clock::now();
  return now - last_message_ >= interval_ || (live_ && (last || now - last_live_ >= kLiveInterval));
}

bool ProgressLine::show(const std::string& text, bool message) {
  const auto now = Clock::now();
  message |= now - last_message_ >= interval_;
  if (message) {
    last_message_ = now;
    live_ ? log::detail(text) : log::info(text);
  }
  if (live_) {
    last_live_ = now;
    log::live(text);
  }
  return message;
}

std::string ProgressLine::remaining(double done, double total) const {
  if (done <= 0 || done >= total) return "";
  return str_cat(", ", human_duration(seconds() * (total - done) / done), " left");
}

void ProgressLine::update(const std::string& what, uint64_t bytes, uint64_t bytes_total) {
  if (!due(bytes == bytes_total)) return;
  const auto done = static_cast<double>(bytes);
  const double elapsed = seconds();
  show(str_cat(verb_, " ", what, ", ", human_bytes(done), ", ",
               human_bytes(elapsed > 0 ? done / elapsed : 0), "/s",
               remaining(done, static_cast<double>(bytes_total))));
}

void ProgressLine::count(int64_t done, std::optional<int64_t> total, std::string_view noun) {
  if (!due(done == total)) return;
  const double elapsed = seconds();
  show(str_cat(
      verb_, " ",
      total ? str_cat(with_commas(done), " of ", counted(*total, noun)) : counted(done, noun), ", ",
      fixed(elapsed > 0 ? static_cast<double>(done) / elapsed : 0, 1), " ", noun, "s/s",
      total ? remaining(static_cast<double>(done), static_cast<double>(*total)) : ""));
}

double ProgressLine::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

}  // namespace dfine
