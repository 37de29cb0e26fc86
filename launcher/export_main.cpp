// dfine-export: a model as an ONNX file.
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command_line.h"
#include "dfine_version.h"
#include "eval/image_size_option.h"
#include "hub/local_weights.h"
#include "memory/host_allocator.h"
#include "onnx_export/export_model.h"
#include "program.h"

int main(int argc, char** argv) {
  dfine::use_host_arena();
  dfine::ExportOptions options;
  std::string image_size;
  CLI::App app("Writes a model as an ONNX file (opset 17) with a free batch size.", "dfine-export");
  app.set_version_flag("--version", "dfine-export " DFINE_VERSION);
  app.add_option("--weights", options.weights, dfine::kWeightsHelp)->required()->type_name("PATH");
  app.add_option("--output", options.output, "the file to write; an existing one is replaced")
      ->required()
      ->type_name("FILE.onnx");
  app.add_option("--layout", options.layout,
                 "hub: pixel_values -> logits, pred_boxes. official: images, orig_target_sizes -> "
                 "labels, boxes, scores, with post-processing")
      ->check(CLI::IsMember({"hub", "official"}))
      ->capture_default_str();
  app.add_option("--image-size", image_size,
                 "network input, fixed in the file; default: what the model was trained with")
      ->type_name("N|HxW");
  app.add_option("--precision", options.precision,
                 "fp16: weights of half the size; norms, softmax, positions and scores stay in "
                 "single precision")
      ->check(CLI::IsMember({"fp32", "fp16"}))
      ->capture_default_str();
  app.footer(std::string("How to run the file in ONNX Runtime, OpenVINO, TensorRT, Frigate and "
                         "DeepStream: docs/deploy.md\n") +
             dfine::kExitCodesHelp);
  return dfine::run_program(app, argc, argv, [&] {
    options.image_size = dfine::parse_image_size(image_size);
    options.weights = dfine::local_weights("--weights", options.weights);
    dfine::export_model(options);
  });
}
