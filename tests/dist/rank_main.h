#pragma once
// For tests that run under mpirun (dfine_test with RANKS): link rank_main.cpp for main(). The first
// failed expectation of a rank ends the whole job, so that no rank waits for one that has left its
// test.
#include "dist/group.h"
#include "dist/session.h"

namespace dfine::test {

Session& session();
/// All ranks, on the CPU.
const Group& group();

}  // namespace dfine::test
