#include "train/checkpoint/old_run_state.h"

#include "core/error_context.h"

namespace dfine::inline checkpoint {
namespace {

RunState::Best old_best(const PthValue& value) {
  RunState::Best best{.monitor = to_monitor(value.at("monitor").as_string()),
                      .value = value.at("value").as_double(),
                      .epoch = value.at("epoch").as_int(),
                      .step = value.at("step").as_int()};
  if (value.contains("val_loss")) best.val_loss = value.at("val_loss").as_double();
  return best;
}

}  // namespace

RunState old_run_state(const PthValue& state) {
  RunState run;
  const auto read = [&](const char* key, const auto& take) {
    const ErrorContext at("in the entry ", key);
    take(state.at(key));
  };
  read("step", [&](const PthValue& value) { run.step = value.as_int(); });
  read("epoch", [&](const PthValue& value) { run.epoch = value.as_int(); });
  read("epoch_step", [&](const PthValue& value) { run.epoch_samples = value.as_int(); });
  read("val_loss", [&](const PthValue& value) { run.val_loss = value.as_double(); });
  read("world_size", [&](const PthValue& value) { run.world_size = value.as_int(); });
  read("config", [&](const PthValue& value) { run.config = value.as_string(); });
  read("best", [&](const PthValue& value) {
    if (!value.is_none()) run.best = old_best(value);
  });
  if (state.contains("weights"))
    read("weights",
         [&](const PthValue& value) { run.weights = to_weights_kind(value.as_string()); });
  return run;
}

}  // namespace dfine::inline checkpoint
