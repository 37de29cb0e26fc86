#pragma once
#include <string>

#include "distributed/communicator.h"

namespace dfine::inline run {

/// Collective: the path of the weights that `value` of the key `setting` means
/// (hub/local_weights.h), the same on all ranks. Rank zero alone fetches. Throws Error on rank zero
/// where that fails, and on a rank that does not see the files then.
std::string shared_weights(const std::string& setting, const std::string& value,
                           const Communicator& group);

}  // namespace dfine::inline run
