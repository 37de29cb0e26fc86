#include "onnx_export/rules.h"

namespace dfine::inline onnx_export {
namespace {

/// In opset 17 these two take the dimensions as an attribute.
void reduce(Operation& op, const char* type) {
  op.result(type, {op.tensor("self")},
            {{"axes", op.integers("dim")}, {"keepdims", int64_t{op.flag("keepdim")}}});
}

void sum(Operation& op) {
  op.result("ReduceSum", {op.tensor("self"), op.graph().add_integers(op.integers("dim"))},
            {{"keepdims", int64_t{op.flag("keepdim")}}});
}

void softmax(Operation& op) {
  op.result("Softmax", {op.tensor("self")}, {{"axis", op.integer("dim")}});
}

void matmul(Operation& op) {
  op.result("MatMul", {op.tensor("self"), op.tensor("other")});
}

}  // namespace

Rules reduction_rules() {
  return {{"amax", [](Operation& op) { reduce(op, "ReduceMax"); }},
          {"mean", [](Operation& op) { reduce(op, "ReduceMean"); }},
          {"sum", sum},
          {"softmax", softmax},
          {"matmul", matmul}};
}

}  // namespace dfine::inline onnx_export
