#pragma once
// What an exported file's inputs and outputs are.
#include <memory>
#include <string>

#include "core/image_size.h"
#include "model/dfine.h"
#include "onnx_export/converter.h"

namespace dfine::inline onnx_export {

enum class Layout {
  /// As optimum, transformers.js and inference4j expect:
  /// - in: `pixel_values` float [B, 3, H, W] in [0, 1]
  /// - out: `logits` [B, Q, C] before the sigmoid; `pred_boxes` [B, Q, 4] cx cy w h in [0, 1]
  kHub,
  /// As the official tools/deployment/export_onnx.py writes, with post-processing:
  /// - in: `images` as above; `orig_target_sizes` int64 [B, 2] width height
  /// - out: `labels` int64 [B, K]; `boxes` [B, K, 4] x0 y0 x1 y1 in pixels of that size; `scores`
  ///   [B, K], best first
  kOfficial,
};

/// "hub" or "official"; throws UsageError for others.
Layout parse_layout(const std::string& name);

/// The name of the free dimension.
std::string batch_name(Layout layout);

/// The model's forward pass on images of that size. The model is prepared for inference with plain
/// operators, and no parameter needs a gradient.
BatchComputation forward_pass(std::shared_ptr<DFine> model, Layout layout, ImageSize size);

}  // namespace dfine::inline onnx_export
