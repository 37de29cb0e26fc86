#include "train/checkpoint/run_state.h"

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline checkpoint {

const char* weights_name(WeightsKind kind) {
  return kind == WeightsKind::kEma ? "ema" : "raw";
}

WeightsKind to_weights_kind(const std::string& name) {
  if (name == "ema") return WeightsKind::kEma;
  if (name == "raw") return WeightsKind::kRaw;
  throw Error(ErrorCode::kFileDamaged,
              str_cat("weights are \"ema\" or \"raw\", not \"", name, "\""));
}

bool RunState::validated(Monitor monitor, const Score& score) {
  val_loss = score.val_loss;
  if (best && best->monitor == monitor) {
    const bool by_ap = monitor == Monitor::kAp;
    const Score so_far{.ap = by_ap ? best->value : score.ap,
                       .val_loss = by_ap ? best->val_loss : best->value};
    if (!is_better(monitor, score, so_far)) {
      ++validations_without_best;
      return false;
    }
  }
  validations_without_best = 0;
  best = Best{.monitor = monitor,
              .value = score.monitored(monitor),
              .epoch = last_epoch(),
              .step = step,
              .val_loss = score.val_loss};
  return true;
}

}  // namespace dfine::inline checkpoint
