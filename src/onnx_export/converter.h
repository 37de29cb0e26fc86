#pragma once
#include <string>
#include <vector>

#include "onnx_export/onnx_graph.h"
#include "onnx_export/recording.h"

namespace dfine::inline onnx_export {

/// A computation over batches, ready to be recorded.
struct BatchComputation {
  Computation computation;
  /// Inputs for a batch of that size; the values play no part.
  std::function<std::vector<Tensor>(int64_t batch)> inputs;
  Names input_names, output_names;
};

/// Records the computation for two batch sizes and turns the recordings into one graph for any
/// batch. What no input decides is computed here. Error: an operator without a
/// rule, or something other than shapes that depends on the size of the batch.
OnnxGraph convert(const BatchComputation& computation);

}  // namespace dfine::inline onnx_export
