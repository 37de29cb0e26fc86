#pragma once
// Logging facade; spdlog (with the system's fmt) stays behind log.cpp, because LibTorch brings its
// own fmt headers.
#include <string_view>

namespace dfine::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };

/// Least level that is printed (to stderr). Default kInfo.
void set_level(Level level);

/// Text before every message, e.g. "[rank 3] "; empty by default.
void set_prefix(std::string_view prefix);

/// Also writes every message to this file (appended, flushed at each line).
void add_file(std::string_view path);

void debug(std::string_view message);
void info(std::string_view message);
void warn(std::string_view message);
void error(std::string_view message);

}  // namespace dfine::log
