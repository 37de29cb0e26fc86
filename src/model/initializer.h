#pragma once
// Starting values of weights, all drawn from one generator of its own, on the CPU, in float: equal
// seeds give equal networks.
#include <cstdint>

#include <ATen/core/Generator.h>

#include "tensor.h"

namespace dfine::inline model {

class Initializer {
 public:
  explicit Initializer(uint64_t seed);

  /// U(-bound, bound).
  Tensor uniform(at::IntArrayRef shape, double bound);
  /// N(0, 1).
  Tensor normal(at::IntArrayRef shape);
  /// PyTorch's default for linear and convolution weights and biases: U(-1, 1) / sqrt(fan_in).
  Tensor fan_in_uniform(at::IntArrayRef shape, int64_t fan_in);
  /// Glorot and Bengio 2010: U(-b, b) with b = sqrt(6 / (fan_in + fan_out)).
  Tensor xavier_uniform(at::IntArrayRef shape, int64_t fan_in, int64_t fan_out);

 private:
  at::Generator generator_;
};

/// Bias that makes a sigmoid start at `probability`.
double prior_bias(double probability);

}  // namespace dfine::inline model
