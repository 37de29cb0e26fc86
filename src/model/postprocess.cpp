#include "model/postprocess.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline model {

std::vector<Detections> postprocess(const HeadOutput& prediction,
                                    const std::vector<ImageSize>& sizes, int64_t k) {
  const Tensor& logits = prediction.logits;
  const int64_t batch = logits.size(0), classes = logits.size(2);
  if (static_cast<int64_t>(sizes.size()) != batch)
    throw Error(ErrorCode::kInternal, str_cat(sizes.size(), " image sizes for a batch of ", batch));
  const auto [scores, pair] =
      logits.sigmoid().flatten(1).topk(std::min(k, logits.size(1) * classes), 1);  // [B, K]
  const Tensor labels = pair.remainder(classes);
  const Tensor query = pair.div(classes, "trunc");

  const Tensor center = prediction.boxes.narrow(2, 0, 2),
               half = prediction.boxes.narrow(2, 2, 2) * 0.5;
  const Tensor corners = at::cat({center - half, center + half}, 2);  // [B, Q, 4] x0 y0 x1 y1
  const Tensor chosen = corners.gather(1, query.unsqueeze(2).expand({-1, -1, 4}));  // [B, K, 4]
  std::vector<Detections> result;
  for (int64_t i = 0; i < batch; ++i) {
    const auto [height, width] = sizes[static_cast<size_t>(i)];
    const auto w = static_cast<double>(width), h = static_cast<double>(height);
    result.push_back(
        {scores[i], labels[i], chosen[i] * at::tensor({w, h, w, h}, chosen.options())});
  }
  return result;
}

}  // namespace dfine::inline model
