#include "loss/box_ops.h"

#include <ATen/ATen.h>

namespace dfine::inline loss {
namespace {

/// One side of boxes along one axis.
struct Interval {
  Tensor low, high;
  Tensor length() const { return high - low; }
};

Interval interval(const Tensor& boxes, int64_t axis) {
  const Tensor centre = boxes.select(-1, axis),
               half = boxes.select(-1, axis + 2).clamp_min(0) * 0.5;
  return {centre - half, centre + half};
}

Tensor common(const Interval& a, const Interval& b) {
  return (at::minimum(a.high, b.high) - at::maximum(a.low, b.low)).clamp_min(0);
}

Tensor hull(const Interval& a, const Interval& b) {
  return (at::maximum(a.high, b.high) - at::minimum(a.low, b.low)).clamp_min(0);
}

}  // namespace

IouGiou box_iou_giou(const Tensor& a, const Tensor& b) {
  const Interval ax = interval(a, 0), ay = interval(a, 1), bx = interval(b, 0), by = interval(b, 1);
  const Tensor intersection = common(ax, bx) * common(ay, by);
  const Tensor joined = ax.length() * ay.length() + bx.length() * by.length() - intersection;
  const Tensor iou = intersection / joined;
  const Tensor enclosing = hull(ax, bx) * hull(ay, by);
  return {iou, iou - (enclosing - joined) / enclosing};
}

}  // namespace dfine::inline loss
