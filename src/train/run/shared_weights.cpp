#include "train/run/shared_weights.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

#include "core/error.h"
#include "core/stop_request.h"
#include "core/text.h"
#include "hub/local_weights.h"

namespace dfine::inline run {
namespace {

/// Another host may see new files of a network file system some seconds later.
void wait_until_visible(const std::string& path, const std::string& setting,
                        const std::string& value) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kLongest{30};
  std::error_code ignored;
  for (const auto until = Clock::now() + kLongest; !std::filesystem::exists(path, ignored);) {
    if (Clock::now() > until)
      throw Error(ErrorCode::kFileMissing,
                  str_cat(setting, " = ", value, ": rank zero has it in ", path,
                          ", but this host does not"),
                  "set HF_HOME to a folder that all hosts share, or run `dfine-weights fetch` on "
                  "each host");
    end_if_stop_requested();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace

std::string shared_weights(const std::string& setting, const std::string& value,
                           const Communicator& group) {
  if (value.empty()) return value;
  const bool root = group.rank() == 0;
  const std::string path = group.broadcast(root ? local_weights(setting, value) : std::string(), 0);
  // What is not there on rank zero either is an error of those who open it.
  if (!root && path != value) wait_until_visible(path, setting, value);
  return path;
}

}  // namespace dfine::inline run
