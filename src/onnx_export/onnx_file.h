#pragma once
// ONNX's file format (onnx/onnx.proto of version 1.12: IR version 8, opset 17).
#include <map>
#include <string>

#include "onnx_export/onnx_graph.h"

namespace dfine::inline onnx_export {

/// What a file holds.
struct OnnxModel {
  OnnxGraph graph;
  std::string batch_name;                       // of the free dimension
  std::map<std::string, std::string> metadata;  // metadata_props
};

/// The bytes of the file. Error: a model above 2 GiB, protobuf's limit.
std::string serialize(const OnnxModel& model);

/// Throws Error unless the bytes pass LibTorch's own ONNX checker, which also infers all types and
/// shapes.
void check_onnx(const std::string& bytes);

}  // namespace dfine::inline onnx_export
