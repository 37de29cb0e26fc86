#include "model/postprocess.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline model {

DetectionBatch postprocess_batch(const HeadOutput& prediction, const Tensor& sizes, int64_t k) {
  const Tensor& logits = prediction.logits;
  const int64_t classes = logits.size(2);
  const auto [scores, pair] =
      logits.sigmoid().flatten(1).topk(std::min(k, logits.size(1) * classes), 1);  // [B, K]
  const Tensor labels = pair.remainder(classes);
  const Tensor query = pair.div(classes, "trunc");

  const Tensor center = prediction.boxes.narrow(2, 0, 2),
               half = prediction.boxes.narrow(2, 2, 2) * 0.5;
  const Tensor corners = at::cat({center - half, center + half}, 2);  // [B, Q, 4] x0 y0 x1 y1
  const Tensor chosen = corners.gather(1, query.unsqueeze(2).expand({-1, -1, 4}));  // [B, K, 4]
  // x y of both corners times width and height.
  const Tensor pixels = chosen.view({chosen.size(0), chosen.size(1), 2, 2}) *
                        sizes.to(chosen.scalar_type()).view({chosen.size(0), 1, 1, 2});
  return {scores, labels, pixels.view(chosen.sizes())};
}

std::vector<Detections> postprocess(const HeadOutput& prediction,
                                    const std::vector<ImageSize>& sizes, int64_t k) {
  const int64_t batch = prediction.logits.size(0);
  if (static_cast<int64_t>(sizes.size()) != batch)
    throw Error(ErrorCode::kInternal, str_cat(sizes.size(), " image sizes for a batch of ", batch));
  std::vector<float> sides;
  for (const auto [height, width] : sizes) {
    sides.push_back(static_cast<float>(width));
    sides.push_back(static_cast<float>(height));
  }
  const DetectionBatch found = postprocess_batch(
      prediction, at::tensor(sides).view({batch, 2}).to(prediction.boxes.device()), k);
  std::vector<Detections> result;
  for (int64_t i = 0; i < batch; ++i)
    result.push_back({found.scores[i], found.labels[i], found.boxes[i]});
  return result;
}

}  // namespace dfine::inline model
