#pragma once
// The official post-processing (zoo/dfine/postprocessor.py, use_focal_loss): the best query-class
// pairs, without suppression.
#include <cstdint>
#include <vector>

#include "core/image_size.h"
#include "model/outputs.h"
#include "tensor.h"

namespace dfine::inline model {

/// How many query-class pairs of an image are kept.
inline constexpr int64_t kTopPairs = 300;

/// Detections of one image, highest score first. K = min(k, Q * C).
struct Detections {
  Tensor scores;  // [K] in (0, 1)
  Tensor labels;  // int64 [K], 0..C-1
  Tensor boxes;   // [K, 4] x0 y0 x1 y1 in pixels of the original image, not clipped to it
};

/// The same with all images of a batch as the first dimension: scores [B, K] and so on.
using DetectionBatch = Detections;

/// `prediction`: ModelOutput::prediction(); sizes: [B, 2] width and height of each original image,
/// of any type. Several classes of one query may appear.
DetectionBatch postprocess_batch(const HeadOutput& prediction, const Tensor& sizes,
                                 int64_t k = kTopPairs);

/// The same image by image; sizes: one for each image of the batch.
std::vector<Detections> postprocess(const HeadOutput& prediction,
                                    const std::vector<ImageSize>& sizes, int64_t k = kTopPairs);

}  // namespace dfine::inline model
