#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "distributed/communicator.h"

namespace dfine::inline distributed {

/// Collective: throws the same Error on every rank unless `value` is the same text on all of them.
/// The message names `name`, the ranks that differ, their hosts and what each has (long texts from
/// the first difference on).
void check_agreement(const Communicator& group, std::string_view name, const std::string& value);

struct NamedValue {
  std::string name, value;
};

/// The same for several values, with the same names in one order on all ranks; the message lists
/// each value that differs.
void check_agreement(const Communicator& group, const std::vector<NamedValue>& values);

}  // namespace dfine::inline distributed
