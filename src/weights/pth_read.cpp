#include "core/error.h"
#include "core/text.h"
#include "weights/pth.h"
#include "weights/pth_archive.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace {

// A hostile file may hold a list in itself, or the same list a thousand times over.
constexpr int kMaxDepth = 32;
constexpr int64_t kMaxValues = 4'000'000;

class Reader {
 public:
  explicit Reader(const std::string& path) : archive_(path) {}

  PthValue::Dict read() {
    const auto* dict = std::get_if<PickleDict>(&archive_.root().value);
    if (!dict)
      throw Error(kFormatInvalid, str_cat("it holds ", kind_of(archive_.root()), ", not a dict"));
    return to_dict(*dict, 0);
  }

 private:
  PthValue to_value(const PickleNode& node, int depth) {
    if (depth > kMaxDepth || ++values_ > kMaxValues)
      throw Error(kFormatInvalid, "its values are nested too deeply, or too many");
    if (const auto* value = std::get_if<bool>(&node.value)) return *value;
    if (const auto* value = std::get_if<int64_t>(&node.value)) return *value;
    if (const auto* value = std::get_if<double>(&node.value)) return *value;
    if (const auto* value = std::get_if<std::string>(&node.value)) return *value;
    if (const auto* value = std::get_if<PickleTensor>(&node.value)) return archive_.read(*value);
    if (const auto* value = std::get_if<PickleDict>(&node.value)) return to_dict(*value, depth);
    if (const auto* value = std::get_if<PickleList>(&node.value)) {
      PthValue::List list;
      for (const PickleNode* item : value->items) list.push_back(to_value(*item, depth + 1));
      return list;
    }
    if (std::holds_alternative<std::monostate>(node.value)) return {};
    throw Error(kFormatInvalid, str_cat("it holds ", kind_of(node), ", which is not supported"));
  }

  PthValue::Dict to_dict(const PickleDict& from, int depth) {
    PthValue::Dict dict;
    for (const auto& [key, value] : from.items) {
      if (const auto* name = std::get_if<std::string>(&key->value)) {
        const ErrorContext at("in the entry ", *name);
        dict[*name] = to_value(*value, depth + 1);
      } else if (const auto* number = std::get_if<int64_t>(&key->value)) {
        const ErrorContext at("in the entry ", *number);
        dict[*number] = to_value(*value, depth + 1);
      } else {
        throw Error(kFormatInvalid,
                    str_cat("a dict key is ", kind_of(*key), ", neither text nor int"));
      }
    }
    return dict;
  }

  PthArchive archive_;
  int64_t values_ = 0;
};

}  // namespace

PthValue::Dict read_pth(const std::string& path) {
  const ErrorContext at("while reading ", path);
  return Reader(path).read();
}

}  // namespace dfine::inline weights
