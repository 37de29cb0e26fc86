#pragma once
#include "onnx_export/onnx_graph.h"

namespace dfine::inline onnx_export {

/// The same computation with convolutions and products of matrices in half precision, and what lies
/// between them. Inputs and outputs keep their types. In single precision stay:
/// - LayerNormalization, Softmax, and sums over a dimension;
/// - whatever sampling positions, choices and outputs are made of, back to the last layer with
///   weights; the integral over bins is among it;
/// - a layer with weights that reads such coordinates.
OnnxGraph to_half_precision(const OnnxGraph& graph);

}  // namespace dfine::inline onnx_export
