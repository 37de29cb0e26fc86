#include <CLI/CLI.hpp>
#include <string>

#include "cli/command_line.h"
#include "core/error.h"
#include "dfine_version.h"
#include "eval/eval_pack.h"
#include "eval/image_size_option.h"
#include "hub/local_weights.h"
#include "memory/host_allocator.h"
#include "program.h"
#include "scoring/eval_files.h"

int main(int argc, char** argv) {
  dfine::use_host_arena();
  dfine::FileEvalOptions files;
  dfine::PackEvalOptions pack;
  std::string output, image_size;
  int threads = 0;
  CLI::App app(
      "COCO bounding-box metrics of a model on a packed dataset, or of a results file on an "
      "annotation file. They equal pycocotools' to the last digit.",
      "dfine-eval");
  app.set_version_flag("--version", "dfine-eval " DFINE_VERSION);
  auto* annotations =
      app.add_option("--annotations", files.annotations, "ground truth: a COCO annotation file")
          ->type_name("FILE.json");
  auto* predictions = app.add_option("--predictions", files.predictions,
                                     "detections: a list of {image_id, category_id, bbox, score}")
                          ->type_name("FILE.json");
  auto* weights = app.add_option("--weights", pack.weights, dfine::kWeightsHelp)->type_name("PATH");
  auto* data =
      app.add_option("--data", pack.data, "folder that dfine-pack wrote")->type_name("DIR");
  app.add_option("--output", output, "also write the metrics here")->type_name("FILE.json");
  app.add_option("--image-size", image_size,
                 "network input; default: what the model was trained with")
      ->type_name("N|HxW")
      ->needs(weights);
  app.add_option("--batch-size", pack.batch_size, "images at once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->needs(weights);
  app.add_option("--device", pack.device, "auto, cpu or cuda")
      ->capture_default_str()
      ->needs(weights);
  app.add_option("--threads", threads, "threads; 0 takes one for every core")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.footer(dfine::kExitCodesHelp);
  annotations->needs(predictions)->excludes(weights)->excludes(data);
  predictions->needs(annotations);
  weights->needs(data);
  data->needs(weights);
  return dfine::run_program(app, argc, argv, [&] {
    if (!output.empty()) files.output = pack.output = output;
    files.threads = pack.threads = threads;
    if (*weights) {
      pack.image_size = dfine::parse_image_size(image_size);
      pack.weights = dfine::local_weights("--weights", pack.weights);
      dfine::evaluate_pack(pack);
    } else if (*annotations) {
      dfine::evaluate_files(files);
    } else {
      throw dfine::UsageError("nothing to evaluate",
                              "give --weights and --data, or --annotations and --predictions");
    }
  });
}
