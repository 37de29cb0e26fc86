#pragma once
// Head outputs made by a formula; tests/golden/make_criterion.py is its twin and gives them to the
// official criterion.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "loss/criterion.h"
#include "model/outputs.h"
#include "targets.h"

namespace dfine {

inline constexpr int64_t kClasses = 4, kRegMax = 32;

/// One case of tests/golden/criterion.json.
struct SyntheticCase {
  std::vector<int64_t> counts;
  int64_t queries = 80, layers = 3, num_denoising = 0;
  double reg_scale = 4;
  bool equal = false;  // layer 0 has the teacher's corners
  int64_t classes = kClasses;
};

SyntheticCase read_case(const nlohmann::json& json);

struct SyntheticBatch {
  Targets targets;
  ModelOutput output;
};

SyntheticBatch make_batch(const SyntheticCase& synthetic, at::ScalarType dtype);

/// The tensors of `output` that require gradients.
std::vector<Tensor*> leaves(ModelOutput& output);

/// Their gradients by head: "0.logits", "dn_pre.boxes", "enc.boxes", ...
std::map<std::string, Tensor> head_gradients(const ModelOutput& output);

/// The loss of a batch that is a whole step.
Losses compute_loss(const Criterion& criterion, const ModelOutput& output, const Targets& targets);

}  // namespace dfine
