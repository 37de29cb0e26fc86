#pragma once
#include <string>
#include <string_view>

#include "distributed/communicator.h"

namespace dfine::inline distributed {

/// Collective: throws the same Error on every rank unless `value` is the same text on all of them.
/// The message names `name`, the ranks that differ and what each has (long texts from the first
/// difference on).
void check_agreement(const Communicator& group, std::string_view name, const std::string& value);

}  // namespace dfine::inline distributed
