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
                const Tensor& row_weight, double alpha, double gamma) {
  const int64_t heads = logits.size(0), classes = logits.size(2), cells = logits.numel();
  const Tensor cell =
      query * classes + label;  // [H * K] matched (query, class) in the flattened logits
  const Tensor memory = at::empty({cells + classes}, logits.options());  // the rest is for padding
  Tensor weight = memory.narrow(0, 0, cells).view(logits.sizes());
  at::sigmoid_out(weight, logits.detach()).pow_(gamma).mul_(alpha);
  memory.index_fill_(0, cell, 0);
  if (row_weight.defined()) weight.mul_(row_weight.unsqueeze(1));
  const Tensor others = (weight * log1p_exp(logits)).sum({1, 2});
  const Tensor matched =
      logits.reshape(-1).index_select(0, cell.clamp_max(cells - 1)).view({heads, -1});  // [H, K]
  return others + (iou * (log1p_exp(matched) - matched * iou)).sum(1);
}

BoxSums box_sums(const Tensor& boxes, const Tensor& targets, const Tensor& weight) {
  const IouGiou pairs = box_iou_giou(boxes, targets);
  return {((boxes - targets) * weight.unsqueeze(1)).abs().sum({1, 2}),
          ((1 - pairs.giou) * weight).sum(1), pairs.iou.detach() * weight};
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
  const int64_t rows = confidence.size(0);
  const Tensor matched = (divergence.index_select(1, query.clamp_max(rows - 1)) * iou).sum(1);
  Tensor weight = at::cat({confidence.detach(), confidence.new_empty({1})});  // the last: padding
  const Tensor unmatched = (divergence * weight.index_fill_(0, query, 0).narrow(0, 0, rows)).sum(1);
  const Tensor equal = student.detach().eq(fixed).flatten(1).all(
      1);  // [H]; equal logits leave a rounding residue in KL
  return {matched.masked_fill(equal, 0), unmatched.masked_fill(equal, 0)};
}

}  // namespace dfine::inline loss
