#pragma once
// The five losses as plain sums over matched pairs or queries, for several heads at once; the
// criterion weights and normalises them. H heads over the same `rows` queries (those of all images
// one after another), C classes, R bins per edge, K pairs per head. Pairs may be padding: their
// query lies beyond the last one, their IoU or weight is 0, and they count for nothing.
#include "loss/bbox2distance.h"
#include "tensor.h"

namespace dfine::inline loss {

/// Varifocal loss (Zhang et al. 2021) of each head, [H]. A matched class has the IoU as target and
/// as weight, everything else has target 0 and weight alpha * p^gamma.
///
/// logits: [H, rows, C]. iou: [H, K] of the pairs, constant. query: int64 [H * K] counting through
/// all heads' rows. label: int64 [H * K]. row_weight: [rows] 0 for queries that do not count;
/// undefined where all do.
Tensor vfl_sums(const Tensor& logits, const Tensor& iou, const Tensor& query, const Tensor& label,
                const Tensor& row_weight, double alpha, double gamma);

struct BoxSums {
  Tensor l1;    // [H]
  Tensor giou;  // [H] sum of 1 - GIoU
  Tensor iou;   // [H, K] constant, weighted too
};

/// Of matched boxes [H, K, 4] against their targets [K, 4], weighted with [K].
BoxSums box_sums(const Tensor& boxes, const Tensor& targets, const Tensor& weight);

/// Fine-grained localisation loss of each head, [H]: cross-entropy to the two bins around the true
/// edge, weighted with the (constant) IoU of the head's box. corners: [H, K, 4, R] of the matched
/// queries; iou: [H, K].
Tensor fgl_sums(const Tensor& corners, const EdgeTargets& targets, const Tensor& iou);

struct DdfSums {
  Tensor matched;    // [H]
  Tensor unmatched;  // [H]
};

/// Decoupled distillation focal loss of each student head, as two sums over queries and edges of
/// temperature^2 * KL(teacher || student). A matched query is weighted with the IoU of the
/// student's box, any other with `confidence`. The teacher is constant. A student that equals the
/// teacher bit for bit gets exactly 0. student: [H, rows, 4, R]; teacher: [rows, 4, R]; iou: [H,
/// K]; confidence: [rows]; query: int64 [K] rows that are matched, each once.
DdfSums ddf_sums(const Tensor& student, const Tensor& teacher, const Tensor& iou,
                 const Tensor& confidence, const Tensor& query, double temperature);

}  // namespace dfine::inline loss
