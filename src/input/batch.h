#pragma once
// One batch of one rank, on its way from the loader to the model.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/targets.h"
#include "tensor.h"

namespace dfine {

struct Batch {
  Tensor images;  // uint8 [B, 3, H, W]
  Targets targets;
  std::vector<size_t> samples;  // [B] image's place in the data set
  double wait_s = 0;            // seconds the consumer waited for this batch
};

/// float (or `dtype`) in [0, 1] on `device`, in channels_last memory format: what the model takes.
Tensor to_model_input(const Tensor& images, at::Device device, at::ScalarType dtype = at::kFloat);

Targets to_device(const Targets& targets, at::Device device, at::ScalarType dtype = at::kFloat);

}  // namespace dfine
