// Which operators compute in half precision.
#include "onnx_export/half_precision.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "onnx_export/converter.h"
#include "onnx_export/onnx_file.h"

namespace dfine {
namespace {

using Function = std::vector<Tensor> (*)(const Tensor&);

OnnxGraph in_half(Function f, const Names& outputs) {
  return to_half_precision(
      convert({.computation = [f](const std::vector<Tensor>& in) { return f(in[0]); },
               .inputs = [](int64_t batch) { return std::vector{at::rand({batch, 4, 8, 8})}; },
               .input_names = {"x"},
               .output_names = outputs}));
}

/// "Conv:half" and so on, without casts.
Names types_of(const OnnxGraph& graph) {
  Names types;
  for (const OnnxNode& node : graph.nodes())
    if (node.type != "Cast")
      types.push_back(node.type +
                      (graph.type_of(node.outputs[0]) == at::kHalf ? ":half" : ":single"));
  return types;
}

void expect_valid(const OnnxGraph& graph) {
  EXPECT_NO_THROW(check_onnx(serialize({.graph = graph, .batch_name = "batch", .metadata = {}})));
  for (const OnnxPort& port : graph.inputs()) EXPECT_EQ(port.type, at::kFloat) << port.name;
  for (const OnnxPort& port : graph.outputs()) EXPECT_NE(port.type, at::kHalf) << port.name;
}

TEST(HalfPrecision, ConvolutionsAndWhatLiesBetweenThem) {
  const OnnxGraph graph = in_half(
      [](const Tensor& x) {
        const Tensor weight = at::ones({4, 4, 1, 1}), bias = at::ones({4});
        const Tensor once = at::conv2d(x, weight, bias).relu() + 1;
        const Tensor twice = at::conv2d(at::upsample_nearest2d(once, {16, 16}), weight, bias);
        return std::vector{at::layer_norm(twice, {16}, at::ones({16}), at::ones({16}))};
      },
      {"y"});
  expect_valid(graph);
  EXPECT_EQ(types_of(graph), (Names{"Conv:half", "Relu:half", "Add:half", "Resize:half",
                                    "Conv:half", "LayerNormalization:single"}));
}

TEST(HalfPrecision, OutputsAreExactBackToTheLastLayer) {
  const OnnxGraph graph = in_half(
      [](const Tensor& x) {
        const Tensor weight = at::ones({8, 8});
        const Tensor hidden = at::linear(x, weight).relu();
        return std::vector{at::linear(hidden, weight).softmax(-1).matmul(at::ones({8})) * 2};
      },
      {"y"});
  expect_valid(graph);
  EXPECT_EQ(types_of(graph), (Names{"MatMul:half", "Relu:half", "MatMul:single", "Softmax:single",
                                    "MatMul:single", "Mul:single"}));
}

TEST(HalfPrecision, PositionsAndChoicesAreExact) {
  const OnnxGraph graph = in_half(
      [](const Tensor& x) {
        const Tensor weight = at::ones({8, 8});
        const Tensor features = at::conv2d(x, at::ones({4, 4, 1, 1}));
        const Tensor scores = at::linear(features, weight).flatten(1);  // single
        const Tensor place = std::get<1>(scores.topk(128, 1)).view({-1, 4, 16, 2});
        const Tensor offsets = at::linear(features, weight).view({-1, 8, 16, 2});  // the same
        const Tensor seen = at::grid_sampler(
            features, offsets * 0.1 + place.to(at::kFloat).sum(1, true), 0, 0, false);
        return std::vector{
            at::conv2d(seen, at::ones({4, 4, 1, 1})).relu().matmul(at::ones({16, 3}))};
      },
      {"y"});
  expect_valid(graph);
  for (const OnnxNode& node : graph.nodes()) {
    if (node.type == "GridSample") {
      EXPECT_EQ(graph.type_of(node.inputs[1]), at::kFloat);
      // Nothing of the positions passed through half precision.
      EXPECT_NE(graph.producer(node.inputs[1])->type, "Cast");
    }
    if (node.type == "TopK") {
      EXPECT_EQ(graph.type_of(node.inputs[0]), at::kFloat);
    }
    if (node.type == "MatMul") {
      EXPECT_EQ(graph.type_of(node.outputs[0]), at::kFloat);
    }
    if (node.type == "Conv") {
      EXPECT_EQ(graph.type_of(node.outputs[0]), at::kHalf);
    }
  }
}

}  // namespace
}  // namespace dfine
