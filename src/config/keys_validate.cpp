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
    "Write checkpoints/last also every N optimizer steps. 0: only at the end of each epoch.");
}

}  // namespace dfine::inline config
