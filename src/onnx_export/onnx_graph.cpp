#include "onnx_export/onnx_graph.h"

#include <ATen/ATen.h>

#include <bit>
#include <functional>
#include <set>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "onnx_export/element_type.h"

namespace dfine::inline onnx_export {
namespace {

std::string_view bytes_of(const Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

bool same_constant(const Tensor& a, const Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() && bytes_of(a) == bytes_of(b);
}

std::string text_of(const AttributeValue& value) {
  return std::visit(
      [](const auto& v) {
        std::string text;
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, Shape>) {
          for (const int64_t n : v) text += str_cat(n, ",");
        } else if constexpr (std::is_same_v<std::decay_t<decltype(v)>, float>) {
          text = str_cat(std::bit_cast<uint32_t>(v));
        } else {
          text = str_cat(v);
        }
        return text;
      },
      value);
}

/// Equal for nodes that give equal results.
std::string content_of(const std::string& type, const Names& inputs, const Attributes& attributes) {
  std::string text = type;
  for (const std::string& input : inputs) text += " " + input;
  for (const auto& [name, value] : attributes)
    text += str_cat(" ", name, "=", value.index(), ":", text_of(value));
  return text;
}

}  // namespace

std::string OnnxGraph::add_input(const OnnxPort& port) {
  inputs_.push_back(port);
  types_[port.name] = port.type;
  return port.name;
}

std::string OnnxGraph::add_constant(const Tensor& tensor) {
  const Tensor dense = tensor.detach().contiguous();
  Names& candidates = by_hash_[std::hash<std::string_view>()(bytes_of(dense))];
  for (const std::string& name : candidates)
    if (same_constant(constants_.at(name), dense)) return name;
  std::string name = str_cat("constant_", next_constant_++);
  constants_[name] = dense;
  types_[name] = dense.scalar_type();
  candidates.push_back(name);
  return name;
}

std::string OnnxGraph::add_integers(const Shape& values) {
  return add_constant(at::tensor(values, at::kLong));
}

Names OnnxGraph::add_node(const std::string& type, const Names& inputs,
                          const Attributes& attributes,
                          const std::vector<at::ScalarType>& result_types) {
  const auto [known, is_new] =
      by_content_.emplace(content_of(type, inputs, attributes), nodes_.size());
  if (!is_new) return nodes_[known->second].outputs;
  const std::string name = str_cat(type, "_", next_node_++);
  OnnxNode node{.type = type, .inputs = inputs, .attributes = attributes, .outputs = {}};
  for (size_t i = 0; i < result_types.size(); ++i) {
    node.outputs.push_back(i == 0 ? name : str_cat(name, "_", i));
    types_[node.outputs.back()] = result_types[i];
    producers_[node.outputs.back()] = nodes_.size();
  }
  nodes_.push_back(node);
  return node.outputs;
}

std::string OnnxGraph::add(const std::string& type, const Names& inputs,
                           const Attributes& attributes) {
  return add_node(type, inputs, attributes, {type_of(inputs.at(0))}).front();
}

std::string OnnxGraph::cast(const std::string& value, at::ScalarType type) {
  if (type_of(value) == type) return value;
  return add_node("Cast", {value}, {{"to", onnx_type(type)}}, {type}).front();
}

void OnnxGraph::add_output(const std::string& value, const std::string& name, Shape shape) {
  // A separate node, where the value has a name already.
  std::string written = value;
  if (producer(value) == nullptr || output_names_.contains(value))
    written = add_node("Identity", {value}, {}, {type_of(value)}).front();
  if (!output_names_.emplace(written, name).second)
    throw Error(ErrorCode::kInternal, str_cat("two outputs beside ", name, " are the same value"));
  outputs_.push_back({name, type_of(written), std::move(shape)});
}

void OnnxGraph::prune() {
  std::set<std::string> used;
  for (const auto& [value, name] : output_names_) used.insert(value);
  std::vector<OnnxNode> kept;
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    bool wanted = false;
    for (const std::string& output : node->outputs) wanted |= used.contains(output);
    if (!wanted) continue;
    used.insert(node->inputs.begin(), node->inputs.end());
    kept.push_back(std::move(*node));
  }
  nodes_.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  std::erase_if(constants_, [&](const auto& item) { return !used.contains(item.first); });
  by_content_.clear();  // places have changed
  producers_.clear();
  for (size_t i = 0; i < nodes_.size(); ++i)
    for (const std::string& output : nodes_[i].outputs) producers_[output] = i;
}

const Tensor* OnnxGraph::constant(const std::string& value) const {
  const auto found = constants_.find(value);
  return found == constants_.end() ? nullptr : &found->second;
}

const OnnxNode* OnnxGraph::producer(const std::string& value) const {
  const auto found = producers_.find(value);
  return found == producers_.end() ? nullptr : &nodes_[found->second];
}

const std::string& OnnxGraph::public_name(const std::string& value) const {
  const auto found = output_names_.find(value);
  return found == output_names_.end() ? value : found->second;
}

}  // namespace dfine::inline onnx_export
