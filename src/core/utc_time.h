#pragma once
#include <string>

namespace dfine {

enum class TimeDigits { kSeconds, kMilliseconds };

/// The time of now in UTC: "2026-11-29T19:30:00Z" or "2026-11-29T19:30:00.123Z".
std::string utc_now(TimeDigits digits = TimeDigits::kSeconds);

/// "2026-11-30 17:46:16 UTC": now, in the time zone of this computer.
std::string local_time_text();

}  // namespace dfine
