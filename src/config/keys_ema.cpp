// The keys of [ema].
#include "config/kinds.h"

namespace dfine::inline config {

void keys(Table<EmaConfig>& v) {
  using C = EmaConfig;
  v("enabled", &C::enabled, flag(),
    "Keep an exponential moving average (EMA) of the weights and of the batch norms' statistics.");
  v("decay", &C::decay, or_auto(number(kBelowOne)),
    "EMA decay per optimizer step (official: 0.9999, for 100,000 steps and more). auto: 1 - 20 / "
    "steps, so that the time constant is a twentieth of the run, at most 10,000 steps.");
  v("warmup_steps", &C::warmup_steps, or_auto(whole(0)),
    "The decay rises as decay * (1 - exp(-step / warmup_steps)). 0: constant. auto: a fiftieth "
    "of the run, at most 1000 (official: 1000).");
  v("restart", &C::restart,
    choice<EmaRestart>({{"none", EmaRestart::kNone},
                        {"published", EmaRestart::kPublished},
                        {"intended", EmaRestart::kIntended}}),
    "What happens at train.stage2_epoch. none: nothing. intended: the decay becomes "
    "ema.restart_decay, and 0.0001 less after each later epoch without a new best. published: as "
    "in the official code, whose restart has no effect.");
  v("restart_decay", &C::restart_decay, number(kBelowOne),
    "EMA decay after the restart (official: 0.9999, x 0.9998).");
}

}  // namespace dfine::inline config
