#include "core/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "core/printable.h"
#include "core/text.h"

namespace dfine::log {
namespace {

bool is_terminal(std::FILE* stream) {
  return ::isatty(::fileno(stream)) != 0;
}

/// As https://no-color.org says. mpirun gives its ranks a terminal as stdout, whatever its own is,
/// but none as stderr.
bool takes_colour(std::FILE* stream) {
  const char* const no = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return is_terminal(stream) && is_terminal(stderr) && (no == nullptr || *no == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

size_t window_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

/// At most `columns` characters.
std::string_view cut(std::string_view text, size_t columns) {
  size_t at = 0;
  for (size_t column = 0; at < text.size() && column < columns; ++column)
    at += std::max<size_t>(1, utf8_length(text.substr(at)));
  return text.substr(0, at);
}

const char* colour_of(spdlog::level::level_enum level) {
  return level >= spdlog::level::err    ? "\x1b[1;31m"
         : level == spdlog::level::warn ? "\x1b[1;33m"
                                        : "\x1b[32m";
}

const char* name_of(spdlog::level::level_enum level) {
  return level >= spdlog::level::err ? "error" : level == spdlog::level::warn ? "warning" : "info";
}

std::string time_text(const spdlog::details::log_msg& message, bool utc) {
  const auto time = spdlog::log_clock::to_time_t(message.time);
  std::tm parts{};
  utc ? ::gmtime_r(&time, &parts) : ::localtime_r(&time, &parts);
  std::string text(32, '\0');
  text.resize(
      std::strftime(text.data(), text.size(), utc ? "%Y-%m-%dT%H:%M:%SZ" : "%H:%M:%S", &parts));
  return text;
}

/// `text` is printable UTF-8 with newlines.
std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace

void Console::set(const ConsoleOptions& options) {
  const std::lock_guard lock(mutex_);
  options_ = options;
}

void Console::sink_it_(const spdlog::details::log_msg& message) {
  const bool is_info = message.level < spdlog::level::warn;
  if (message.level == spdlog::level::debug || (options_.quiet && is_info)) return;
  std::FILE* const stream = is_info && options_.info_to_stdout ? stdout : stderr;
  const std::string_view text(message.payload.data(), message.payload.size());
  std::string line;
  if (options_.json) {
    line = str_cat("{\"time\":\"", time_text(message, true), "\",\"level\":\"",
                   name_of(message.level), "\",\"message\":", json_text(text), "}\n");
  } else {
    const bool coloured = takes_colour(stream);
    const char letter = "TDIWECO"[message.level];
    line = str_cat(time_text(message, false), " ", coloured ? colour_of(message.level) : "", letter,
                   coloured ? "\x1b[0m " : " ", text, "\n");
  }
  erase_live();
  std::fwrite(line.data(), 1, line.size(), stream);
  std::fflush(stream);
}

void Console::flush_() {
  std::fflush(stdout);
  std::fflush(stderr);
}

bool Console::has_live_line() {
  const std::lock_guard lock(mutex_);
  if (options_.quiet || options_.json || options_.live == LiveLine::kNever) return false;
  return options_.live == LiveLine::kAlways || is_terminal(stderr);
}

void Console::live(std::string_view text) {
  const std::string shown = printable(text);
  const std::lock_guard lock(mutex_);
  const std::string line = str_cat("\r\x1b[K", cut(shown, window_columns() - 1));
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  live_is_open_ = true;
}

void Console::end_live() {
  const std::lock_guard lock(mutex_);
  if (live_is_open_) std::fputc('\n', stderr);
  live_is_open_ = false;
}

void Console::erase_live() {
  if (live_is_open_) std::fputs("\r\x1b[K", stderr);
  if (live_is_open_) std::fflush(stderr);
  live_is_open_ = false;
}

}  // namespace dfine::log
