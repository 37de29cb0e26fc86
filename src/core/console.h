#pragma once
// Where spdlog writes what the user sees: stdout, stderr, and the live line. Included by log.cpp
// alone.
#include <spdlog/sinks/base_sink.h>

#include <cstdio>
#include <mutex>
#include <string>

#include "core/log.h"

namespace dfine::log {

class Console : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void set(const ConsoleOptions& options);
  bool has_live_line();
  void live(std::string_view text);
  void end_live();

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override;

 private:
  void erase_live();

  ConsoleOptions options_;
  bool live_is_open_ = false;
};

}  // namespace dfine::log
