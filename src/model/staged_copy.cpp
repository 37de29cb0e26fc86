#include "model/staged_copy.h"

#include <ATen/ATen.h>

#include <map>

#include "model/to_device_async.h"

namespace dfine::inline model {
namespace {

/// All elements of a dense tensor in the order in which memory has them, [numel]; shares memory.
Tensor in_memory_order(const Tensor& tensor) {
  return tensor.as_strided({tensor.numel()}, {1});
}

Tensor dense(const Tensor& tensor) {
  return tensor.is_non_overlapping_and_dense() ? tensor.detach() : tensor.detach().contiguous();
}

/// `originals` are dense and of one type.
std::vector<Tensor> copy_chunk(const std::vector<Tensor>& originals, at::Device device) {
  std::vector<Tensor> parts;
  for (const Tensor& tensor : originals) parts.push_back(in_memory_order(tensor));
  const Tensor joined = at::cat(parts);
  const Tensor there = device.is_cpu() ? joined.to(device) : to_device_async(joined, device);
  std::vector<Tensor> copies;
  int64_t first = 0;
  for (const Tensor& tensor : originals) {
    copies.push_back(
        at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(device)));
    in_memory_order(copies.back()).copy_(there.narrow(0, first, tensor.numel()));
    first += tensor.numel();
  }
  return copies;
}

}  // namespace

std::vector<Tensor> copy_in_chunks(const std::vector<Tensor>& tensors, at::Device device,
                                   int64_t chunk_bytes) {
  const at::NoGradGuard no_grad;
  struct Chunk {
    std::vector<Tensor> originals;
    std::vector<size_t> places;  // in `tensors`
    int64_t bytes = 0;
  };
  std::vector<Tensor> result(tensors.size());
  std::map<at::ScalarType, Chunk> chunks;
  const auto send = [&](Chunk& chunk) {
    const std::vector<Tensor> copies = copy_chunk(chunk.originals, device);
    for (size_t i = 0; i < copies.size(); ++i) result[chunk.places[i]] = copies[i];
    chunk = {};
  };
  for (size_t i = 0; i < tensors.size(); ++i) {
    Chunk& chunk = chunks[tensors[i].scalar_type()];
    const auto bytes = static_cast<int64_t>(tensors[i].nbytes());
    if (!chunk.originals.empty() && chunk.bytes + bytes > chunk_bytes) send(chunk);
    chunk.originals.push_back(dense(tensors[i]));
    chunk.places.push_back(i);
    chunk.bytes += bytes;
  }
  for (auto& [type, chunk] : chunks)
    if (!chunk.originals.empty()) send(chunk);
  return result;
}

std::vector<Tensor> staged_copy(const std::vector<Tensor>& tensors, at::Device device) {
  std::vector<Tensor> result = tensors, elsewhere;
  std::vector<size_t> places;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].device() == device) continue;
    elsewhere.push_back(tensors[i]);
    places.push_back(i);
  }
  const std::vector<Tensor> copies = copy_in_chunks(elsewhere, device);
  for (size_t i = 0; i < places.size(); ++i) result[places[i]] = copies[i];
  return result;
}

void move_to(torch::nn::Module& module, at::Device device) {
  std::vector<Tensor> tensors = module.parameters();
  const std::vector<Tensor> buffers = module.buffers();
  tensors.insert(tensors.end(), buffers.begin(), buffers.end());
  const std::vector<Tensor> moved = staged_copy(tensors, device);
  for (size_t i = 0; i < tensors.size(); ++i)
    if (!moved[i].is_same(tensors[i])) tensors[i].set_data(moved[i]);
}

}  // namespace dfine::inline model
