#include "onnx_export/half_precision.h"

#include <ATen/ATen.h>

#include <map>
#include <set>
#include <string_view>

namespace dfine::inline onnx_export {
namespace {

using Types = std::set<std::string_view>;

/// Where half precision pays.
const Types kHeavy{"Conv", "MatMul"};

/// These round, overflow or exist in single precision alone, wherever they stand.
const Types kSingle{"LayerNormalization", "Softmax",    "GridSample", "Log", "Div",
                    "ReduceSum",          "ReduceMean", "ReduceMax",  "Erf"};

/// A layer with weights, where the search for what an output is made of ends.
bool is_layer(const OnnxNode& node, const OnnxGraph& graph) {
  if (node.type == "Conv" || node.type == "LayerNormalization") return true;
  const Tensor* const weight = node.type == "MatMul" ? graph.constant(node.inputs[1]) : nullptr;
  return weight != nullptr && weight->dim() == 2;
}

/// Values that must not be rounded, and the layers that give them.
class Exact {
 public:
  explicit Exact(const OnnxGraph& graph) : graph_(graph) {
    for (const OnnxNode& node : graph.nodes()) {
      if (node.type == "GridSample") add(node.inputs[1]);
      if (node.type == "TopK") add(node.inputs[0]);
      for (const std::string& value : node.outputs)
        if (graph.public_name(value) != value) add(value);
    }
  }

  bool has(const std::string& value) const { return values_.contains(value); }

 private:
  void add(const std::string& value) {
    if (graph_.constant(value) != nullptr || graph_.type_of(value) != at::kFloat ||
        !values_.insert(value).second)
      return;
    const OnnxNode* const node = graph_.producer(value);
    if (node == nullptr || is_layer(*node, graph_)) return;
    for (const std::string& input : node->inputs)
      if (!input.empty()) add(input);
  }

  const OnnxGraph& graph_;
  std::set<std::string> values_;
};

/// How many of a node's inputs are data: the others have a type of their own, or none.
size_t data_inputs(const OnnxNode& node) {
  return node.type == "Resize" ? 1 : node.inputs.size();
}

class Converter {
 public:
  explicit Converter(const OnnxGraph& graph) : graph_(graph), exact_(graph) {}

  OnnxGraph convert() {
    for (const OnnxPort& input : graph_.inputs()) names_[input.name] = result_.add_input(input);
    for (const OnnxNode& node : graph_.nodes()) add(node);
    for (const OnnxPort& output : graph_.outputs()) {
      for (const auto& [from, to] : names_)
        if (from != output.name && graph_.public_name(from) == output.name)
          result_.add_output(result_.cast(to, output.type), output.name, output.shape);
    }
    result_.prune();
    return std::move(result_);
  }

 private:
  bool is_activation(const std::string& value) const {
    return !value.empty() && graph_.constant(value) == nullptr &&
           graph_.type_of(value) == at::kFloat;
  }

  bool in_half(const OnnxNode& node) const {
    if (kSingle.contains(node.type)) return false;
    for (const std::string& value : node.outputs)
      if (exact_.has(value)) return false;
    if (kHeavy.contains(node.type)) return !(is_layer(node, graph_) && exact_.has(node.inputs[0]));
    // The others follow what they read.
    bool any = false;
    for (const std::string& value : node.inputs) {
      if (!is_activation(value)) continue;
      if (result_.type_of(names_.at(value)) != at::kHalf) return false;
      any = true;
    }
    return any;
  }

  std::string input(const std::string& value, at::ScalarType type) {
    if (value.empty()) return value;
    const bool floating = graph_.type_of(value) == at::kFloat;
    if (const Tensor* const constant = graph_.constant(value))
      return result_.add_constant(floating ? constant->to(type) : *constant);
    return floating ? result_.cast(names_.at(value), type) : names_.at(value);
  }

  void add(const OnnxNode& node) {
    const auto type = in_half(node) ? at::kHalf : at::kFloat;
    Names inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      inputs.push_back(input(node.inputs[i], i < data_inputs(node) ? type : at::kFloat));
    std::vector<at::ScalarType> types;
    for (const std::string& value : node.outputs) {
      const auto before = graph_.type_of(value);
      types.push_back(before == at::kFloat && node.type != "Cast" ? type : before);
    }
    const Names outputs = result_.add_node(node.type, inputs, node.attributes, types);
    for (size_t i = 0; i < outputs.size(); ++i) names_[node.outputs[i]] = outputs[i];
  }

  const OnnxGraph& graph_;
  const Exact exact_;
  OnnxGraph result_;
  std::map<std::string, std::string> names_;  // of the same value in the result
};

}  // namespace

OnnxGraph to_half_precision(const OnnxGraph& graph) {
  return Converter(graph).convert();
}

}  // namespace dfine::inline onnx_export
