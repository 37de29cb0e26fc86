#include <cmath>

#include "onnx_export/rules.h"

namespace dfine::inline onnx_export {
namespace {

void of_one(Operation& op, const char* type) {
  op.result(type, {op.tensor("self")});
}

/// Both operands in the result's type: ONNX mixes no types.
void of_two(Operation& op, const char* type) {
  op.require(!op.has("alpha") || op.number("alpha") == 1, "it scales its second operand");
  op.result(type, {op.tensor("self", op.result_type()), op.tensor("other", op.result_type())});
}

void div(Operation& op) {
  const bool whole = op.has("rounding_mode") && !op.is_none("rounding_mode");
  if (whole) {
    // ONNX divides integers as C does.
    op.require(op.text("rounding_mode") == "trunc" && op.result_type() == at::kLong,
               "it rounds, and not integers towards zero");
  }
  of_two(op, "Div");
}

void remainder(Operation& op) {
  // For integers both take the divisor's sign.
  op.require(op.result_type() == at::kLong, "it is not of integers");
  of_two(op, "Mod");
}

void addcmul(Operation& op) {
  OnnxGraph& graph = op.graph();
  std::string product = graph.add("Mul", {op.tensor("tensor1"), op.tensor("tensor2")});
  if (const double factor = op.number("value"); factor != 1)
    product = graph.add("Mul", {product, op.scalar(factor, op.result_type())});
  op.result("Add", {op.tensor("self"), product});
}

void silu(Operation& op) {
  const std::string x = op.tensor("self");
  op.result("Mul", {x, op.graph().add("Sigmoid", {x})});
}

/// x / 2 * (1 + erf(x / sqrt(2))): opset 17 has no Gelu.
void gelu(Operation& op) {
  op.require(op.text("approximate") == "none", "it is approximated");
  OnnxGraph& graph = op.graph();
  const auto type = op.result_type();
  const std::string x = op.tensor("self");
  const std::string erf =
      graph.add("Erf", {graph.add("Mul", {x, op.scalar(std::sqrt(0.5), type)})});
  op.result("Mul", {graph.add("Mul", {x, op.scalar(0.5, type)}),
                    graph.add("Add", {erf, op.scalar(1, type)})});
}

void clamp(Operation& op) {
  const auto limit = [&](const char* name) {
    return op.is_none(name) ? "" : op.scalar(op.number(name), op.result_type());
  };
  Names inputs{op.tensor("self"), limit("min")};
  if (op.has("max")) inputs.push_back(limit("max"));
  op.result("Clip", inputs);
}

void same(Operation& op) {
  op.result(op.tensor(op.has("self") ? "self" : "input"));
}

void to(Operation& op) {
  op.result(op.tensor("self", op.result_type()));
}

/// `1 - x` is recorded as a tensor like x, filled with 1. One number does as well.
void full_like(Operation& op) {
  op.result(op.scalar(op.number("fill_value"), op.result_type()));
}

}  // namespace

Rules arithmetic_rules() {
  return {{"add", [](Operation& op) { of_two(op, "Add"); }},
          {"sub", [](Operation& op) { of_two(op, "Sub"); }},
          {"mul", [](Operation& op) { of_two(op, "Mul"); }},
          {"div", div},
          {"remainder", remainder},
          {"addcmul", addcmul},
          {"relu", [](Operation& op) { of_one(op, "Relu"); }},
          {"sigmoid", [](Operation& op) { of_one(op, "Sigmoid"); }},
          {"log", [](Operation& op) { of_one(op, "Log"); }},
          {"silu", silu},
          {"gelu", gelu},
          {"clamp", clamp},
          {"clamp_min", clamp},
          {"to", to},
          {"full_like", full_like},
          {"empty_like", same},
          {"detach", same},
          {"contiguous", same}};
}

}  // namespace dfine::inline onnx_export
