#pragma once
// The layers that every part of the network is made of. Parameters carry PyTorch's names (weight,
// bias).
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/nn/module.h>

#include "model/initializer.h"
#include "tensor.h"

namespace dfine::inline model {

/// Submodules named "0", "1", ...; the names are all that it adds to a vector.
template <class M>
class ModuleList : public torch::nn::Module {
 public:
  template <class... Args>
  M& add(Args&&... args) {
    modules_.push_back(register_module(std::to_string(modules_.size()),
                                       std::make_shared<M>(std::forward<Args>(args)...)));
    return *modules_.back();
  }
  size_t size() const { return modules_.size(); }
  M& operator[](size_t i) const { return *modules_[i]; }
  auto begin() const { return modules_.begin(); }
  auto end() const { return modules_.end(); }

 private:
  std::vector<std::shared_ptr<M>> modules_;
};

/// y = x W^T + b over the last dimension.
class Linear : public torch::nn::Module {
 public:
  Linear(int64_t in, int64_t out, Initializer& init);
  Tensor forward(const Tensor& x) const;

  Tensor weight;  // [out, in]
  Tensor bias;    // [out]
};

/// Over the last dimension, eps 1e-5.
class LayerNorm : public torch::nn::Module {
 public:
  explicit LayerNorm(int64_t size);
  Tensor forward(const Tensor& x) const;

  Tensor weight, bias;  // [size]
};

/// Rows by index; row `padding` is zero and gets no gradient.
class Embedding : public torch::nn::Module {
 public:
  Embedding(int64_t rows, int64_t size, int64_t padding, Initializer& init);
  Tensor forward(const Tensor& indices) const;

  Tensor weight;  // [rows, size]

 private:
  int64_t padding_;
};

/// Linear layers with ReLU in between: `layers.0`, `layers.1`, ...
class Mlp : public torch::nn::Module {
 public:
  Mlp(int64_t in, int64_t hidden, int64_t out, int64_t num_layers, Initializer& init);
  Tensor forward(const Tensor& x) const;
  /// The same with the last layer in single precision under autocast too: for outputs that boxes
  /// are made of.
  Tensor forward_full_output(const Tensor& x) const;

  Linear& layer(size_t i) const { return (*layers_)[i]; }
  /// Weight and bias of the last layer to zero.
  void zero_last();

 private:
  /// What the last layer gets.
  Tensor hidden(const Tensor& x) const;

  std::shared_ptr<ModuleList<Linear>> layers_;
};

}  // namespace dfine::inline model
