#pragma once
// Tests of the distributed layer on GPUs. Not yet executed on any: written and linked on machines
// without.
#include <gtest/gtest.h>

#include <string>

#include "distributed/communicator.h"

namespace dfine::test {

/// All ranks over NCCL; with one rank a process group of one, so that its kernels and NCCL are used
/// all the same.
const Communicator& group();

/// Skips, and says why, where there are fewer GPUs than ranks.
class Gpu : public testing::Test {
 protected:
  void SetUp() override;
};

}  // namespace dfine::test
