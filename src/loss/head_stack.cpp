#include "loss/head_stack.h"

#include <ATen/ATen.h>

#include "core/text.h"

namespace dfine::inline loss {
namespace {

Tensor at_least_float(const Tensor& tensor) {
  return tensor.defined() && at::isReducedFloatingType(tensor.scalar_type()) ? tensor.to(at::kFloat)
                                                                             : tensor;
}

void append(NamedHeads& named, const HeadOutput& head, std::string suffix) {
  if (!head.logits.defined()) return;
  named.heads.push_back({at_least_float(head.logits), at_least_float(head.boxes),
                         at_least_float(head.corners), at_least_float(head.ref_points)});
  named.suffixes.push_back(std::move(suffix));
}

}  // namespace

NamedHeads normal_heads(const ModelOutput& output) {
  NamedHeads named;
  for (size_t i = 0; i < output.layers.size(); ++i)
    append(named, output.layers[i], i + 1 < output.layers.size() ? str_cat("_aux_", i) : "");
  append(named, output.pre, "_pre");
  append(named, output.enc, "_enc_0");
  return named;
}

NamedHeads denoising_heads(const ModelOutput& output) {
  NamedHeads named;
  for (size_t i = 0; i < output.dn_layers.size(); ++i)
    append(named, output.dn_layers[i], str_cat("_dn_", i));
  append(named, output.dn_pre, "_dn_pre");
  return named;
}

HeadStack stack_heads(const NamedHeads& named) {
  HeadStack result{
      .logits = {}, .boxes = {}, .corners = {}, .ref_points = {}, .suffixes = named.suffixes};
  std::vector<Tensor> logits, boxes, corners;
  for (const HeadOutput& head : named.heads) {
    logits.push_back(head.logits.flatten(0, 1));
    boxes.push_back(head.boxes.flatten(0, 1));
    if (head.corners.defined()) corners.push_back(head.corners.flatten(0, 1).unflatten(1, {4, -1}));
  }
  result.logits = at::stack(logits);
  result.boxes = at::stack(boxes);
  if (!corners.empty()) {
    result.corners = at::stack(corners);
    result.ref_points = named.heads.front().ref_points.detach().flatten(0, 1);
  }
  return result;
}

}  // namespace dfine::inline loss
