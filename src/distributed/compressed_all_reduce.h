#pragma once
#include <c10/core/ScalarType.h>
#include <torch/csrc/distributed/c10d/comm.hpp>

#include "distributed/communicator.h"

namespace dfine::inline distributed {

/// A communication hook of c10d::Reducer, which sends a bucket of gradients in another type than
/// its own. The mean over the ranks takes the bucket's place, the same to the last bit on all of
/// them. Each rank divides by the number of ranks before it rounds; sums round again, in `type`.
class CompressedAllReduce : public c10d::CommHookInterface {
 public:
  /// `type`: kBFloat16. It has the range of float: nothing overflows.
  CompressedAllReduce(const Communicator& group, at::ScalarType type);

  c10::intrusive_ptr<c10::ivalue::Future> runHook(c10d::GradBucket& bucket) override;
  Tensor parseHookResult(const c10::IValue& result) override { return result.toTensor(); }

 private:
  c10::intrusive_ptr<c10d::ProcessGroup> process_group_;
  at::ScalarType type_;
};

}  // namespace dfine::inline distributed
