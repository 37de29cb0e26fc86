#pragma once
// --quiet, --log-json and --progress, alike in all programs that have them.
#include <CLI/CLI.hpp>
#include <string>

#include "core/log.h"

namespace dfine::inline cli {

class ConsoleFlags {
 public:
  /// `this` must outlive the parsing.
  void add_to(CLI::App& app);

  /// After the parsing. `info_to_stdout` as in log::ConsoleOptions.
  log::ConsoleOptions options(bool info_to_stdout) const;

 private:
  bool quiet_ = false, json_ = false;
  std::string progress_ = "auto";
};

}  // namespace dfine::inline cli
