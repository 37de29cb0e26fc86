#pragma once
// Nested values in PyTorch's .pth files (a zip archive with a pickle and the tensors' bytes),
// without Python.
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "tensor.h"

namespace dfine::inline weights {

/// What a .pth file of ours can hold: None, bool, int, float, str, tensor, and lists and dicts of
/// these. Accessors throw Error if the value is of another kind.
class PthValue {
 public:
  using List = std::vector<PthValue>;
  using Key = std::variant<int64_t, std::string>;
  using Dict = std::map<Key, PthValue>;

  PthValue() = default;  // None
  PthValue(bool value) : value_(value) {}
  PthValue(int64_t value) : value_(value) {}
  PthValue(int value) : value_(int64_t{value}) {}
  PthValue(double value) : value_(value) {}
  PthValue(std::string value) : value_(std::move(value)) {}
  PthValue(const char* value) : value_(std::string(value)) {}
  PthValue(Tensor value) : value_(std::move(value)) {}
  PthValue(List value) : value_(std::move(value)) {}
  PthValue(Dict value) : value_(std::move(value)) {}

  bool is_none() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_tensor() const { return std::holds_alternative<Tensor>(value_); }
  bool as_bool() const;
  int64_t as_int() const;
  double as_double() const;  // of an int too
  const std::string& as_string() const;
  const Tensor& as_tensor() const;
  const List& as_list() const;
  const Dict& as_dict() const;

  /// Entry of a dict; the Error of a missing one or of a value that is no dict names the key.
  const PthValue& at(const std::string& key) const;
  bool contains(const std::string& key) const;

  const auto& variant() const { return value_; }

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Tensor, List, Dict> value_;
};

/// Tensors by name as a dict, and back.
PthValue::Dict to_pth(const std::map<std::string, Tensor>& tensors);
std::map<std::string, Tensor> to_tensors(const PthValue& dict);

/// Writes a file that `torch.load(path, weights_only=True)` opens. Tensors on other devices are
/// saved as CPU tensors. A tensor that stands in several places is stored once, and shares its
/// storage when it is loaded. The file appears at once and complete, or not at all.
void write_pth(const std::string& path, const PthValue::Dict& content);

/// Reads what write_pth or Python's torch.save wrote; tensors come to the CPU, tuples become lists.
/// An Error names the file: missing, truncated, not of this format, holding other kinds of values,
/// or tensors that lie outside of their bytes.
PthValue::Dict read_pth(const std::string& path);

}  // namespace dfine::inline weights
