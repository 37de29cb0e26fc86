#include "distributed/mpi_types.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "distributed/mpi_wait.h"

namespace dfine::inline distributed {
using enum ErrorCode;
namespace {

using RedOp = c10d::ReduceOp::RedOpType;

template <class T, RedOp kOp>
void reduce_small_float(void* in, void* inout, int* count, MPI_Datatype*) {
  const T* a = static_cast<const T*>(in);
  T* b = static_cast<T*>(inout);
  for (int i = 0; i < *count; ++i) {
    const float x = static_cast<float>(a[i]), y = static_cast<float>(b[i]);
    b[i] = static_cast<T>(kOp == RedOp::SUM   ? x + y
                          : kOp == RedOp::MAX ? std::max(x, y)
                                              : std::min(x, y));
  }
}

// An operator lives until MPI_Finalize, as the communicators do.
MPI_Op create(MPI_User_function* function) {
  MPI_Op op = MPI_OP_NULL;
  check_mpi(MPI_Op_create(function, /*commute=*/1, &op), "creating a reduction");
  return op;
}

template <class T>
MPI_Op small_float_op(RedOp op) {
  static const MPI_Op sum = create(reduce_small_float<T, RedOp::SUM>);
  static const MPI_Op max = create(reduce_small_float<T, RedOp::MAX>);
  static const MPI_Op min = create(reduce_small_float<T, RedOp::MIN>);
  return op == RedOp::SUM ? sum : op == RedOp::MAX ? max : min;
}

MPI_Op native_op(RedOp op) {
  return op == RedOp::SUM ? MPI_SUM : op == RedOp::MAX ? MPI_MAX : MPI_MIN;
}

}  // namespace

MpiReduction mpi_reduction(at::ScalarType type, RedOp op) {
  if (op == RedOp::AVG) {
    if (!at::isFloatingType(type))
      throw Error(kInternal,
                  str_cat("MPI: a mean over the ranks of ", type, " values is not supported."));
    op = RedOp::SUM;
  }
  if (op != RedOp::SUM && op != RedOp::MAX && op != RedOp::MIN) {
    throw Error(kInternal,
                str_cat("MPI: reduction number ", static_cast<int>(op),
                        " of c10d::ReduceOp is not supported (SUM, AVG, MIN and MAX are)."));
  }
  switch (type) {
    case at::kFloat:
      return {MPI_FLOAT, native_op(op)};
    case at::kDouble:
      return {MPI_DOUBLE, native_op(op)};
    case at::kLong:
      return {MPI_INT64_T, native_op(op)};
    case at::kInt:
      return {MPI_INT32_T, native_op(op)};
    case at::kShort:
      return {MPI_INT16_T, native_op(op)};
    case at::kChar:
      return {MPI_INT8_T, native_op(op)};
    case at::kByte:
      return {MPI_UINT8_T, native_op(op)};
    case at::kBool:
      return {MPI_UINT8_T, op == RedOp::MIN ? MPI_MIN : MPI_MAX};
    case at::kHalf:
      return {MPI_UINT16_T, small_float_op<c10::Half>(op)};
    case at::kBFloat16:
      return {MPI_UINT16_T, small_float_op<c10::BFloat16>(op)};
    default:
      throw Error(kInternal, str_cat("MPI: tensors of type ", type, " are not supported."));
  }
}

}  // namespace dfine::inline distributed
