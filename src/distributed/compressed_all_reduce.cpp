#include "distributed/compressed_all_reduce.h"

#include <ATen/ATen.h>

#include <vector>

namespace dfine::inline distributed {

CompressedAllReduce::CompressedAllReduce(const Communicator& group, at::ScalarType type)
    : process_group_(group.process_group()), type_(type) {}

c10::intrusive_ptr<c10::ivalue::Future> CompressedAllReduce::runHook(c10d::GradBucket& bucket) {
  const Tensor& gradients = bucket.getBuffer();
  Tensor sent = at::empty(gradients.sizes(), gradients.options().dtype(type_));
  at::div_out(sent, gradients, at::scalar_tensor(process_group_->getSize(), gradients.dtype()));
  std::vector<Tensor> buffer{sent};
  const auto sum = process_group_->allreduce(buffer)->getFuture();
  // With a GPU, the callback runs on a stream that waits for the sum.
  return sum->then(
      [sent, gradients](c10::ivalue::Future&) {
        gradients.copy_(sent);
        return c10::IValue(gradients);
      },
      c10::TensorType::get());
}

}  // namespace dfine::inline distributed
