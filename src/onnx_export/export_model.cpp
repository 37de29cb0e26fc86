#include "onnx_export/export_model.h"

#include <iostream>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "eval/loaded_model.h"
#include "files/atomic_path.h"
#include "files/output_file.h"
#include "onnx_export/half_precision.h"
#include "onnx_export/layouts.h"
#include "onnx_export/metadata.h"
#include "onnx_export/onnx_file.h"

namespace dfine::inline onnx_export {
namespace {

bool parse_half(const std::string& precision) {
  if (precision != "fp32" && precision != "fp16")
    throw UsageError(str_cat("--precision ", precision, ": expected fp32 or fp16"));
  return precision == "fp16";
}

/// LoadedModel::model, changed: it computes with plain operators and without gradients from now on.
std::shared_ptr<DFine> prepared(const LoadedModel& loaded) {
  for (Tensor& parameter : loaded.model->parameters()) parameter.requires_grad_(false);
  loaded.model->prepare_for_inference(Operators::kPlain);
  return loaded.model;
}

std::string describe(const std::vector<OnnxPort>& ports, const std::string& batch) {
  std::string text;
  for (const OnnxPort& port : ports) {
    text += str_cat(text.empty() ? "" : ", ", port.name, " [");
    for (size_t i = 0; i < port.shape.size(); ++i)
      text += str_cat(i ? ", " : "",
                      port.shape[i] == kBatchSize ? batch : std::to_string(port.shape[i]));
    text += "]";
  }
  return text;
}

}  // namespace

void export_model(const ExportOptions& options) {
  const Layout layout = parse_layout(options.layout);
  const bool half = parse_half(options.precision);
  AtomicFile file(options.output);  // first: a place that cannot be written costs no waiting
  LoadedModel loaded = load_model(options.weights, at::kCPU);
  name_known_classes(loaded.description);
  const ImageSize size = options.image_size.value_or(
      ImageSize{loaded.description.image_height, loaded.description.image_width});
  OnnxModel model{
      .graph = convert(forward_pass(prepared(loaded), layout, size)),
      .batch_name = batch_name(layout),
      .metadata = metadata(loaded.description,
                           stored_thresholds(options.weights, loaded.description.class_names), size,
                           options.layout, options.precision)};
  if (half) model.graph = to_half_precision(model.graph);
  const std::string bytes = serialize(model);
  check_onnx(bytes);
  OutputFile out(file.path(), OutputFile::Mode::kTruncate, options.output);
  out.write(bytes);
  out.close();
  file.commit();
  std::cout << printable(options.output.string()) << ": "
            << fixed(static_cast<double>(bytes.size()) / 1e6, 1) << " MB, "
            << model.graph.nodes().size() << " operators, " << options.precision
            << "\n  inputs:  " << describe(model.graph.inputs(), model.batch_name)
            << "\n  outputs: " << describe(model.graph.outputs(), model.batch_name) << "\n";
}

}  // namespace dfine::inline onnx_export
