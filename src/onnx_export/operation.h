#pragma once
// One recorded operator while it is turned into ONNX: what a rule sees.
#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "onnx_export/known_values.h"
#include "onnx_export/onnx_graph.h"

namespace dfine::inline onnx_export {

/// An error that says what has no rule.
Error unsupported(const std::string& message);

/// What is known of a computation that was recorded with two batch sizes. Nodes and values are
/// those of the first recording.
struct Conversion {
  OnnxGraph graph;
  KnownValues known, known_of_second;
  std::map<const torch::jit::Value*, const torch::jit::Value*> in_second;
  std::map<const torch::jit::Value*, std::string> names;  // ONNX values
  std::map<const torch::jit::Value*, Names> lists;        // lists of ONNX values

  /// The value that no input decides. Error: the batch size does.
  const c10::IValue& known_value(const torch::jit::Value* value) const;
  /// The ONNX value's name; a known tensor becomes a constant.
  std::string name_of(const torch::jit::Value* value);
};

/// Arguments go by the names of LibTorch's schema. Every function throws Error where the operator
/// is used in a way that cannot be written.
class Operation {
 public:
  Operation(Conversion& conversion, const torch::jit::Node* node)
      : conversion_(conversion), node_(node) {}

  OnnxGraph& graph() { return conversion_.graph; }

  // Tensors.
  std::string tensor(const char* argument) const;
  /// As `type`; also a number.
  std::string tensor(const char* argument, at::ScalarType type) const;
  Names tensors(const char* argument) const;
  /// Of a tensor, in the first recording.
  Shape shape(const char* argument) const;
  /// The tensor that no input decides.
  Tensor known_tensor(const char* argument) const;

  // Numbers, which no input decides.
  bool has(const char* argument) const;
  bool is_none(const char* argument) const;
  int64_t integer(const char* argument) const;
  double number(const char* argument) const;
  bool flag(const char* argument) const;
  std::string text(const char* argument) const;
  Shape integers(const char* argument) const;
  /// A dimension of a tensor with `rank` dimensions, counted from the first.
  int64_t dimension(const char* argument, size_t rank) const;
  /// A number as a constant without dimensions.
  std::string scalar(double value, at::ScalarType type);

  // Results.
  at::ScalarType result_type() const;
  Shape result_shape() const;
  /// The same with kBatchSize where the batch enters.
  Shape free_result_shape() const;
  void result(const std::string& value) { results({value}); }
  void results(const Names& values);
  /// One operator that reads `inputs` and gives the result.
  void result(const std::string& type, const Names& inputs, const Attributes& attributes = {});
  /// The result is a list.
  void result_list(const Names& values);

  /// Throws an error that names the operator: it is used in a way that has no rule.
  [[noreturn]] void refuse(const std::string& reason) const;
  void require(bool condition, const char* reason) const {
    if (!condition) refuse(reason);
  }

 private:
  const torch::jit::Value* value(const char* argument) const;

  Conversion& conversion_;
  const torch::jit::Node* node_;
};

/// Of a value in both recordings, with kBatchSize where they differ. Error: in more than one
/// dimension.
Shape free_shape(const Conversion& conversion, const torch::jit::Value* value);

}  // namespace dfine::inline onnx_export
