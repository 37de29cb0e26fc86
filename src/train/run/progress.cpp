#include "train/run/progress.h"

#include <unistd.h>

#include <cstdio>
#include <iomanip>
#include <sstream>

#include "core/log.h"
#include "core/text.h"

namespace dfine::inline run {

std::string human_duration(double seconds) {
  const auto s = static_cast<int64_t>(seconds + 0.5);
  if (s < 60) return str_cat(s, " s");
  std::ostringstream out;
  out << std::setfill('0');
  if (s >= 3600) out << s / 3600 << ':' << std::setw(2);
  out << s / 60 % 60 << ':' << std::setw(2) << s % 60;
  return out.str();
}

Progress::Progress(int64_t first_step, int64_t total_steps, int64_t log_every)
    : terminal_(isatty(STDERR_FILENO) != 0),
      first_step_(first_step),
      total_steps_(total_steps),
      log_every_(log_every),
      begin_(std::chrono::steady_clock::now()) {}

void Progress::step(int64_t step, int64_t epoch, double loss, double images_per_s,
                    double wait_share) {
  const double elapsed =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const double left =
      elapsed / static_cast<double>(step - first_step_) * static_cast<double>(total_steps_ - step);
  const std::string line = str_cat(
      "step ", step, "/", total_steps_, "  epoch ", epoch, "  loss ", fixed(loss, 4), "  ",
      fixed(images_per_s, 1), " images/s  ETA ", human_duration(left),
      wait_share >= 0.1 ? str_cat("  waited for data ", fixed(100 * wait_share, 0), " %") : "");
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
    open_ = true;
  } else if (step == first_step_ + 1 || step == total_steps_ || step % log_every_ == 0) {
    log::info(line);
  }
}

void Progress::finish_line() {
  if (open_) std::fputc('\n', stderr);
  open_ = false;
}

}  // namespace dfine::inline run
