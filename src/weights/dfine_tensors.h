#pragma once
// The tensors of D-FINE models, from files with the published or with the official names.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tensor.h"
#include "weights/tensor_file.h"

namespace dfine::inline weights {

/// read_tensor_file() with published names. Throws Error of weights that are those of another
/// architecture, such as RT-DETR, naming it. What else does not fit is left to the caller.
std::map<std::string, Tensor> read_dfine_tensors(const std::string& path,
                                                 TensorData data = TensorData::kRead);

}  // namespace dfine::inline weights
