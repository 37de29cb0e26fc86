#pragma once
// Messages of a program, on the console and in a log file. Only console.cpp and log.cpp know spdlog
// (with the system's fmt): LibTorch brings its own fmt headers.
#include <string_view>

namespace dfine::log {

/// This process is one of several that do the same. What all of them would say, info(), warn() and
/// detail(), is said by rank zero alone. What a rank alone has to say begins with "[rank N] ". Call
/// it before other threads begin.
void set_rank(int rank);

/// The next messages name their rank themselves: no "[rank N] " before them.
void omit_rank();

enum class LiveLine {
  kAuto,    // where stderr is a terminal
  kAlways,  // even where it is none
  kNever
};

struct ConsoleOptions {
  /// Where info() goes. dfine_ddp prints it to stdout; programs whose stdout has their results
  /// print it to stderr. Warnings and errors always go to stderr.
  bool info_to_stdout = false;
  bool quiet = false;  // warnings and errors alone; the log file still has all
  /// One JSON object per line, with "time" (UTC), "level" and "message". No live line.
  bool json = false;
  LiveLine live = LiveLine::kAuto;
};
void set_console(const ConsoleOptions& options);

/// From now on messages are remembered until add_file() writes them to its file.
void keep_for_file();

/// Also writes every message to this file (appended, flushed at each line).
void add_file(std::string_view path);

/// Writes to no file any more.
void close_file();

/// Messages that could not be written to the file so far.
long long lost_in_file();

/// To the log file alone: tables, and what few need to read.
void detail(std::string_view message);
void info(std::string_view message);
void warn(std::string_view message);
/// What this rank alone has to say: printed on every rank.
void local_info(std::string_view message);
void local_warn(std::string_view message);
void error(std::string_view message);

/// Whether progress is one line that changes in place. Otherwise it is a line now and then.
bool has_live_line();
/// Replaces the live line, cut to the window's width. The next message takes its place.
void live(std::string_view text);
/// Leaves the live line as it is; what follows begins on the next line.
void end_live();

}  // namespace dfine::log
