#include "input/tensor_pool.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace dfine::inline input {

Tensor TensorPool::take(at::IntArrayRef sizes, at::ScalarType dtype, at::MemoryFormat format) {
  // Without memory: it has the strides alone.
  const Tensor shape = at::empty(sizes, at::TensorOptions().dtype(dtype).device(at::kMeta), format);
  const auto bytes = static_cast<size_t>(shape.numel()) * shape.element_size();
  const auto is_free = [](const c10::Storage& each) { return each.use_count() == 1; };
  auto found = std::ranges::find_if(
      memory_, [&](const c10::Storage& each) { return is_free(each) && each.nbytes() >= bytes; });
  if (found == memory_.end()) {
    std::erase_if(memory_, is_free);  // all of them are too small
    memory_.push_back(at::empty(sizes, at::TensorOptions().dtype(dtype)).storage());
    found = memory_.end() - 1;
  }
  // Not a view of a tensor, so that autograd takes it for one of its own.
  return at::empty({0}, at::TensorOptions().dtype(dtype))
      .set_(*found, 0, shape.sizes(), shape.strides());
}

}  // namespace dfine::inline input
