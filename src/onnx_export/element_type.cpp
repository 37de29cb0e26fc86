#include "onnx_export/element_type.h"

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline onnx_export {

int64_t onnx_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return 1;
    case at::kInt:
      return 6;
    case at::kLong:
      return 7;
    case at::kBool:
      return 9;
    case at::kHalf:
      return 10;
    case at::kDouble:
      return 11;
    default:
      throw Error(ErrorCode::kInternal,
                  str_cat("tensors of type ", c10::toString(type), " are not exported"));
  }
}

}  // namespace dfine::inline onnx_export
