#pragma once
// One batch of one rank, on its way from the loader to the model.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/image_size.h"
#include "targets.h"
#include "tensor.h"

namespace dfine::inline input {

struct Batch {
  Tensor images;  // uint8 [B, 3, H, W]
  Targets targets;
  std::vector<size_t> samples;  // [B] image's place in the dataset
  double data_time_s = 0;       // seconds the consumer waited for this batch
};

/// float (or `dtype`) in [0, 1] on `device`, in channels_last memory format: what the model takes.
/// With `size` resized to it there, each pixel the nearest one as in
/// torch.nn.functional.interpolate(mode="nearest") (official: BatchImageCollateFunction).
Tensor to_model_input(const Tensor& images, at::Device device, at::ScalarType dtype = at::kFloat,
                      std::optional<ImageSize> size = {});

Targets to_device(const Targets& targets, at::Device device, at::ScalarType dtype = at::kFloat);

}  // namespace dfine::inline input
