#include "cli/console_flags.h"

namespace dfine::inline cli {

void ConsoleFlags::add_to(CLI::App& app) {
  app.add_flag("--quiet", quiet_, "print warnings and errors alone");
  app.add_flag("--log-json", json_, "print one JSON object per line: time, level, message");
  app.add_option("--progress", progress_,
                 "one line that changes in place: auto (where stderr is a terminal), always, never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
}

log::ConsoleOptions ConsoleFlags::options(bool info_to_stdout) const {
  return {.info_to_stdout = info_to_stdout,
          .quiet = quiet_,
          .json = json_,
          .live = progress_ == "always"  ? log::LiveLine::kAlways
                  : progress_ == "never" ? log::LiveLine::kNever
                                         : log::LiveLine::kAuto};
}

}  // namespace dfine::inline cli
