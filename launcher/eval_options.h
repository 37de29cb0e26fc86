#pragma once
// The command line of dfine-eval. Two programs read it: dfine-eval, and dfine-eval-model, which
// dfine-eval becomes for a model.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/console_flags.h"

namespace dfine {

struct EvalArguments {
  // Files
  std::string annotations, predictions;
  std::vector<std::string> iou_thresholds;
  std::vector<size_t> max_dets;
  bool class_agnostic = false;
  // A model
  std::string weights, data, image_size, device = "auto";
  int64_t batch_size = 8;
  std::string save_predictions;
  // Both
  bool details = false;
  ConsoleFlags console;
  std::string output;
  int threads = 0;
};

/// An application of the name dfine-eval without options.
CLI::App eval_application();
/// Its options. They write into `arguments`.
void describe_eval_options(CLI::App& app, EvalArguments& arguments);

}  // namespace dfine
