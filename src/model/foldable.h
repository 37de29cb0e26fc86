#pragma once

namespace dfine::inline model {

/// What a model that is ready for inference computes with.
enum class Operators {
  kFused,  // also oneDNN's fused convolutions and operators of our own: the fastest here
  kPlain,  // LibTorch's alone, one for each step: what other runtimes have too
};

/// A layer that can be made ready for inference.
class Foldable {
 public:
  virtual ~Foldable() = default;
  /// Computes once what depends on the weights alone. forward() takes it from now on, without
  /// gradients. The weights it is made of become empty. In evaluation mode.
  virtual void fold(Operators operators) = 0;
};

}  // namespace dfine::inline model
