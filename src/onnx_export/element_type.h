#pragma once
#include <c10/core/ScalarType.h>

#include <cstdint>

namespace dfine::inline onnx_export {

/// ONNX's number for an element type (TensorProto.DataType). Throws Error for one that no model
/// here has.
int64_t onnx_type(at::ScalarType type);

}  // namespace dfine::inline onnx_export
