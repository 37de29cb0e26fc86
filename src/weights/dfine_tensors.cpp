#include "weights/dfine_tensors.h"

#include <algorithm>
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

}  // namespace

std::map<std::string, Tensor> read_dfine_tensors(const std::string& path, TensorData data) {
  auto tensors = read_tensor_file(path, data);
  if (is_official_state(tensors)) return from_official(tensors);
  const std::string_view other = other_model(tensors);
  if (other.empty()) return tensors;
  throw Error(kWeightsUnsupported, str_cat(path, " holds weights of ", other, ", not of D-FINE"),
              other == kBackbone ? "Give them as model.backbone_weights."
                                 : "Give weights of D-FINE with the backbone HGNetv2.");
}

}  // namespace dfine::inline weights
