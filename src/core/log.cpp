#include "core/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>

#include "core/printable.h"

namespace dfine::log {
namespace {

std::atomic<long long> lost = 0;

/// A file that cannot be written (disk full) costs neither the run nor the messages on the
/// terminal. Said once, and counted.
void report_lost(const std::string& reason) {
  if (lost++ == 0)
    std::fprintf(stderr, "W messages are lost in the log file: %s\n", reason.c_str());
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>(
        "dfine", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%H:%M:%S %^%L%$ %v");
    made->flush_on(spdlog::level::trace);
    made->set_error_handler(report_lost);
    return made;
  }();
  return *instance;
}

std::string& prefix() {
  static std::string text;
  return text;
}

bool& speaks_for_all() {
  static bool speaks = true;
  return speaks;
}

void write(spdlog::level::level_enum level, std::string_view message) {
  logger().log(level, "{}", printable_lines(prefix() + std::string(message)));
}

}  // namespace

void set_rank(int rank) {
  set_prefix("[rank " + std::to_string(rank) + "] ");
  speaks_for_all() = rank == 0;
}
void set_prefix(std::string_view text) {
  prefix() = text;
}
void add_file(std::string_view path) {
  auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(std::string(path));
  sink->set_pattern("%Y-%m-%d %H:%M:%S %L %v");
  logger().sinks().push_back(std::move(sink));
}
void close_file() {
  logger().sinks().resize(1);  // the terminal
}
long long lost_in_file() {
  return lost;
}
void info(std::string_view message) {
  if (speaks_for_all()) local_info(message);
}
void warn(std::string_view message) {
  if (speaks_for_all()) local_warn(message);
}
void local_info(std::string_view message) {
  write(spdlog::level::info, message);
}
void local_warn(std::string_view message) {
  write(spdlog::level::warn, message);
}
void error(std::string_view message) {
  write(spdlog::level::err, message);
}

}  // namespace dfine::log
