#include "weights/dfine_tensors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "weights/official_state.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace {

/// A beginning of a name that only this model's files have.
struct Mark {
  std::string_view beginning, model;
};

constexpr const char* kBackbone = "an HGNetv2 backbone without a detector";

/// More telling ones first.
constexpr Mark kMarks[] = {
    {"backbone.res_layers.", "RT-DETR"},
    {"model.backbone.model.embedder.embedder.", "RT-DETR"},  // transformers
    {"backbone.stem.", "RT-DETR with HGNetv2"},              // no D-FINE: see below
    {"transformer.decoder.layers.0.multihead_attn.", "DETR"},
    {"transformer.", "a model of the DETR family"},
    {"model.query_position_embeddings.", "DETR"},  // transformers
    {"model.0.conv.", "YOLO"},
    {"stem.stem1.", kBackbone},
    {"embedder.stem1.", kBackbone},
    {"hgnet_v2.", kBackbone},
};

/// Which other model these are of; empty: unknown, or D-FINE.
std::string_view other_model(const std::map<std::string, Tensor>& tensors) {
  for (const Mark& mark : kMarks) {
    const auto first = tensors.lower_bound(std::string(mark.beginning));
    if (first != tensors.end() && first->first.starts_with(mark.beginning)) return mark.model;
  }
  return {};
}

/// The sum shows most of them at once; it may overflow where all values are finite.
bool is_finite(const Tensor& tensor) {
  const at::NoGradGuard no_grad;
  return !tensor.is_floating_point() ||
         std::isfinite(tensor.sum().to(at::kDouble).item<double>()) ||
         at::isfinite(tensor).all().item<bool>();
}

void require_finite(const std::string& path, const std::map<std::string, Tensor>& tensors) {
  for (const auto& [name, tensor] : tensors) {
    // The official code marks places outside of the image with infinity.
    if (name == "decoder.anchors" || is_finite(tensor)) continue;
    throw Error(kNotFinite,
                str_cat("the weights ", path, " have values that are not finite, in ", name),
                "Their training has diverged: take an earlier checkpoint.");
  }
}

}  // namespace

std::map<std::string, Tensor> read_dfine_tensors(const std::string& path, TensorData data) {
  auto tensors = read_tensor_file(path, data);
  if (data == TensorData::kRead) require_finite(path, tensors);
  if (is_official_state(tensors)) return from_official(tensors);
  const std::string_view other = other_model(tensors);
  if (other.empty()) return tensors;
  throw Error(kWeightsUnsupported, str_cat(path, " holds weights of ", other, ", not of D-FINE"),
              other == kBackbone ? "Give them as model.backbone_weights."
                                 : "Give weights of D-FINE with the backbone HGNetv2.");
}

}  // namespace dfine::inline weights
