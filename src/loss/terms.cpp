#include "loss/terms.h"

#include <ATen/ATen.h>

#include "loss/box_ops.h"

namespace dfine::inline loss {
namespace {

/// log(1 + exp(x)), exact for large x too (at::softplus turns linear above 20).
Tensor log1p_exp(const Tensor& x) {
  return -at::log_sigmoid(-x);
}

}  // namespace

Tensor vfl_sums(const Tensor& logits, const Tensor& iou, const Tensor& query, const Tensor& label,
                double alpha, double gamma) {
  const int64_t heads = logits.size(0);
  const Tensor cell =
      query * logits.size(2) + label;  // [H * K] matched (query, class) in the flattened logits
  Tensor weight = logits.detach().sigmoid().pow_(gamma).mul_(alpha);
  weight.view(-1).index_fill_(0, cell, 0);
  const Tensor others = (weight * log1p_exp(logits)).sum({1, 2});
  const Tensor matched = logits.reshape(-1).index_select(0, cell).view({heads, -1});  // [H, K]
  return others + (iou * (log1p_exp(matched) - matched * iou)).sum(1);
}

BoxSums box_sums(const Tensor& boxes, const Tensor& targets) {
  const IouGiou pairs = box_iou_giou(boxes, targets);
  return {(boxes - targets).abs().sum({1, 2}), (1 - pairs.giou).sum(1), pairs.iou.detach()};
}

Tensor fgl_sums(const Tensor& corners, const EdgeTargets& targets, const Tensor& iou) {
  const Tensor bins = at::stack({targets.left_bin, targets.left_bin + 1}, -1);         // [K, 4, 2]
  const Tensor share = at::stack({1 - targets.right_share, targets.right_share}, -1);  // [K, 4, 2]
  const Tensor picked =
      corners.log_softmax(-1).gather(-1, bins.expand({corners.size(0), -1, -1, -1}));
  return -((picked * share).sum({2, 3}) * iou).sum(1);
}

DdfSums ddf_sums(const Tensor& student, const Tensor& teacher, const Tensor& iou,
                 const Tensor& confidence, const Tensor& query, double temperature) {
  const Tensor fixed = teacher.detach();
  const Tensor log_teacher = (fixed / temperature).log_softmax(-1);
  const Tensor log_student = (student / temperature).log_softmax(-1);
  const Tensor divergence = (log_teacher.exp() * (log_teacher - log_student)).sum({2, 3}) *
                            (temperature * temperature);  // [H, rows]
  const Tensor matched = (divergence.index_select(1, query) * iou).sum(1);
  const Tensor unmatched = (divergence * confidence.detach().index_fill(0, query, 0)).sum(1);
  const Tensor equal = student.detach().eq(fixed).flatten(1).all(
      1);  // [H]; equal logits leave a rounding residue in KL
  return {matched.masked_fill(equal, 0), unmatched.masked_fill(equal, 0)};
}

}  // namespace dfine::inline loss
