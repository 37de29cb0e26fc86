#include "train/run/stop_poll.h"

#include <filesystem>
#include <system_error>

#include "core/stop_request.h"
#include "core/text.h"

namespace dfine::inline run {
namespace {

using Clock = std::chrono::steady_clock;

// Beside the numbers of signals, which are small. The largest wish of a rank counts.
constexpr int64_t kMaxMinutes = 1000, kFile = 2000, kSignals = 3000;

}  // namespace

bool StopPoll::file_asks() {
  if (file_seen_ || context_.group.rank() != 0 || Clock::now() < next_look_) return file_seen_;
  next_look_ = Clock::now() + std::chrono::seconds(1);
  std::error_code failed;
  file_seen_ = std::filesystem::exists(context_.folder.stop_file(), failed);
  return file_seen_;
}

int64_t StopPoll::request() {
  if (const int signal = stop_signal()) return kSignals + signal;
  return file_asks() ? kFile : 0;
}

int64_t StopPoll::wish() {
  if (const int64_t asked = request()) return asked;
  const double limit = context_.plan.loop.max_minutes;
  const std::chrono::duration<double> elapsed = Clock::now() - context_.begin;
  return limit > 0 && elapsed.count() > 60 * limit ? kMaxMinutes : 0;
}

std::string StopPoll::reason() const {
  if (agreed_ > kSignals) return stop_signal_name(static_cast<int>(agreed_ - kSignals));
  if (agreed_ == kFile) return str_cat("the file ", context_.folder.stop_file().string());
  return str_cat("train.max_minutes = ", context_.plan.loop.max_minutes);
}

const char* StopPoll::event_reason() const {
  return agreed_ > kSignals ? "signal" : agreed_ == kFile ? "stop_file" : "max_minutes";
}

void StopPoll::remove_file() const {
  std::error_code failed;
  if (context_.group.rank() == 0) std::filesystem::remove(context_.folder.stop_file(), failed);
}

}  // namespace dfine::inline run
