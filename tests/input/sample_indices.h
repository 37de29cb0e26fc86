#pragma once
#include <cstddef>
#include <vector>

#include "input/epoch_sampler.h"

namespace dfine::test {

inline std::vector<size_t> indices(const std::vector<Sample>& samples) {
  std::vector<size_t> out;
  for (const auto& sample : samples) out.push_back(sample.index);
  return out;
}

}  // namespace dfine::test
