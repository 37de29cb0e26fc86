#pragma once
// A communicator in the saved_data of an autograd function, from its forward to its backward.
#include <ATen/core/ivalue.h>
#include <torch/custom_class.h>

#include "distributed/communicator.h"

namespace dfine::inline distributed {

c10::IValue save_group(const Communicator& group);
/// What save_group() returned.
Communicator saved_group(const c10::IValue& value);

}  // namespace dfine::inline distributed
