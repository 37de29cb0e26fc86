#include "onnx_export/known_values.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>

namespace dfine::inline onnx_export {
namespace {

/// Not-a-number equals itself here.
bool same_tensor(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type()) return false;
  if (a.is_alias_of(b) && a.const_data_ptr() == b.const_data_ptr() && a.strides() == b.strides())
    return true;
  return at::eq(a, b).logical_or(a.ne(a).logical_and(b.ne(b))).all().item<bool>();
}

c10::IValue list_of(const torch::jit::Node* node,
                    const std::map<const torch::jit::Value*, c10::IValue>& values) {
  c10::impl::GenericList list(node->output()->type()->expectRef<c10::ListType>().getElementType());
  for (const torch::jit::Value* input : node->inputs()) list.push_back(values.at(input));
  return list;
}

}  // namespace

bool KnownValues::evaluate(torch::jit::Node* node) {
  using namespace torch::jit;
  if (node->kind() == prim::Constant) {
    values_[node->output()] = *toIValue(node->output());
    return true;
  }
  if (!std::ranges::all_of(node->inputs(), [&](const Value* input) { return has(input); }))
    return false;
  // These two have no operation of their own.
  if (node->kind() == prim::ListConstruct) {
    values_[node->output()] = list_of(node, values_);
    return true;
  }
  Stack stack;
  if (node->kind() == prim::ListUnpack) {
    const auto list = values_.at(node->input()).toList();
    for (size_t i = 0; i < list.size(); ++i) stack.push_back(list.get(i));
  } else {
    for (const Value* input : node->inputs()) stack.push_back(values_.at(input));
    node->getOperation()(stack);
  }
  for (size_t i = 0; i < node->outputs().size(); ++i) values_[node->output(i)] = stack[i];
  return true;
}

bool same_value(const c10::IValue& a, const c10::IValue& b) {
  if (a.isTensor() && b.isTensor()) {
    if (!a.toTensor().defined() || !b.toTensor().defined())
      return a.toTensor().defined() == b.toTensor().defined();
    return same_tensor(a.toTensor(), b.toTensor());
  }
  if (a.isList() && b.isList()) {
    const auto x = a.toList(), y = b.toList();
    if (x.size() != y.size()) return false;
    for (size_t i = 0; i < x.size(); ++i)
      if (!same_value(x.get(i), y.get(i))) return false;
    return true;
  }
  return a == b;
}

}  // namespace dfine::inline onnx_export
