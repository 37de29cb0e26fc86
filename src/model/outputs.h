#pragma once
// What the model returns. B images, Q queries, C classes, R = reg_max + 1 bins an edge, L decoder
// layers.
#include <cstdint>
#include <vector>

#include "tensor.h"

namespace dfine::inline model {

/// One prediction head.
struct HeadOutput {
  Tensor logits;   // [B, Q, C], before the sigmoid
  Tensor boxes;    // [B, Q, 4], cx cy w h, unclamped
  Tensor corners;  // [B, Q, 4 * R] bin logits of left, top, right, bottom; undefined for the `pre`
                   // and `enc` heads
  Tensor ref_points;  // [B, Q, 4] reference boxes of the bins, detached; undefined for the `pre`
                      // and `enc` heads
};

/// Layout of the denoising queries, which come before the normal ones. Empty (groups = 0) without
/// denoising or without boxes.
struct DenoisingMeta {
  int64_t groups = 0;
  int64_t max_boxes = 0;  // M: each group holds M positive then M negative queries
  /// The boxes that have denoising queries, as rows of the batch's boxes, image after image: of
  /// each image M or, where it has fewer, all. Empty: no image of this batch has more than M boxes.
  std::vector<int64_t> kept = {};
  int64_t num_queries() const { return 2 * max_boxes * groups; }
};

/// Heads in training. Evaluation fills only `layers`, with the last layer alone.
struct ModelOutput {
  std::vector<HeadOutput> layers;     // L; the last is the prediction
  HeadOutput pre;                     // first layer's direct boxes
  HeadOutput enc;                     // the selected encoder tokens
  std::vector<HeadOutput> dn_layers;  // L, over the denoising queries; empty if dn.groups == 0
  HeadOutput dn_pre;
  DenoisingMeta dn;
  Tensor up;         // float [1]
  Tensor reg_scale;  // float [1]
};

}  // namespace dfine::inline model
