#include "weights/tensor_file.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "weights/pth_archive.h"
#include "weights/safetensors.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace {

constexpr std::string_view kSafetensors = ".safetensors";
constexpr std::array<std::string_view, 3> kPickled{".pth", ".pt", ".bin"};
constexpr size_t kNamedEntries = 10;

const PickleDict* dict_of(const PickleNode* node) {
  return node ? std::get_if<PickleDict>(&node->value) : nullptr;
}

bool has_tensors(const PickleDict& dict) {
  return std::ranges::any_of(dict.items, [](const auto& item) {
    return std::holds_alternative<PickleTensor>(item.second->value);
  });
}

std::string entries_of(const PickleNode& root) {
  const PickleDict* dict = dict_of(&root);
  if (!dict) return kind_of(root);
  std::string names;
  size_t count = 0;
  for (const auto& [key, value] : dict->items) {
    const auto* name = std::get_if<std::string>(&key->value);
    if (++count <= kNamedEntries)
      names += str_cat(names.empty() ? "" : ", ", name ? printable(*name) : kind_of(*key));
  }
  if (count > kNamedEntries) names += str_cat(" and ", count - kNamedEntries, " more");
  return count == 0 ? "an empty dict" : "a dict of " + names;
}

/// The dict of the model's tensors.
const PickleDict& find_state_dict(const PickleNode& root) {
  const PickleNode* const ema = find_entry(root, "ema");
  for (const PickleNode* found :
       {ema ? find_entry(*ema, "module") : nullptr, find_entry(root, "model"), &root}) {
    const PickleDict* dict = dict_of(found);
    if (dict && has_tensors(*dict)) return *dict;
  }
  throw Error(kFormatInvalid, str_cat("it has no tensors of a model: it holds ", entries_of(root)),
              "Expected: a state_dict, or a checkpoint with ema.module or model.");
}

std::map<std::string, Tensor> read_pickled(const std::string& path, TensorData data) {
  PthArchive archive(path);
  std::map<std::string, Tensor> tensors;
  for (const auto& [key, value] : find_state_dict(archive.root()).items) {
    const auto* name = std::get_if<std::string>(&key->value);
    if (!name)
      throw Error(kFormatInvalid, str_cat("expected tensors by name, found ", kind_of(*key)));
    const ErrorContext at("at the entry ", printable(*name));
    const auto* tensor = std::get_if<PickleTensor>(&value->value);
    if (!tensor)
      throw Error(kFormatInvalid, str_cat("expected a tensor, found ", kind_of(*value)),
                  "Nothing of it was run. If you do not know who made this file, do not open it in "
                  "Python.");
    tensors.insert_or_assign(
        *name, data == TensorData::kRead ? archive.read(*tensor) : archive.shape(*tensor));
  }
  return tensors;
}

/// Of a model that was saved inside of another module.
std::map<std::string, Tensor> without_prefix(std::map<std::string, Tensor> tensors,
                                             std::string_view prefix) {
  const auto has = [&](const auto& item) { return item.first.starts_with(prefix); };
  if (!std::ranges::all_of(tensors, has)) return tensors;
  std::map<std::string, Tensor> renamed;
  for (const auto& [name, tensor] : tensors) renamed.emplace(name.substr(prefix.size()), tensor);
  return renamed;
}

std::map<std::string, Tensor> shapes_of_safetensors(const std::string& path) {
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, shape] : read_safetensors_shapes(path))
    tensors.emplace(name, at::empty(shape, at::TensorOptions(at::kMeta)));
  return tensors;
}

}  // namespace

bool is_tensor_file(const std::string& path) {
  return path.ends_with(kSafetensors) ||
         std::ranges::any_of(kPickled, [&](auto end) { return path.ends_with(end); });
}

Tensor read_one_tensor(const std::string& path, const std::string& name) {
  if (path.ends_with(kSafetensors)) {
    if (!read_safetensors_shapes(path).contains(name)) return {};
    return read_safetensors(path).at(name);
  }
  const ErrorContext at("while reading ", printable(std::filesystem::path(path)));
  PthArchive archive(path);
  for (const auto& [key, value] : find_state_dict(archive.root()).items) {
    const auto* found = std::get_if<std::string>(&key->value);
    const auto* tensor = std::get_if<PickleTensor>(&value->value);
    if (found && tensor && *found == name) return archive.read(*tensor);
  }
  return {};
}

std::map<std::string, Tensor> read_tensor_file(const std::string& path, TensorData data) {
  if (path.ends_with(kSafetensors))
    return data == TensorData::kRead ? read_safetensors(path) : shapes_of_safetensors(path);
  const ErrorContext at("while reading ", printable(std::filesystem::path(path)));
  return without_prefix(without_prefix(read_pickled(path, data), "module."), "_orig_mod.");
}

}  // namespace dfine::inline weights
