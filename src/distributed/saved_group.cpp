#include "distributed/saved_group.h"

#include <utility>

namespace dfine::inline distributed {
namespace {

struct GroupHolder : torch::CustomClassHolder {
  explicit GroupHolder(Communicator held) : group(std::move(held)) {}
  Communicator group;
};

}  // namespace

c10::IValue save_group(const Communicator& group) {
  return c10::IValue::make_capsule(c10::make_intrusive<GroupHolder>(group));
}

Communicator saved_group(const c10::IValue& value) {
  return c10::static_intrusive_pointer_cast<GroupHolder>(value.toCapsule())->group;
}

}  // namespace dfine::inline distributed
