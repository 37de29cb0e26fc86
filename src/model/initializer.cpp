#include "model/initializer.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

namespace dfine::inline model {

Initializer::Initializer(uint64_t seed)
    : generator_(at::make_generator<at::CPUGeneratorImpl>(seed)) {}

Tensor Initializer::uniform(at::IntArrayRef shape, double bound) {
  return at::empty(shape, at::kFloat).uniform_(-bound, bound, generator_);
}

Tensor Initializer::normal(at::IntArrayRef shape) {
  return at::empty(shape, at::kFloat).normal_(0.0, 1.0, generator_);
}

Tensor Initializer::fan_in_uniform(at::IntArrayRef shape, int64_t fan_in) {
  return uniform(shape, 1.0 / std::sqrt(static_cast<double>(fan_in)));
}

Tensor Initializer::xavier_uniform(at::IntArrayRef shape, int64_t fan_in, int64_t fan_out) {
  return uniform(shape, std::sqrt(6.0 / static_cast<double>(fan_in + fan_out)));
}

double prior_bias(double probability) {
  return std::log(probability / (1.0 - probability));
}

}  // namespace dfine::inline model
