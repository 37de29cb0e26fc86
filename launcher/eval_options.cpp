#include "eval_options.h"

#include "cli/command_line.h"
#include "dfine_version.h"
#include "program.h"

namespace dfine {
namespace {

CLI::Option* describe_files(CLI::App& app, EvalArguments& arguments) {
  const char* const group = "Files";
  auto* annotations =
      app.add_option("--annotations", arguments.annotations, "ground truth: a COCO annotation file")
          ->type_name("FILE.json")
          ->group(group);
  auto* predictions = app.add_option("--predictions", arguments.predictions,
                                     "detections: a list of {image_id, category_id, bbox, score}")
                          ->type_name("FILE.json")
                          ->group(group);
  app.add_option("--iou-thresholds", arguments.iou_thresholds,
                 "IoU thresholds, up to 32: numbers, or FIRST:LAST:STEP; default: 0.5:0.95:0.05")
      ->type_name("X")
      ->needs(annotations)
      ->group(group);
  app.add_option("--max-dets", arguments.max_dets,
                 "most detections of one image and class; each number gets its own recall, all "
                 "else takes the largest; default: 1 10 100")
      ->check(CLI::Range(1, 1'000'000'000).description(""))
      ->type_name("N")
      ->needs(annotations)
      ->group(group);
  app.add_flag("--class-agnostic", arguments.class_agnostic,
               "all classes count as one: only the boxes matter")
      ->needs(annotations)
      ->group(group);
  annotations->needs(predictions);
  predictions->needs(annotations);
  return annotations;
}

void describe_model(CLI::App& app, EvalArguments& arguments, CLI::Option* annotations) {
  const char* const group = "Model";
  auto* weights =
      app.add_option("--weights", arguments.weights, kWeightsHelp)->type_name("PATH")->group(group);
  auto* data = app.add_option("--data", arguments.data, "folder that dfine-pack wrote")
                   ->type_name("DIR")
                   ->group(group);
  app.add_option("--image-size", arguments.image_size,
                 "network input; default: what the model was trained with")
      ->type_name("N|HxW")
      ->needs(weights)
      ->group(group);
  app.add_option("--batch-size", arguments.batch_size, "images at once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->needs(weights)
      ->group(group);
  app.add_option("--device", arguments.device, "auto, cpu or cuda")
      ->capture_default_str()
      ->needs(weights)
      ->group(group);
  app.add_option("--save-predictions", arguments.save_predictions,
                 "also write the detections here, as COCO results")
      ->type_name("FILE.json")
      ->needs(weights)
      ->group(group);
  annotations->excludes(weights)->excludes(data);
  weights->needs(data);
  data->needs(weights);
}

}  // namespace

CLI::App eval_application() {
  return CLI::App(
      "COCO bounding-box metrics of a model on a packed dataset, or of a results file on an "
      "annotation file. They equal pycocotools' to the last digit.",
      "dfine-eval");
}

void describe_eval_options(CLI::App& app, EvalArguments& arguments) {
  app.set_version_flag("--version", "dfine-eval " DFINE_VERSION);
  describe_model(app, arguments, describe_files(app, arguments));
  app.add_option("--output", arguments.output, "also write the metrics here")
      ->type_name("FILE.json");
  app.add_flag("--details", arguments.details,
               "also print and write best score thresholds, calibration, confusions, and what each "
               "kind of error costs");
  arguments.console.add_to(app);
  app.add_option("--threads", arguments.threads, "threads; 0 takes one for every core")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.footer(kExitCodesHelp);
}

}  // namespace dfine
