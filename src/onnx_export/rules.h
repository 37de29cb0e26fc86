#pragma once
// How each operator of LibTorch is written in ONNX. An operator without a rule is an error.
#include <map>
#include <string_view>

#include "onnx_export/operation.h"

namespace dfine::inline onnx_export {

using Rule = void (*)(Operation&);
using Rules = std::map<std::string_view, Rule>;

/// By the operator's name without its namespace, such as "linear".
const Rules& all_rules();

// The parts.
Rules layer_rules();       // with weights, or over neighbouring pixels
Rules arithmetic_rules();  // element by element
Rules shape_rules();       // which move elements or choose among them
Rules reduction_rules();   // over a dimension, and products of matrices

}  // namespace dfine::inline onnx_export
