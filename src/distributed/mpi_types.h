#pragma once
// Internal to distributed (mpi.h).
#include <mpi.h>

#include <c10/core/ScalarType.h>
#include <torch/csrc/distributed/c10d/Types.hpp>

namespace dfine::inline distributed {

struct MpiReduction {
  MPI_Datatype type;
  MPI_Op op;
};

/// The MPI type and operator that reduce elements of `type`; AVG is a sum here. Half and bfloat16,
/// which MPI lacks, are added in float and rounded at each addition. Throws Error for what is not
/// supported.
MpiReduction mpi_reduction(at::ScalarType type, c10d::ReduceOp::RedOpType op);

}  // namespace dfine::inline distributed
