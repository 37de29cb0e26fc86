#pragma once
// Batch norm, ReLU and affine block over rows of channels: the passes over memory of norm_relu.h.
#include <cstdint>

namespace dfine::inline ops {

/// What one channel or one number per channel is: float or double. x and all like it:
/// [rows, channels], dense.
template <typename Real>
struct NormRelu {
  const Real *scale, *shift;  // [channels] z = x * scale + shift
  bool relu;                  // r = max(z, 0), else z
  Real factor, offset;        // y = r * factor + offset
};

/// Each channel's mean and sum of squared deviations from it.
template <typename Real>
void moments_of_rows(const Real* x, int64_t rows, int64_t channels, Real* mean, Real* squares);

template <typename Real>
void norm_relu_rows(const NormRelu<Real>& op, const Real* x, int64_t rows, int64_t channels,
                    Real* y);

/// Sums over rows, for each channel, of what the gradients are made of.
template <typename Real>
struct NormReluSums {
  Real* factor;     // of dy * r
  Real* offset;     // of dy
  Real* shift;      // of dz
  Real* deviation;  // of dz * (x - mean)
};
template <typename Real>
void norm_relu_sums_of_rows(const NormRelu<Real>& op, const Real* mean, const Real* x,
                            const Real* dy, int64_t rows, int64_t channels,
                            const NormReluSums<Real>& sums);

/// dx = (dz - mean_dz - (x - mean) * projection) * scale
template <typename Real>
struct NormReluInputGradient {
  const Real *mean, *mean_dz, *projection;  // [channels]
};
template <typename Real>
void norm_relu_backward_rows(const NormRelu<Real>& op, const NormReluInputGradient<Real>& to,
                             const Real* x, const Real* dy, int64_t rows, int64_t channels,
                             Real* dx);

}  // namespace dfine::inline ops
