#pragma once
#include <ATen/ops/full.h>

#include <algorithm>

#include "train/checkpoint/checkpoint.h"

namespace dfine {

/// A checkpoint of a few hundred kilobytes whose every value tells `step`.
inline Checkpoint small_checkpoint(int64_t step) {
  const auto value = static_cast<float>(step);
  Checkpoint checkpoint;
  checkpoint.description = {model_spec(ModelSize::kN, 3), {"a", "b", "c"}, {4, 5, 6}};
  checkpoint.learner.model = {
      {"model.backbone.model.embedder.stem4.convolution.weight", at::full({16, 16, 1, 1}, value)},
      {"model.decoder.layers.0.fc1.weight", at::full({512, 128}, value)},
      {"model.enc_score_head.bias", at::full({3}, value)}};
  AdamWState::Group group{{.lr = 3e-4}, {}, {}};
  for (const auto& [name, tensor] : checkpoint.learner.model) {
    const auto index = static_cast<int64_t>(group.indices.size());
    group.indices.push_back(index);
    group.names.push_back(name);
    checkpoint.learner.optimizer.moments[index] = {at::full({}, value), tensor * 2, tensor * 3};
  }
  checkpoint.learner.optimizer.groups.push_back(std::move(group));
  checkpoint.learner.ema.emplace();
  checkpoint.learner.ema->updates = step;
  for (const auto& [name, tensor] : checkpoint.learner.model)
    checkpoint.learner.ema->tensors[name] = tensor + 0.5;
  checkpoint.run.step = step;
  return checkpoint;
}

}  // namespace dfine
