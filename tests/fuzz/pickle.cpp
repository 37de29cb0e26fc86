// Any bytes as the pickle of a .pth file: an Error, or values that can all be walked. Nothing that
// the bytes ask for is ever called.
#include "weights/pickle.h"

#include "core/error.h"

namespace {

// Reads every value once; a list that holds itself is visited once, since all nodes are listed.
size_t walk(const dfine::Pickle& pickle) {
  size_t read = 0;
  for (const dfine::PickleNode& node : pickle.nodes) {
    read += dfine::kind_of(node).size();
    if (const auto* list = std::get_if<dfine::PickleList>(&node.value)) {
      for (const auto* item : list->items) read += item->value.index();
    } else if (const auto* dict = std::get_if<dfine::PickleDict>(&node.value)) {
      for (const auto& [key, value] : dict->items)
        read += key->value.index() + value->value.index();
    } else if (const auto* tensor = std::get_if<dfine::PickleTensor>(&node.value)) {
      read += tensor->storage->record.size() + tensor->sizes.size() + tensor->strides.size();
    }
  }
  return read + dfine::kind_of(*pickle.root).size() +
         (dfine::find_entry(*pickle.root, "model") != nullptr ? 1 : 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    volatile size_t read = walk(dfine::parse_pickle({reinterpret_cast<const char*>(data), size}));
    (void)read;
  } catch (const dfine::Error&) {
  }
  return 0;
}
