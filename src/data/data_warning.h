#pragma once
#include <string>

namespace dfine::inline data {

/// A dataset that is well-formed but will hardly train as intended.
struct DataWarning {
  std::string text;    // what was found, with numbers
  std::string advice;  // what to do
};

}  // namespace dfine::inline data
