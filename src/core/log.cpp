#include "core/log.h"

#include <spdlog/details/log_msg_buffer.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "core/console.h"
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

/// The messages before there is a file.
class Memory : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void write_to(spdlog::sinks::sink& file) {
    const std::lock_guard lock(mutex_);
    for (const auto& message : messages_) file.log(message);
    messages_.clear();
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (messages_.size() < kMost) messages_.emplace_back(message);
  }
  void flush_() override {}

 private:
  static constexpr size_t kMost = 10'000;
  std::vector<spdlog::details::log_msg_buffer> messages_;
};

const std::shared_ptr<Console>& console() {
  static const auto instance = std::make_shared<Console>();
  return instance;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("dfine", console());
    made->set_level(spdlog::level::debug);
    made->flush_on(spdlog::level::trace);
    made->set_error_handler(report_lost);
    return made;
  }();
  return *instance;
}

std::string& rank_prefix() {
  static std::string text;
  return text;
}

bool& speaks_for_all() {
  static bool speaks = true;
  return speaks;
}

void write(spdlog::level::level_enum level, const std::string& message) {
  logger().log(level, "{}", printable_lines(message));
}

void write_local(spdlog::level::level_enum level, std::string_view message) {
  write(level, rank_prefix() + std::string(message));
}

}  // namespace

void set_rank(int rank) {
  rank_prefix() = "[rank " + std::to_string(rank) + "] ";
  speaks_for_all() = rank == 0;
}
void omit_rank() {
  rank_prefix().clear();
}
void set_console(const ConsoleOptions& options) {
  console()->set(options);
}
void keep_for_file() {
  close_file();
  logger().sinks().push_back(std::make_shared<Memory>());
}
void add_file(std::string_view path) {
  auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(std::string(path));
  file->set_pattern("%Y-%m-%d %H:%M:%S %L %v");
  auto& sinks = logger().sinks();
  const auto memory = std::dynamic_pointer_cast<Memory>(sinks.back());
  if (memory) {
    sinks.pop_back();
    memory->write_to(*file);
  }
  sinks.push_back(std::move(file));
}
void close_file() {
  logger().sinks().resize(1);  // the console
}
long long lost_in_file() {
  return lost;
}
void detail(std::string_view message) {
  if (speaks_for_all()) write(spdlog::level::debug, std::string(message));
}
void info(std::string_view message) {
  if (speaks_for_all()) write(spdlog::level::info, std::string(message));
}
void warn(std::string_view message) {
  if (speaks_for_all()) write(spdlog::level::warn, std::string(message));
}
void local_info(std::string_view message) {
  write_local(spdlog::level::info, message);
}
void local_warn(std::string_view message) {
  write_local(spdlog::level::warn, message);
}
void error(std::string_view message) {
  write_local(spdlog::level::err, message);
}
bool has_live_line() {
  return speaks_for_all() && console()->has_live_line();
}
void live(std::string_view text) {
  console()->live(text);
}
void end_live() {
  console()->end_live();
}

}  // namespace dfine::log
