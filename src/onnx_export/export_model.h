#pragma once
// The work of dfine-export.
#include <filesystem>
#include <optional>
#include <string>

#include "core/image_size.h"

namespace dfine::inline onnx_export {

struct ExportOptions {
  std::string weights;                  // a checkpoint folder or a .safetensors file
  std::filesystem::path output;         // FILE.onnx
  std::string layout = "hub";           // or "official"; see layouts.h
  std::optional<ImageSize> image_size;  // default: what the model was trained with
  std::string precision = "fp32";       // or "fp16"; see half_precision.h
};

/// Writes the model's forward pass as ONNX (opset 17) with a free batch size, and prints what it
/// wrote. Norms are folded into convolutions and RepVGG branches are merged. The bytes pass an ONNX
/// checker before they get their name, so the file is whole and valid or not there. Errors: options
/// (usage); a size that the model does not take; an operator without a rule.
void export_model(const ExportOptions& options);

}  // namespace dfine::inline onnx_export
