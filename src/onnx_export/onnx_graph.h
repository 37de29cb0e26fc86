#pragma once
// A graph of ONNX operators in memory.
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tensor.h"

namespace dfine::inline onnx_export {

using Shape = std::vector<int64_t>;

/// A dimension's size where the batch decides it.
inline constexpr int64_t kBatchSize = -1;

using AttributeValue = std::variant<int64_t, float, std::string, Shape>;
using Attributes = std::map<std::string, AttributeValue>;
using Names = std::vector<std::string>;

/// An operator with the values that it reads and writes; an optional input that is not given is "".
struct OnnxNode {
  std::string type;
  Names inputs;
  Attributes attributes;
  Names outputs;
};

/// An input or output of the whole graph.
struct OnnxPort {
  std::string name;
  at::ScalarType type;
  Shape shape;  // kBatchSize where the batch enters
};

/// Grows node by node, each after those that it reads. Equal constants are one value, and so are
/// the results of equal operators on equal inputs.
class OnnxGraph {
 public:
  /// Returns the name.
  std::string add_input(const OnnxPort& port);
  std::string add_constant(const Tensor& tensor);
  /// An int64 vector.
  std::string add_integers(const Shape& values);
  /// Names of the results, one for each type.
  Names add_node(const std::string& type, const Names& inputs, const Attributes& attributes,
                 const std::vector<at::ScalarType>& result_types);
  /// One result, of the first input's type.
  std::string add(const std::string& type, const Names& inputs, const Attributes& attributes = {});
  /// `value`, as `type`.
  std::string cast(const std::string& value, at::ScalarType type);
  /// Names `value` to the outside. A value can be one output.
  void add_output(const std::string& value, const std::string& name, Shape shape);
  /// Drops what no output depends on.
  void prune();

  const std::vector<OnnxPort>& inputs() const { return inputs_; }
  const std::vector<OnnxPort>& outputs() const { return outputs_; }
  const std::vector<OnnxNode>& nodes() const { return nodes_; }
  /// By name.
  const std::map<std::string, Tensor>& constants() const { return constants_; }

  at::ScalarType type_of(const std::string& value) const { return types_.at(value); }
  /// Null if `value` is no constant.
  const Tensor* constant(const std::string& value) const;
  /// The node that writes `value`; null: an input or a constant.
  const OnnxNode* producer(const std::string& value) const;
  /// The name that the outside knows: the output's, where `value` is one.
  const std::string& public_name(const std::string& value) const;

 private:
  std::vector<OnnxPort> inputs_, outputs_;
  std::vector<OnnxNode> nodes_;
  std::map<std::string, Tensor> constants_;
  std::map<std::string, at::ScalarType> types_;  // of every value
  std::map<std::string, size_t> producers_;      // places in nodes_
  std::map<std::string, std::string> output_names_;
  std::map<uint64_t, Names> by_hash_;         // constants
  std::map<std::string, size_t> by_content_;  // nodes
  size_t next_constant_ = 0, next_node_ = 0;
};

}  // namespace dfine::inline onnx_export
