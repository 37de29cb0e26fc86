#pragma once
// Tensors by name from the files that weights come in.
#include <map>
#include <string>

#include "tensor.h"

namespace dfine::inline weights {

enum class TensorData {
  kRead,    // tensors on the CPU, each with memory of its own
  kShapes,  // tensors on the meta device: shape and type, no data is read
};

/// Whether `path` ends like a file that read_tensor_file() reads: .safetensors, .pth, .pt or .bin.
bool is_tensor_file(const std::string& path);

/// All tensors of a .safetensors file, or those of the model in a .pth file. Such a file is what
/// torch.save made of a state_dict, or a checkpoint of the official trainer. Of that the EMA is
/// read (`ema.module`), else `model`, as its own tools do. Nothing else in it is read or needs to
/// be readable: optimizer, schedules, settings. No code in it is run. A prefix that all names have
/// from a wrapper (`module.`, `_orig_mod.`) is taken away.
///
/// Throws Error naming the file: missing, damaged, or without tensors.
std::map<std::string, Tensor> read_tensor_file(const std::string& path,
                                               TensorData data = TensorData::kRead);

/// The tensor `name` of read_tensor_file(path), without reading others where the format allows it;
/// undefined if there is none.
Tensor read_one_tensor(const std::string& path, const std::string& name);

}  // namespace dfine::inline weights
