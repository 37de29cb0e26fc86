#pragma once
// Batch normalisation with the three behaviours that training needs: live, live over all ranks, and
// frozen.
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include <torch/nn/module.h>

#include "distributed/communicator.h"
#include "model/last_value.h"
#include "ops/norm_relu.h"
#include "tensor.h"

namespace dfine::inline model {

struct BatchNormOptions {
  /// Registers `num_batches_tracked`. Published files hold it for every norm but those of the
  /// backbone.
  bool counts_batches = true;
};

/// eps 1e-5, momentum 0.1, unbiased variance into the running statistics, as PyTorch's default.
class BatchNorm2d : public torch::nn::Module {
 public:
  BatchNorm2d(int64_t channels, BatchNormOptions options);

  /// True if the output depends on the running statistics alone: frozen, or in evaluation mode.
  /// Then it is a fixed affine map, which folds into the convolution before it.
  bool uses_running_stats() const { return frozen_ || !is_training(); }
  struct Affine {
    Tensor scale, shift;  // [channels], y = x * scale + shift
  };
  /// Kept while its four tensors stay as they are, unless a gradient goes through it.
  Affine affine();

  /// x: [B, C, H, W]. In training, unless frozen, normalises by the batch's own statistics and
  /// updates the running ones, but for the counter: see count_batch. Then come ReLU and affine
  /// block, as `after` says.
  Tensor forward(const Tensor& x, const NormReluOptions& after = {});

  void set_group(const Communicator& group) { group_ = group; }
  /// From now on nothing changes: weight and bias get no gradients, and the running statistics are
  /// used and kept, in training as well.
  void freeze();
  bool frozen() const { return frozen_; }

 private:
  friend void count_batch(const std::vector<BatchNorm2d*>& norms);
  Tensor normalise(const Tensor& x);
  /// In training, and not frozen.
  bool live() const { return is_training() && !frozen_; }

  bool frozen_ = false;
  Tensor weight_, bias_, running_mean_, running_var_;  // [channels]
  Tensor num_batches_tracked_;                         // int64 []
  Communicator group_;
  /// Storage and version of each tensor that the affine map was made of.
  using Origin = std::array<std::pair<const void*, int64_t>, 4>;
  LastValue<Origin, Affine> affine_;
};

/// Adds 1 to `num_batches_tracked` of those that a forward pass has just changed, all in one
/// operation.
void count_batch(const std::vector<BatchNorm2d*>& norms);

/// ReLU and affine block alone. May change x.
Tensor relu_affine(Tensor x, const NormReluOptions& options);

}  // namespace dfine::inline model
