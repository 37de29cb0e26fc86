#pragma once
// LibTorch's switches for CUDA, for the whole process. Without effect on the CPU.
#include <c10/core/Device.h>

namespace dfine::inline distributed {

/// Which operations on fp32 tensors may use TF32: they round their inputs to 10 bits of mantissa
/// and add in fp32. LibTorch's own default is convolutions without products.
struct Tf32 {
  bool convolutions = false;
  bool products = false;  // of matrices: linear layers, attention
};
void set_tf32(Tf32 tf32);

/// Lets the allocator grow a segment of memory where it lies, by mapping more pages. Input sizes
/// that change from step to step then leave less memory unused between blocks. Nothing if the
/// environment already has settings (PYTORCH_ALLOC_CONF, PYTORCH_CUDA_ALLOC_CONF), or NVML, which
/// LibTorch needs for it, is not there. Call it before the first tensor on a GPU.
void use_expandable_segments();

/// Throws Error when CUDA's runtime and the driver do not fit together (library_versions.h).
/// Without this, an old driver looks as if there were no GPU.
void require_fitting_driver();

/// Gives memory that no tensor uses back to the device, so that the next tensors are not laid out
/// around it. Waits for the device.
void release_unused_memory(at::Device device);

}  // namespace dfine::inline distributed
