#pragma once
// For tests that run under mpirun (dfine_test with RANKS): link rank_main.cpp for main(). The first
// failed expectation of a rank ends the whole job, so that no rank waits for one that has left its
// test.
#include "distributed/communicator.h"
#include "distributed/mpi_session.h"

namespace dfine::test {

MpiSession& session();
/// All ranks, on the CPU.
const Communicator& group();

}  // namespace dfine::test
