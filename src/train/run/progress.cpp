#include "train/run/progress.h"

#include <utility>

#include "core/text.h"

namespace dfine::inline run {

Progress::Progress(int64_t first_step, int64_t total_steps, int64_t epochs, double log_seconds,
                   std::function<int64_t()> memory)
    : line_("", log_seconds),
      first_step_(first_step),
      total_steps_(total_steps),
      epochs_(epochs),
      memory_(std::move(memory)) {}

bool Progress::step(const StepProgress& s) {
  ++summed_;
  sums_.loss += s.loss;
  sums_.images += s.images;
  sums_.seconds += s.seconds;
  sums_.data_wait_s += s.data_wait_s;
  const bool edge = s.step == first_step_ + 1 || s.step == total_steps_;
  if (!edge && !line_.due()) return false;
  const double left = line_.seconds() / static_cast<double>(s.step - first_step_) *
                      static_cast<double>(total_steps_ - s.step);
  const bool was_message =
      line_.show(str_cat("epoch ", s.epoch, "/", epochs_, "  step ", s.step, "/", total_steps_,
                         "  loss ", fixed(sums_.loss / static_cast<double>(summed_), 4), "  lr ",
                         s.lr, "  ", fixed(static_cast<double>(sums_.images) / sums_.seconds, 1),
                         " images/s  ETA ", human_duration(left), "  data wait ",
                         fixed(100 * sums_.data_wait_s / sums_.seconds, 0), " %  memory ",
                         human_bytes(static_cast<double>(memory_()))),
                 edge);
  if (was_message) {
    sums_ = {};
    summed_ = 0;
  }
  return was_message;
}

}  // namespace dfine::inline run
