#pragma once
// A checkpoint is a folder: config.json, preprocessor_config.json and model.safetensors, which
// transformers' from_pretrained opens, state.pth, from which training continues and which
// `torch.load(path, weights_only=True)` opens, and metrics.json, for people.
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "optim/adamw.h"
#include "optim/grad_scaler.h"
#include "tensor.h"
#include "weights/hf_config.h"
#include "weights/run_state.h"

namespace dfine::inline run {

/// What a learner holds.
struct LearnerState {
  std::map<std::string, Tensor> model;  // raw weights: parameters and buffers by name
  AdamWState optimizer;
  std::optional<GradScaler::State> scaler;  // unset: not in half precision. In state.pth as
                                            // torch.amp.GradScaler.state_dict() has it

  struct Average {
    std::map<std::string, Tensor> tensors;  // as model
    int64_t updates = 0;
    std::optional<double> restarted_decay;  // see Ema::restart
  };
  std::optional<Average> ema;  // unset: off

  /// As RunState::entries.
  template <class Learner, class Visit>
  static void entries(Learner& learner, const Visit& visit) {
    visit("model_state_dict", learner.model);
    visit("optimizer_state_dict", learner.optimizer);
    visit("scaler", learner.scaler);
    visit("ema", learner.ema);
  }
};

struct Checkpoint {
  ModelDescription description;  // config.json and preprocessor_config.json
  LearnerState learner;
  RunState run;

  /// What model.safetensors holds: without an average the raw weights.
  WeightsKind held_weights() const { return learner.ema ? run.weights : WeightsKind::kRaw; }
};

/// Writes the folder `dir` (its parents too); an existing one is replaced only once the new one is
/// complete and on disk, so that at any moment, also after a crash, `dir` holds a whole checkpoint.
/// metrics.json: {"step", "epoch", "weights": "ema" or "raw", "validations": [{"weights", "step",
/// "epoch", "metrics": {by name}}]}, epoch as the number of epochs completed; metrics that are not
/// finite are null.
void save_checkpoint(const std::string& dir, const Checkpoint& checkpoint);

/// What load_checkpoint() says of the model and its classes; Error where it throws one for missing
/// files.
ModelDescription describe_checkpoint(const std::string& dir);

/// Reads it back; tensors are on the CPU. Older folders lack metrics.json and do not tell what
/// `weights` is: the EMA if there is one. An Error names the file that is missing or damaged
/// and the entry that is wrong.
Checkpoint load_checkpoint(const std::string& dir);

/// Throws one Error that lists all differences unless `saved` and `model` are exactly the same in
/// names, shapes and types.
void require_same_tensors(const std::map<std::string, Tensor>& saved,
                          const std::map<std::string, Tensor>& model);

/// Copies `saved` into the tensors of `model` (parameters and buffers by name), which must be the
/// same; else an Error as above and nothing is copied.
void restore_tensors(const std::map<std::string, Tensor>& saved,
                     const std::map<std::string, Tensor>& model);

}  // namespace dfine::inline run
