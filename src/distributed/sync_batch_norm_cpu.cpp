#include "distributed/sync_batch_norm_cpu.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

namespace dfine::inline distributed {
namespace {

template <class T>
struct Channel {
  const T *mean, *mean_grad, *projection, *scale;  // [C] each
};

template <class T>
void contiguous_kernel(T* out, const T* grad, const T* x, Channel<T> c, int64_t planes,
                       int64_t channels, int64_t plane) {
  at::parallel_for(0, planes, at::divup(at::internal::GRAIN_SIZE, plane),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t p = begin; p < end; ++p) {
                       const int64_t k = p % channels, first = p * plane;
                       const T mean = c.mean[k], mean_grad = c.mean_grad[k],
                               projection = c.projection[k], scale = c.scale[k];
                       for (int64_t i = first; i < first + plane; ++i)
                         out[i] = (grad[i] - mean_grad - (x[i] - mean) * projection) * scale;
                     }
                   });
}

template <class T>
void channels_last_kernel(T* out, const T* grad, const T* x, Channel<T> c, int64_t pixels,
                          int64_t channels) {
  at::parallel_for(
      0, pixels, at::divup(at::internal::GRAIN_SIZE, channels), [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p) {
          const int64_t first = p * channels;
          for (int64_t k = 0; k < channels; ++k) {
            out[first + k] =
                (grad[first + k] - c.mean_grad[k] - (x[first + k] - c.mean[k]) * c.projection[k]) *
                c.scale[k];
          }
        }
      });
}

}  // namespace

Tensor batch_norm_input_gradient(const Tensor& grad, const Tensor& x, const Tensor& mean,
                                 const Tensor& mean_grad, const Tensor& projection,
                                 const Tensor& scale) {
  Tensor out = at::empty_like(x);
  const int64_t channels = x.size(1);
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "batch_norm_input_gradient", [&] {
    const Channel<scalar_t> c{mean.const_data_ptr<scalar_t>(), mean_grad.const_data_ptr<scalar_t>(),
                              projection.const_data_ptr<scalar_t>(),
                              scale.const_data_ptr<scalar_t>()};
    auto* to = out.data_ptr<scalar_t>();
    const auto *from_grad = grad.const_data_ptr<scalar_t>(), *from_x = x.const_data_ptr<scalar_t>();
    if (x.is_contiguous()) {
      contiguous_kernel(to, from_grad, from_x, c, x.size(0) * channels, channels,
                        x.numel() / (x.size(0) * channels));
    } else {
      channels_last_kernel(to, from_grad, from_x, c, x.numel() / channels, channels);
    }
  });
  return out;
}

}  // namespace dfine::inline distributed
