#pragma once
// The official post-processing (zoo/dfine/postprocessor.py, use_focal_loss): the best query-class
// pairs, without suppression.
#include <cstdint>
#include <vector>

#include "core/image_size.h"
#include "model/outputs.h"
#include "tensor.h"

namespace dfine::inline model {

/// Detections of one image, highest score first. K = min(k, Q * C).
struct Detections {
  Tensor scores;  // [K] in (0, 1)
  Tensor labels;  // int64 [K], 0..C-1
  Tensor boxes;   // [K, 4] x0 y0 x1 y1 in pixels of the original image, not clipped to it
};

/// `prediction`: ModelOutput::prediction(); sizes: one for each image of the batch. Several
/// classes of one query may appear.
std::vector<Detections> postprocess(const HeadOutput& prediction,
                                    const std::vector<ImageSize>& sizes, int64_t k = 300);

}  // namespace dfine::inline model
