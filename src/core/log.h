#pragma once
// Logging facade; spdlog (with the system's fmt) stays behind log.cpp, because LibTorch brings its
// own fmt headers.
#include <string_view>

namespace dfine::log {

/// This process is one of several that do the same. Every message then begins with "[rank N] ".
/// What all of them would say, info() and warn(), is printed by rank zero alone. Call it before
/// other threads begin.
void set_rank(int rank);

/// Text before every message; empty by default.
void set_prefix(std::string_view prefix);

/// Also writes every message to this file (appended, flushed at each line).
void add_file(std::string_view path);

/// Writes to no file any more.
void close_file();

/// Messages that could not be written to the file so far.
long long lost_in_file();

/// To stderr.
void info(std::string_view message);
void warn(std::string_view message);
/// What this rank alone has to say: printed on every rank.
void local_info(std::string_view message);
void local_warn(std::string_view message);
void error(std::string_view message);

}  // namespace dfine::log
