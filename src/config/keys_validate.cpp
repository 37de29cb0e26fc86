// The keys of [validate] and [checkpoint].
#include "config/kinds.h"

namespace dfine::inline config {

void keys(Table<ValidateConfig>& v) {
  using C = ValidateConfig;
  v("every_epochs", &C::every_epochs, whole(0),
    "Epochs between validations. There is also one after the last epoch. 0: no validation.");
  v("batch_size", &C::batch_size, or_auto_once_0(whole(1, 4096)),
    "Validation images per rank and batch; only changes the speed. auto: data.batch_size.");
  v("weights", &C::weights,
    choice<ValidatedWeights>({{"both", ValidatedWeights::kBoth},
                              {"ema", ValidatedWeights::kEma},
                              {"raw", ValidatedWeights::kRaw}}),
    "Which weights are validated. both: EMA and raw weights; the better ones by "
    "checkpoint.monitor are reported and saved as model.safetensors (official: ema). Without "
    "ema.enabled: raw.");
}

void keys(Table<CheckpointConfig>& v) {
  using C = CheckpointConfig;
  v("monitor", &C::monitor,
    choice<Monitor>({{"val_loss", Monitor::kValLoss}, {"ap", Monitor::kAp}}),
    "What decides which checkpoint is `best`: lowest validation loss, or highest COCO AP.");
  v("every_steps", &C::every_steps, whole(0),
    "Write a checkpoint also every N optimizer steps. 0: at the end of each epoch, and as "
    "checkpoint.every_minutes says.");
  v("every_minutes", &C::every_minutes, number(kNotNegative),
    "Write a checkpoint also when the last one is N minutes old. 0: off.");
  v("keep", &C::keep, whole(1),
    "Checkpoints that stay: those of the newest N steps that were saved. The best one, and what "
    "stage 2 goes back to, always stay.");
  v("keep_every", &C::keep_every, whole(0),
    "Keep the checkpoint at the end of every N-th epoch too. 0: none.");
  v("max_failures", &C::max_failures, whole(1),
    "Training goes on when a checkpoint cannot be written (disk full, say), and the earlier ones "
    "stay. N such failures in a row end the run.");
}

}  // namespace dfine::inline config
