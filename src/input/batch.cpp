#include "input/batch.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "image/unit_floats.h"

namespace dfine::inline input {
namespace {

/// The general path's result in one pass over the memory instead of three.
Tensor to_float_channels_last(const Tensor& images) {
  const int64_t values = 3 * images.size(2) * images.size(3);
  Tensor out = at::empty(
      images.sizes(),
      at::TensorOptions().dtype(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
  const auto* in = images.const_data_ptr<uint8_t>();
  auto* to = out.data_ptr<float>();
  at::parallel_for(0, images.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      to_unit_floats(in + b * values, static_cast<size_t>(values / 3), to + b * values);
  });
  return out;
}

}  // namespace

Tensor to_model_input(const Tensor& images, at::Device device, at::ScalarType dtype,
                      std::optional<ImageSize> size) {
  Tensor pixels = images.to(device, /*non_blocking=*/true);
  if (size && (size->height != pixels.size(2) || size->width != pixels.size(3))) {
    pixels = at::upsample_nearest2d(
        pixels, {size->height,
                 size->width});  // before the conversion: a quarter of the memory, same values
  }
  if (pixels.is_cpu() && dtype == at::kFloat) return to_float_channels_last(pixels.contiguous());
  return pixels.to(dtype, false, false, at::MemoryFormat::ChannelsLast).div_(255);
}

Targets to_device(const Targets& targets, at::Device device, at::ScalarType dtype) {
  return {targets.labels.to(device, /*non_blocking=*/true),
          targets.boxes.to(targets.boxes.options().device(device).dtype(dtype), true),
          targets.counts, targets.boxes_per_image};
}

}  // namespace dfine::inline input
