#pragma once
// Weights of the backbone alone, as trained for classification on ImageNet.
#include <map>
#include <string>

#include "tensor.h"

namespace dfine::inline weights {

/// The published name of a tensor of HGNetv2 as the official code, timm or transformers call it:
/// `stem.stem1.conv.weight` and `hgnet_v2.embedder.stem1.convolution.weight` are
/// `model.backbone.model.embedder.stem1.convolution.weight`. Empty for the classifier's tensors. A
/// name of none of these stays as it is.
std::string published_backbone_name(const std::string& name);

/// Copies the weights at `path` into the backbone of `model` (tensors by published name), in place.
/// They are the official PPHGNetV2_B*_stage1.pth, a file of timm's model of the same network, or a
/// Hugging Face folder of HGNetv2. The classifier of ImageNet is skipped.
///
/// What does not match (missing, unexpected, shape, type) is one Error that lists all of it, and
/// says which network these weights are of. `model` is then left untouched. Batch counters may be
/// missing or superfluous.
void load_backbone_weights(const std::string& path, const std::map<std::string, Tensor>& model);

}  // namespace dfine::inline weights
