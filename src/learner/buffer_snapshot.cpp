#include "learner/buffer_snapshot.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>

namespace dfine::inline learner {
namespace {

void copy(const std::vector<Tensor>& to, const std::vector<Tensor>& from) {
  const at::NoGradGuard no_grad;
  if (!to.empty()) at::_foreach_copy_(to, from);
}

}  // namespace

BufferSnapshot::BufferSnapshot(const torch::nn::Module& module) {
  for (const Tensor& buffer : module.buffers()) {
    OfOneType& kind = buffer.is_floating_point() ? floating_ : counters_;
    kind.buffers.push_back(buffer);
    kind.copies.push_back(buffer.detach().clone());
  }
}

void BufferSnapshot::save() {
  copy(floating_.copies, floating_.buffers);
  copy(counters_.copies, counters_.buffers);
}

void BufferSnapshot::restore() const {
  copy(floating_.buffers, floating_.copies);
  copy(counters_.buffers, counters_.copies);
}

}  // namespace dfine::inline learner
