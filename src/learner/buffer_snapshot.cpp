#include "learner/buffer_snapshot.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/where.h>

#include <vector>

namespace dfine::inline learner {
namespace {

/// One tensor of all values, of which the buffers are parts from now on; undefined without buffers.
Tensor join(const std::vector<Tensor>& buffers) {
  if (buffers.empty()) return {};
  std::vector<Tensor> flat;
  for (const Tensor& buffer : buffers) flat.push_back(buffer.detach().reshape(-1));
  const Tensor all = at::cat(flat);
  int64_t first = 0;
  for (Tensor buffer : buffers) {
    const int64_t count = buffer.numel();
    buffer.set_data(all.narrow(0, first, count).view(buffer.sizes()));
    first += count;
  }
  return all;
}

}  // namespace

BufferSnapshot::BufferSnapshot(const torch::nn::Module& module) {
  const at::NoGradGuard no_grad;
  std::vector<Tensor> floating, counters;
  for (const Tensor& buffer : module.buffers())
    (buffer.is_floating_point() ? floating : counters).push_back(buffer);
  floating_.buffers = join(floating);
  counters_.buffers = join(counters);
  for (OfOneType* kind : {&floating_, &counters_})
    if (kind->buffers.defined()) kind->copy = at::empty_like(kind->buffers);
}

void BufferSnapshot::save() {
  const at::NoGradGuard no_grad;
  for (OfOneType* kind : {&floating_, &counters_})
    if (kind->buffers.defined()) kind->copy.copy_(kind->buffers);
}

void BufferSnapshot::restore() const {
  const at::NoGradGuard no_grad;
  for (const OfOneType* kind : {&floating_, &counters_})
    if (kind->buffers.defined()) kind->buffers.copy_(kind->copy);
}

void BufferSnapshot::restore_where(const Tensor& skip) const {
  const at::NoGradGuard no_grad;
  const Tensor back = skip.eq(1);
  for (const OfOneType* kind : {&floating_, &counters_}) {
    if (!kind->buffers.defined()) continue;
    Tensor buffers = kind->buffers;
    at::where_out(buffers, back, kind->copy, buffers);
  }
}

}  // namespace dfine::inline learner
