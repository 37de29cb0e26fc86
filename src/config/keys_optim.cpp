// The keys of [optim].
#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "config/by_size.h"
#include "config/kinds.h"

namespace dfine::inline config {
namespace {

Kind<std::vector<double>> rising() {
  return {.allowed = "list of numbers > 0, each larger than the one before",
          .read = [](const ConfigValue& value) {
            const auto given = number_list(value);
            return given && std::all_of(given->begin(), given->end(), kPositive.contains) &&
                           std::adjacent_find(given->begin(), given->end(),
                                              std::greater_equal<>()) == given->end()
                       ? given
                       : std::nullopt;
          }};
}

}  // namespace

void keys(Table<OptimConfig>& v) {
  using C = OptimConfig;
  v("lr", &C::lr, number(kPositive),
    "Learning rate of AdamW, for a global batch (data.batch_size x ranks x "
    "train.gradient_accumulation_steps) of optim.base_batch.");
  v("backbone_lr", &C::backbone_lr, or_auto_once_0(number(kPositive)),
    "Learning rate of the backbone. auto: the same as optim.lr.");
  v("base_batch", &C::base_batch, or_auto_once_0(whole(1)),
    str_cat("Global batch that optim.lr and optim.backbone_lr refer to. auto: the global batch of "
            "the run, that is no scaling (official: ",
            by_size(&ModelVariant::global_batch), ")."));
  v("scale_lr", &C::scale_lr,
    choice<LrScaling>(
        {{"none", LrScaling::kNone}, {"linear", LrScaling::kLinear}, {"sqrt", LrScaling::kSqrt}}),
    "How the learning rates follow the global batch B: times B / optim.base_batch, times its "
    "square root, or not at all. The official README doubles them for a doubled batch. For AdamW "
    "the square root keeps training the same.");
  v("scale_schedule", &C::scale_schedule, flag(),
    "Also scale the EMA and the warm-ups with the global batch, as the official README says. For "
    "a batch k times as large, 1 - ema.decay is multiplied by k; ema.warmup_steps and "
    "optim.warmup_steps are divided by k. Values that are auto are not affected.");
  v("schedule", &C::schedule,
    choice<LrSchedule>({{"constant", LrSchedule::kConstant},
                        {"multistep", LrSchedule::kMultistep},
                        {"flat_cosine", LrSchedule::kFlatCosine}}),
    "Learning rates after the warm-up. constant: no change (official: its milestone is beyond "
    "the last epoch). multistep: see optim.milestones. flat_cosine: constant for "
    "optim.flat_epochs, then a cosine down to optim.final_lr_factor at train.stage2_epoch, or at "
    "the end if that is 0 (as DEIM).");
  v("milestones", &C::milestones, rising(),
    "Epochs at which schedule = \"multistep\" multiplies the learning rates by optim.gamma.");
  v("gamma", &C::gamma, number(kPositive),
    "Factor of the learning rates at each of optim.milestones.");
  v("flat_epochs", &C::flat_epochs, or_auto_once_0(number(kPositive)),
    "Epochs before the cosine of schedule = \"flat_cosine\" begins. auto: half of train.epochs.");
  v("final_lr_factor", &C::final_lr_factor, number(kNotNegative),
    "Final learning rate of that cosine, as a fraction of the initial one (DEIM: 0.5).");
  v("warmup_steps", &C::warmup_steps, or_auto(whole(0)),
    "Steps in which the learning rates rise linearly from lr / warmup_steps. 0: no warm-up. "
    "auto: a twentieth of the run, at most 500 (official: 500).");
  v("warmup_epochs", &C::warmup_epochs, or_auto_once_0(number(kPositive)),
    "The same in epochs. auto: optim.warmup_steps counts.");
  v("weight_decay", &C::weight_decay, number(kNotNegative),
    "Decoupled weight decay of all parameters except those of optim.no_decay.");
  v("no_decay", &C::no_decay, patterns(),
    "Regular expressions (ECMAScript). Parameters in whose \"ROLE NAME\" one of them is found "
    "have no weight decay. NAME is the published name. ROLE is PART.norm.weight, PART.norm.bias, "
    "PART.weight or PART.bias, where PART is backbone, encoder or decoder. Official: n s m "
    "'^(en|de)coder\\.(norm|bias)', l x '^(en|de)coder\\.norm'; the backbone's norms are decayed.");
  v("beta1", &C::beta1, number(kBelowOne), "AdamW's decay rate of the first moment.");
  v("beta2", &C::beta2, number(kBelowOne), "AdamW's decay rate of the second moment.");
  v("eps", &C::eps, number(kPositive), "AdamW's term against division by zero.");
  v("clip_norm", &C::clip_norm, number(kNotNegative),
    "Gradients are scaled down to at most this global norm. 0: no clipping (official: 0.1).");
}

}  // namespace dfine::inline config
