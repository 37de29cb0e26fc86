#pragma once
#include <optional>
#include <unordered_map>

#include <c10/core/ScalarType.h>

#include "tensor.h"

namespace dfine::inline model {

/// The copies of weights that autocast computes with. Autocast itself makes them one by one in
/// every forward pass; here one multi-tensor operation makes all of them. Values and gradients are
/// the same. Not thread-safe.
class WeightCopies {
 public:
  /// While it lives, autocast_weight() on this thread takes these copies. Copies that exist already
  /// are made again at the start, because an update has changed the weights.
  class Use {
   public:
    /// `type`: of autocast; unset: autocast is off, and nothing happens.
    Use(WeightCopies& copies, std::optional<at::ScalarType> type);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    WeightCopies* const before_;
  };

 private:
  friend Tensor autocast_weight(const Tensor& weight);
  struct Copy {
    Tensor weight, value;
    Tensor in_graph;  // value, with the way back to the weight; undefined until it is asked for
  };
  void renew(at::ScalarType type);
  Tensor of(const Tensor& weight);

  at::ScalarType type_ = at::kFloat;
  std::unordered_map<const void*, Copy> copies_;  // by the weight's TensorImpl
};

/// A float weight for a product or a convolution: its copy if autocast is on and copies are in use,
/// else itself.
Tensor autocast_weight(const Tensor& weight);

}  // namespace dfine::inline model
