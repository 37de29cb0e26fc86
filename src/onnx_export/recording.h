#pragma once
// The operators that a computation runs, as LibTorch's tracer records them.
#include <torch/csrc/jit/ir/ir.h>

#include <functional>
#include <memory>
#include <vector>

#include "tensor.h"

namespace dfine::inline onnx_export {

/// From inputs to outputs, by LibTorch's operators. It may not depend on gradients.
using Computation = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

/// Runs the computation once. In the result, operators that wrote in place have the form that does
/// not, and what no output depends on is dropped.
std::shared_ptr<torch::jit::Graph> record(const Computation& computation,
                                          const std::vector<Tensor>& inputs);

}  // namespace dfine::inline onnx_export
