#pragma once
// What the pickle inside a .pth file builds, read without Python. No class is looked up and nothing
// is called. An object of a class that is not known here is kept as the name of that class.
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dfine::inline weights {

struct PickleNode;

/// A class or function: "torch._utils._rebuild_tensor_v2".
struct PickleGlobal {
  std::string name;
};

/// An object that was not built: the class or function it is of, null if that is not known.
struct PickleObject {
  const PickleNode* of = nullptr;
};

/// What a storage holds: torch.FloatStorage, ... .
enum class StorageType : uint8_t {
  kFloat,
  kDouble,
  kHalf,
  kBFloat16,
  kLong,
  kInt,
  kShort,
  kChar,
  kByte,
  kBool
};

/// A storage: one record of the archive.
struct PickleStorage {
  StorageType type{};
  std::string record;    // its name in the archive's folder data/
  int64_t elements = 0;  // as claimed
};

/// A tensor, nothing of which has been checked yet.
struct PickleTensor {
  const PickleStorage* storage = nullptr;
  int64_t offset = 0;  // in elements
  std::vector<int64_t> sizes, strides;
};

/// A list or a tuple.
struct PickleList {
  std::vector<PickleNode*> items;
};

/// Of a key that stands there twice, the later value counts.
struct PickleDict {
  std::vector<std::pair<PickleNode*, PickleNode*>> items;
};

/// Other nodes are pointed at, and a list of a hostile file may hold itself.
struct PickleNode {
  std::variant<std::monostate, bool, int64_t, double, std::string, PickleList, PickleDict,
               PickleGlobal, PickleObject, PickleStorage, PickleTensor>
      value;
};

struct Pickle {
  std::deque<PickleNode> nodes;  // all, in the order of their making
  const PickleNode* root = nullptr;
};

/// For messages: "a dict", "an object of argparse.Namespace".
std::string kind_of(const PickleNode& node);

/// Entry `key` of a dict; null where there is none, or `node` is no dict.
const PickleNode* find_entry(const PickleNode& node, std::string_view key);

/// Reads protocols 2 to 5, as Python's torch.save writes them. Throws Error: cut short, damaged, an
/// instruction that torch.save does not use, or more values than a checkpoint has.
Pickle parse_pickle(std::string_view bytes);

}  // namespace dfine::inline weights
