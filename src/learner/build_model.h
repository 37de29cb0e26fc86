#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/choices.h"
#include "model/dfine.h"
#include "model/freezing.h"

namespace dfine::inline learner {

struct ModelOptions {
  ModelSpec spec;
  uint64_t seed = 0;             // of the random initial values
  std::string weights;           // to start from (weights_file()); empty: random values
  std::string backbone_weights;  // of its backbone alone; not read where there are `weights`
  ClassHeads class_heads = ClassHeads::kByName;  // which of their class heads go where
  std::vector<std::string> class_names;          // of the labels 0, 1, ...
  FreezeOptions freeze;
};

/// The model to train, in training mode on the CPU. With `read_weights` false `weights` are not
/// read, because a checkpoint's will follow; otherwise the log says where the class heads come
/// from.
std::shared_ptr<DFine> build_model(const ModelOptions& options, bool read_weights);

/// Parameters with requires_grad, in the model's order.
std::vector<Tensor> trained_parameters(const DFine& model);

}  // namespace dfine::inline learner
