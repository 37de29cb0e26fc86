#include "learner/padding.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace dfine::inline learner {
namespace {

constexpr int64_t kBoxes = 100;

/// The memory is copied without LibTorch, whose operations would follow the number of boxes.
Tensor pad_rows(const Tensor& rows, int64_t count, double value, bool pin_memory) {
  std::vector<int64_t> shape = rows.sizes().vec();
  shape[0] = count;
  Tensor padded = at::full(shape, value, rows.options().pinned_memory(pin_memory));
  const Tensor dense = rows.contiguous();
  if (dense.nbytes() > 0)
    std::memcpy(padded.mutable_data_ptr(), dense.const_data_ptr(), dense.nbytes());
  return padded;
}

}  // namespace

int64_t padded_boxes(int64_t most_boxes) {
  return std::max<int64_t>(1, (most_boxes + kBoxes - 1) / kBoxes) * kBoxes;
}

Targets pad(const Targets& targets, int64_t boxes_per_image, bool pin_memory) {
  const int64_t rows = targets.num_images() * boxes_per_image;
  return {.labels = pad_rows(targets.labels, rows, 0, pin_memory),
          .boxes = pad_rows(targets.boxes, rows, 0.5, pin_memory),
          .counts = targets.counts,
          .boxes_per_image = boxes_per_image};
}

DenoisingMeta pad(DenoisingMeta meta, const ModelSpec& spec, int64_t boxes_per_image) {
  if (spec.num_denoising <= 0) return meta;
  const int64_t limit = spec.max_denoising_queries / 2;
  const int64_t boxes = limit > 0 ? std::min(boxes_per_image, limit) : boxes_per_image;
  // denoising_meta() makes up to 2 * num_denoising queries, or one group of more boxes than that.
  meta.padding = 2 * std::max(spec.num_denoising, boxes) - meta.num_grouped();
  return meta;
}

}  // namespace dfine::inline learner
