#include "hub/retries.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <thread>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace dfine::inline hub {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kMostFailures = 4;
constexpr std::chrono::seconds kLongestWait = 5min;

}  // namespace

void Retries::failed(const std::string& reason, std::optional<std::chrono::seconds> wanted) {
  ++failures_;
  if (wanted > kLongestWait)
    throw Error(ErrorCode::kNetworkFailed,
                str_cat(reason, "; the server asks to wait for ", wanted->count(), " seconds"));
  if (failures_ >= kMostFailures)
    throw Error(ErrorCode::kNetworkFailed,
                str_cat(reason, " (tried ", kMostFailures, " times in a row)"));
  const auto wait = wanted ? std::chrono::milliseconds(*wanted) : 500ms * (1 << (failures_ - 1));
  log::local_warn(str_cat(reason, "; trying again in ",
                          fixed(std::chrono::duration<double>(wait).count(), 1), " s"));
  for (const auto until = Clock::now() + wait; Clock::now() < until;) {
    check_();
    std::this_thread::sleep_for(std::min<Clock::duration>(100ms, until - Clock::now()));
  }
}

void Retries::failed(const std::string& what, const NoAnswer& reason) {
  const std::string text = str_cat(what, ": ", reason.what());
  if (!reason.reached() && failures_ > 0) throw Error(ErrorCode::kNetworkFailed, text);
  failed(text);
}

bool may_pass(long status) {
  return status == 408 || status == 429 || status >= 500;
}

std::optional<std::chrono::seconds> wanted_wait(const HttpAnswer& answer) {
  const std::string text = answer.field("retry-after");
  if (text.empty()) return std::nullopt;
  long seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed == std::errc() && end == text.data() + text.size())
    return std::chrono::seconds(std::max(seconds, 0L));
  const std::time_t date = curl_getdate(text.c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return std::chrono::seconds(std::max<std::time_t>(date - std::time(nullptr), 0));
}

}  // namespace dfine::inline hub
