#pragma once
// A fixed batch of noise with boxes, for benchmarks of the step.
#include <ATen/ATen.h>

#include <vector>

#include "core/random.h"
#include "input/batch.h"

namespace dfine {

inline Batch made_batch(int64_t batch, int64_t side, int64_t boxes, int64_t classes) {
  CounterRandom random(1, Stream::kTest, 0);
  Batch out;
  out.images = at::empty({batch, 3, side, side}, at::kByte);
  auto* pixel = out.images.data_ptr<uint8_t>();
  for (int64_t i = 0; i < out.images.numel(); ++i)
    pixel[i] = static_cast<uint8_t>(random.next_u32());
  std::vector<int64_t> labels;
  std::vector<float> xywh;
  for (int64_t i = 0; i < batch; ++i) {
    out.targets.counts.push_back(boxes);
    for (int64_t k = 0; k < boxes; ++k) {
      const float w = 0.05F + 0.35F * random.uniform(), h = 0.05F + 0.35F * random.uniform();
      labels.push_back(static_cast<int64_t>(random.below(static_cast<uint64_t>(classes))));
      xywh.insert(xywh.end(),
                  {w / 2 + (1 - w) * random.uniform(), h / 2 + (1 - h) * random.uniform(), w, h});
    }
  }
  out.targets.labels = at::tensor(labels, at::kLong);
  out.targets.boxes = at::tensor(xywh).reshape({-1, 4});
  return out;
}

}  // namespace dfine
