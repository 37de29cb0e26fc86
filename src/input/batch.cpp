#include "input/batch.h"

#include <ATen/ATen.h>

namespace dfine {

Tensor to_model_input(const Tensor& images, at::Device device, at::ScalarType dtype, std::optional<ImageSize> size) {
  Tensor pixels = images.to(device, /*non_blocking=*/true);
  if (size && (size->height != pixels.size(2) || size->width != pixels.size(3))) {
    pixels = at::upsample_nearest2d(pixels, {size->height, size->width});  // before the conversion: a quarter of the memory, same values
  }
  return pixels.to(dtype, false, false, at::MemoryFormat::ChannelsLast).div_(255);
}

Targets to_device(const Targets& targets, at::Device device, at::ScalarType dtype) {
  return {targets.labels.to(device, /*non_blocking=*/true), targets.boxes.to(targets.boxes.options().device(device).dtype(dtype), true),
          targets.counts};
}

}  // namespace dfine
