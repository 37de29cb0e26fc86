#include <array>

#include "core/error.h"
#include "core/text.h"
#include "weights/pth.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace {

template <class T, class Variant>
const T& get(const Variant& value, const char* wanted) {
  static constexpr std::array<const char*, 8> kKinds{"None",   "a bool",   "an int", "a float",
                                                     "a text", "a tensor", "a list", "a dict"};
  if (const T* found = std::get_if<T>(&value)) return *found;
  throw Error(kFormatInvalid, str_cat("expected ", wanted, ", found ", kKinds[value.index()]));
}

}  // namespace

bool PthValue::as_bool() const {
  return get<bool>(value_, "a bool");
}
int64_t PthValue::as_int() const {
  return get<int64_t>(value_, "an int");
}
double PthValue::as_double() const {
  if (const auto* whole = std::get_if<int64_t>(&value_)) return static_cast<double>(*whole);
  return get<double>(value_, "a float");
}
const std::string& PthValue::as_string() const {
  return get<std::string>(value_, "a text");
}
const Tensor& PthValue::as_tensor() const {
  return get<Tensor>(value_, "a tensor");
}
const PthValue::List& PthValue::as_list() const {
  return get<List>(value_, "a list");
}
const PthValue::Dict& PthValue::as_dict() const {
  return get<Dict>(value_, "a dict");
}

const PthValue& PthValue::at(const std::string& key) const {
  const Dict& dict = [&]() -> const Dict& {
    const ErrorContext at("where the entry ", key, " should be");
    return as_dict();
  }();
  const auto found = dict.find(key);
  if (found == dict.end()) throw Error(kFileDamaged, str_cat("the entry ", key, " is missing"));
  return found->second;
}

bool PthValue::contains(const std::string& key) const {
  const auto* dict = std::get_if<Dict>(&value_);
  return dict && dict->contains(key);
}

PthValue::Dict to_pth(const std::map<std::string, Tensor>& tensors) {
  PthValue::Dict dict;
  for (const auto& [name, tensor] : tensors) dict.emplace(name, tensor);
  return dict;
}

std::map<std::string, Tensor> to_tensors(const PthValue& dict) {
  std::map<std::string, Tensor> tensors;
  for (const auto& [key, value] : dict.as_dict()) {
    const auto* name = std::get_if<std::string>(&key);
    if (!name)
      throw Error(kFormatInvalid,
                  str_cat("expected tensors by name, found the key ", std::get<int64_t>(key)));
    const ErrorContext at("at the entry ", *name);
    tensors.emplace(*name, value.as_tensor());
  }
  return tensors;
}

}  // namespace dfine::inline weights
