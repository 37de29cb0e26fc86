#pragma once
#include <torch/csrc/jit/ir/ir.h>

#include <map>

namespace dfine::inline onnx_export {

/// The values of a recording that do not depend on its inputs.
class KnownValues {
 public:
  /// Computes the results of `node` if all its inputs are known; returns whether they are.
  bool evaluate(torch::jit::Node* node);

  bool has(const torch::jit::Value* value) const { return values_.contains(value); }
  const c10::IValue& at(const torch::jit::Value* value) const { return values_.at(value); }

 private:
  std::map<const torch::jit::Value*, c10::IValue> values_;
};

/// Whether two recordings know the same: equal numbers, equal tensors of the same shape.
bool same_value(const c10::IValue& a, const c10::IValue& b);

}  // namespace dfine::inline onnx_export
