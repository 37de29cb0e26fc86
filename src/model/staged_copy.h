#pragma once
#include <cstdint>
#include <vector>

#include <torch/nn/module.h>

#include "tensor.h"

namespace dfine::inline model {

/// Copies on `device`, in the order and with the layout of `tensors`, each in its own memory.
///
/// They travel together, in chunks of one type and up to `chunk_bytes` (or one tensor). On the way
/// to the host, it waits for the device once per chunk and not once per tensor. On the way from the
/// host it does not wait.
std::vector<Tensor> copy_in_chunks(const std::vector<Tensor>& tensors, at::Device device,
                                   int64_t chunk_bytes = int64_t{16} << 20);

/// The same; tensors that are on `device` already are returned as they are.
std::vector<Tensor> staged_copy(const std::vector<Tensor>& tensors, at::Device device);

/// The module's parameters and buffers move to `device`.
void move_to(torch::nn::Module& module, at::Device device);

}  // namespace dfine::inline model
