#include <ATen/ATen.h>

#include <cmath>

#include "onnx_export/rules.h"

namespace dfine::inline onnx_export {
namespace {

/// LibTorch takes one number for both directions of an image.
Shape both(Shape sizes) {
  if (sizes.size() == 1) sizes.push_back(sizes[0]);
  return sizes;
}

/// The same padding at both ends.
Shape at_both_ends(const Shape& padding) {
  const Shape p = both(padding);
  return {p[0], p[1], p[0], p[1]};
}

void convolution(Operation& op) {
  op.require(!op.flag("transposed"), "it is transposed");
  Names inputs{op.tensor("input"), op.tensor("weight")};
  if (!op.is_none("bias")) inputs.push_back(op.tensor("bias"));
  op.result("Conv", inputs,
            {{"strides", both(op.integers("stride"))},
             {"pads", at_both_ends(op.integers("padding"))},
             {"dilations", both(op.integers("dilation"))},
             {"group", op.integer("groups")}});
}

void linear(Operation& op) {
  // The transposed weight as a constant: MatMul takes no transposed input.
  const std::string weight = op.graph().add_constant(op.known_tensor("weight").t());
  const std::string product = op.graph().add("MatMul", {op.tensor("input"), weight});
  op.result(op.is_none("bias") ? product : op.graph().add("Add", {product, op.tensor("bias")}));
}

void layer_norm(Operation& op) {
  const auto dimensions = static_cast<int64_t>(op.integers("normalized_shape").size());
  op.result("LayerNormalization", {op.tensor("input"), op.tensor("weight"), op.tensor("bias")},
            {{"axis", -dimensions}, {"epsilon", static_cast<float>(op.number("eps"))}});
}

void attention(Operation& op) {
  op.require(op.is_none("attn_mask") && !op.flag("is_causal"), "it has a mask");
  op.require(op.number("dropout_p") == 0, "it drops weights");
  op.require(op.is_none("scale") && !op.flag("enable_gqa"), "it has a scale or groups of its own");
  OnnxGraph& graph = op.graph();
  const Shape keys = op.shape("key");
  op.require(keys.size() == 4, "its inputs do not have four dimensions");
  const std::string scale = op.scalar(1 / std::sqrt(static_cast<double>(keys.back())), at::kFloat);
  const std::string queries = graph.add("Mul", {op.tensor("query"), scale});
  const std::string turned =
      graph.add("Transpose", {op.tensor("key")}, {{"perm", Shape{0, 1, 3, 2}}});
  const std::string weights =
      graph.add("Softmax", {graph.add("MatMul", {queries, turned})}, {{"axis", int64_t{-1}}});
  op.result("MatMul", {weights, op.tensor("value")});
}

void grid_sampler(Operation& op) {
  op.require(op.integer("interpolation_mode") == 0 && op.integer("padding_mode") == 0,
             "it is not bilinear with zeros outside");
  op.result("GridSample", {op.tensor("input"), op.tensor("grid")},
            {{"mode", "bilinear"},
             {"padding_mode", "zeros"},
             {"align_corners", int64_t{op.flag("align_corners")}}});
}

void max_pool(Operation& op) {
  op.result("MaxPool", {op.tensor("self")},
            {{"kernel_shape", both(op.integers("kernel_size"))},
             {"strides", both(op.integers("stride"))},
             {"pads", at_both_ends(op.integers("padding"))},
             {"dilations", both(op.integers("dilation"))},
             {"ceil_mode", int64_t{op.flag("ceil_mode")}}});
}

void upsample_nearest(Operation& op) {
  const Shape from = op.shape(op.has("self") ? "self" : "input"), to = op.result_shape();
  std::vector<float> factors{1, 1};
  for (size_t i = 2; i < 4; ++i) {
    op.require(to[i] % from[i] == 0, "it does not enlarge by a whole number");
    factors.push_back(static_cast<float>(to[i] / from[i]));
  }
  op.result("Resize",
            {op.tensor(op.has("self") ? "self" : "input"), "",
             op.graph().add_constant(at::tensor(factors))},
            {{"mode", "nearest"},
             {"coordinate_transformation_mode", "asymmetric"},
             {"nearest_mode", "floor"}});
}

void constant_pad(Operation& op) {
  // LibTorch: begin and end of the last dimension first. ONNX: all begins, then all ends.
  const Shape padding = op.integers("pad");
  const size_t rank = op.shape("self").size();
  Shape pads(2 * rank, 0);
  for (size_t i = 0; i < padding.size() / 2; ++i) {
    pads[rank - 1 - i] = padding[2 * i];
    pads[2 * rank - 1 - i] = padding[2 * i + 1];
  }
  op.result("Pad", {op.tensor("self"), op.graph().add_integers(pads),
                    op.scalar(op.number("value"), op.result_type())});
}

}  // namespace

Rules layer_rules() {
  return {{"_convolution", convolution},
          {"linear", linear},
          {"layer_norm", layer_norm},
          {"scaled_dot_product_attention", attention},
          {"grid_sampler", grid_sampler},
          {"max_pool2d", max_pool},
          {"upsample_nearest2d", upsample_nearest},
          {"constant_pad_nd", constant_pad}};
}

}  // namespace dfine::inline onnx_export
