#include "train/checkpoint/run_state.h"

namespace dfine::inline checkpoint {

bool RunState::validated(Monitor monitor, const Score& score, int64_t of_epoch) {
  val_loss = score.val_loss;
  if (best && best->monitor == monitor) {
    const bool by_ap = monitor == Monitor::kAp;
    const Score so_far{.ap = by_ap ? best->value : score.ap,
                       .val_loss = by_ap ? best->val_loss : best->value};
    if (!is_better(monitor, score, so_far)) return false;
  }
  best = Best{.monitor = monitor,
              .value = score.monitored(monitor),
              .epoch = of_epoch,
              .step = step,
              .val_loss = score.val_loss};
  return true;
}

}  // namespace dfine::inline checkpoint
