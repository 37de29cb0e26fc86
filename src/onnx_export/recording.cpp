#include "onnx_export/recording.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <string>

namespace dfine::inline onnx_export {

std::shared_ptr<torch::jit::Graph> record(const Computation& computation,
                                          const std::vector<Tensor>& inputs) {
  using torch::jit::Stack;
  const at::NoGradGuard no_grad;
  const auto run = [&](const Stack& stack) {
    std::vector<Tensor> given;
    for (const auto& value : stack) given.push_back(value.toTensor());
    Stack outputs;
    for (const Tensor& output : computation(given)) outputs.emplace_back(output);
    return outputs;
  };
  const auto no_name = [](const Tensor&) { return std::string(); };
  const auto state = torch::jit::tracer::trace(Stack(inputs.begin(), inputs.end()), run, no_name,
                                               /*strict=*/true, /*force_outplace=*/true)
                         .first;
  // No other pass: merging equal nodes would merge a batch of 2 with any other 2.
  torch::jit::EliminateDeadCode(state->graph);
  return state->graph;
}

}  // namespace dfine::inline onnx_export
