// What becomes of small computations: values that no input decides, the batch, what has no rule.
#include "onnx_export/converter.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/error.h"
#include "onnx_export/onnx_file.h"
#include "support/raises.h"

namespace dfine {
namespace {

using Function = Tensor (*)(const Tensor&);

/// Of one input x [B, 4, 6] and one output y.
OnnxGraph converted(Function f) {
  return convert(
      {.computation = [f](const std::vector<Tensor>& in) { return std::vector{f(in[0])}; },
       .inputs = [](int64_t batch) { return std::vector{at::rand({batch, 4, 6})}; },
       .input_names = {"x"},
       .output_names = {"y"}});
}

Names types_of(const OnnxGraph& graph) {
  Names types;
  for (const OnnxNode& node : graph.nodes()) types.push_back(node.type);
  return types;
}

std::string error_of(Function f) {
  try {
    converted(f);
  } catch (const Error& e) {
    EXPECT_FALSE(e.hint().empty());
    return e.what();
  }
  return "no error";
}

void expect_error(Function f, const std::string& part) {
  EXPECT_NE(error_of(f).find(part), std::string::npos) << error_of(f);
}

TEST(Converter, TheBatchIsFree) {
  const OnnxGraph graph = converted([](const Tensor& x) { return x.reshape({-1, 2, 12}).relu(); });
  EXPECT_EQ(graph.inputs()[0].shape, (Shape{kBatchSize, 4, 6}));
  EXPECT_EQ(graph.outputs()[0].shape, (Shape{kBatchSize, 2, 12}));
  ASSERT_EQ(types_of(graph), (Names{"Reshape", "Relu"}));
  const Tensor* const target = graph.constant(graph.nodes()[0].inputs[1]);
  ASSERT_NE(target, nullptr);
  EXPECT_TRUE(target->equal(at::tensor({-1, 2, 12}, at::kLong)));
}

TEST(Converter, TheBatchMayBeAFactorOfASize) {
  const OnnxGraph graph = converted([](const Tensor& x) { return x.reshape({-1, 6}).relu(); });
  EXPECT_EQ(graph.outputs()[0].shape, (Shape{kBatchSize, 6}));
}

TEST(Converter, WhatNoInputDecidesIsComputed) {
  const OnnxGraph graph = converted(
      [](const Tensor& x) { return x + (at::arange(6, x.options()).pow(2) - 1).flip(0); });
  ASSERT_EQ(types_of(graph), Names{"Add"});
  const Tensor* const added = graph.constant(graph.nodes()[0].inputs[1]);
  ASSERT_NE(added, nullptr);
  EXPECT_TRUE(added->equal(at::tensor({24.f, 15.f, 8.f, 3.f, 0.f, -1.f})));
}

TEST(Converter, EqualOperatorsAndConstantsAreShared) {
  const OnnxGraph graph = converted([](const Tensor& x) {
    return (x * at::full({6}, 3.0)).relu() + (x * at::full({6}, 3.0)).relu();
  });
  EXPECT_EQ(types_of(graph), (Names{"Mul", "Relu", "Add"}));
  EXPECT_EQ(graph.constants().size(), 1);
}

TEST(Converter, ReshapesInARowAreOne) {
  const OnnxGraph graph =
      converted([](const Tensor& x) { return x.view({-1, 24}).unsqueeze(0).select(0, 0).relu(); });
  EXPECT_EQ(types_of(graph), (Names{"Reshape", "Relu"}));
}

TEST(Converter, OperatorsInPlaceDoNotChangeTheirInput) {
  const OnnxGraph graph = converted([](const Tensor& x) {
    const Tensor y = x * 2;
    Tensor z = y * 3;
    at::sub_out(z, x, z);  // z = x - z
    return z.relu_() + y;
  });
  ASSERT_EQ(types_of(graph), (Names{"Mul", "Mul", "Sub", "Relu", "Add"}));
  EXPECT_EQ(graph.nodes()[2].inputs, (Names{"x", graph.nodes()[1].outputs[0]}));
}

TEST(Converter, AnOperatorWithoutARuleIsNamed) {
  expect_error([](const Tensor& x) { return x.cumsum(1); }, "aten::cumsum");
  expect_error([](const Tensor& x) { return at::add(x, x, 2); }, "aten::add");
  expect_error([](const Tensor& x) { return at::gelu(x, "tanh"); }, "aten::gelu");
}

TEST(Converter, AConstantMustNotDependOnTheBatch) {
  expect_error([](const Tensor& x) { return x * static_cast<double>(x.size(0)); },
               "the size of the batch");
  expect_error([](const Tensor& x) { return x + at::ones({x.size(0), 1, 1}); },
               "the size of the batch");
}

TEST(Converter, NeitherMustTheNumberOfOperators) {
  EXPECT_NE(error_of([](const Tensor& x) {
              Tensor y = x;
              for (int64_t i = 0; i < x.size(0); ++i) y = y.relu();
              return y;
            }),
            "no error");
}

TEST(Converter, TheFileOfAGraphIsValid) {
  OnnxModel model{.graph = converted([](const Tensor& x) { return x.softmax(-1).sum(1); }),
                  .batch_name = "batch",
                  .metadata = {{"key", "value"}}};
  const std::string bytes = serialize(model);
  EXPECT_NO_THROW(check_onnx(bytes));
  EXPECT_EQ(bytes, serialize(model));
  EXPECT_THROW(check_onnx(bytes.substr(0, bytes.size() / 2)), Error);

  // A wrong type is only a warning of the checker's.
  model.graph.add_output(
      model.graph.add_node("MatMul", {"x", model.graph.add_constant(at::ones({5, 5}))}, {},
                           {at::kFloat})[0],
      "z", {kBatchSize, 4, 5});
  EXPECT_THROW(check_onnx(serialize(model)), Error);
}

}  // namespace
}  // namespace dfine
