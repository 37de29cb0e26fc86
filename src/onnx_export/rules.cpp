#include "onnx_export/rules.h"

namespace dfine::inline onnx_export {

const Rules& all_rules() {
  static const Rules all = [] {
    Rules joined;
    for (Rules part : {layer_rules(), arithmetic_rules(), shape_rules(), reduction_rules()})
      joined.merge(part);
    return joined;
  }();
  return all;
}

}  // namespace dfine::inline onnx_export
