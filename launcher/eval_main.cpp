#include <CLI/CLI.hpp>
#include <iostream>

#include "core/error.h"
#include "dfine_version.h"
#include "eval_files.h"

namespace {

constexpr int kFailed = 1, kWrongUsage = 2;

}  // namespace

int main(int argc, char** argv) {
  dfine::FileEvalOptions options;
  CLI::App app("COCO bounding-box metrics of a results file on an annotation file; the figures equal pycocotools' to the last digit.",
               "dfine-eval");
  app.set_version_flag("--version", "dfine-eval " DFINE_VERSION);
  app.add_option("--annotations", options.annotations, "ground truth: a COCO annotation file")->required()->type_name("FILE.json");
  app.add_option("--predictions", options.predictions, "detections: a list of {image_id, category_id, bbox, score}")
      ->required()
      ->type_name("FILE.json");
  app.add_option("--output", options.output, "also write the figures here")->type_name("FILE.json");
  app.add_option("--threads", options.threads, "threads; 0 takes one for every core")->check(CLI::NonNegativeNumber)->capture_default_str();
  try {
    app.parse(argc, argv);
    dfine::evaluate_files(options);
    return 0;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kWrongUsage;
  } catch (const dfine::UsageError& e) {
    std::cerr << "dfine-eval: " << e.what() << "\n";
    return kWrongUsage;
  } catch (const std::exception& e) {
    std::cerr << "dfine-eval: " << e.what() << "\n";
    return kFailed;
  }
}
