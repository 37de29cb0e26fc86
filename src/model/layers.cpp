#include "model/layers.h"

#include <ATen/ATen.h>

#include "model/full_precision.h"
#include "model/weight_copies.h"

namespace dfine::inline model {

Linear::Linear(int64_t in, int64_t out, Initializer& init)
    : weight(register_parameter("weight", init.fan_in_uniform({out, in}, in))),
      bias(register_parameter("bias", init.fan_in_uniform({out}, in))) {}

Tensor Linear::forward(const Tensor& x) const {
  return at::linear(x, autocast_weight(weight), autocast_weight(bias));
}

LayerNorm::LayerNorm(int64_t size)
    : weight(register_parameter("weight", at::ones({size}))),
      bias(register_parameter("bias", at::zeros({size}))) {}

Tensor LayerNorm::forward(const Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, 1e-5);
}

Embedding::Embedding(int64_t rows, int64_t size, int64_t padding, Initializer& init)
    : padding_(padding) {
  Tensor table = init.normal({rows, size});
  table[padding].zero_();
  weight = register_parameter("weight", std::move(table));
}

Tensor Embedding::forward(const Tensor& indices) const {
  return at::embedding(weight, indices, padding_);
}

Mlp::Mlp(int64_t in, int64_t hidden, int64_t out, int64_t num_layers, Initializer& init)
    : layers_(register_module("layers", std::make_shared<ModuleList<Linear>>())) {
  for (int64_t i = 0; i < num_layers; ++i) {
    layers_->add(i == 0 ? in : hidden, i + 1 == num_layers ? out : hidden, init);
  }
}

Tensor Mlp::hidden(const Tensor& x) const {
  Tensor y = x;
  for (size_t i = 0; i + 1 < layers_->size(); ++i) y = layer(i).forward(y).relu_();
  return y;
}

Tensor Mlp::forward(const Tensor& x) const {
  return layer(layers_->size() - 1).forward(hidden(x));
}

Tensor Mlp::forward_full_output(const Tensor& x) const {
  const Tensor last = hidden(x);
  const FullPrecision guard(x.device().type());
  return layer(layers_->size() - 1).forward(to_full(last));
}

void Mlp::zero_last() {
  at::NoGradGuard no_grad;
  Linear& last = layer(layers_->size() - 1);
  last.weight.zero_();
  last.bias.zero_();
}

}  // namespace dfine::inline model
