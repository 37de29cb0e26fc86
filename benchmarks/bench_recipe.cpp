// What the recipe's extras cost. Whole steps as training makes them (EMA, clipping, warm-up, the
// check for finite numbers, metrics.jsonl) and plain ones (forward, criterion, backward, AdamW)
// take turns.
//   bench_recipe --size n --batch 4 --image-size 320 --boxes 12 --classes 3 --threads 2 --steps 20
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <vector>

#include "config/config.h"
#include "learner/learner.h"
#include "learner/parameter_groups.h"
#include "made_batch.h"
#include "step_options.h"
#include "train/plan/resolve.h"
#include "train/run/metrics_log.h"

int main(int argc, char** argv) {
  dfine::Config config;
  dfine::StepOptions options{.batch = 4, .side = 320, .boxes = 12, .classes = 3, .steps = 20};
  CLI::App app("Whole training steps against plain ones", "bench_recipe");
  options.add_to(app);
  CLI11_PARSE(app, argc, argv);
  config.model.size = options.size;
  config.model.allow_random_frozen = true;  // only the time counts
  at::set_num_threads(options.threads);
  const int64_t batch = options.batch, side = options.side, classes = options.classes;

  const dfine::Communicator alone;
  const std::vector<dfine::Category> categories(static_cast<size_t>(classes));
  const dfine::Batch data = dfine::made_batch(batch, side, options.boxes, classes);

  const dfine::Recipe recipe =
      dfine::make_recipe(config, {.steps_per_epoch = 10'000, .global_batch = batch});
  const dfine::ModelOptions model_options = dfine::model_options(config, categories);
  const dfine::LearnerOptions learner_options =
      dfine::learner_options(config, recipe, /*cuda=*/false);
  dfine::Learner learner(dfine::build_model(model_options, false), learner_options, alone);
  const auto file = std::filesystem::temp_directory_path() / "bench_recipe.jsonl";
  dfine::MetricsLog metrics(file.string(), -1);
  const auto whole = [&](int64_t step) {
    const dfine::StepResult result = learner.step({data}, {side, side}, step);
    metrics.write_step({.step = step,
                        .loss = result.loss,
                        .losses = result.losses,
                        .grad_norm = result.grad_norm,
                        .lr = result.lr});
  };

  const auto model = dfine::build_model(model_options, false);
  model->train();
  std::vector<dfine::Tensor> trained = dfine::trained_parameters(*model);
  dfine::TrainingStep training_step(*model, trained, dfine::Criterion({.num_classes = classes}),
                                    alone);
  dfine::AdamW optimizer(dfine::parameter_groups(*model, learner_options.optimizer));
  const dfine::MicroBatch part{
      .images = [&] { return dfine::to_model_input(data.images, at::kCPU); },
      .targets = data.targets};
  const auto plain = [&](int64_t step) {
    training_step.run({part}, {.seed = 0, .step = step});
    optimizer.step();
    for (auto& parameter : trained) parameter.mutable_grad().reset();
  };

  std::vector<double> whole_s, plain_s;
  for (int64_t step = 0; step <= options.steps; ++step) {
    const double a = dfine::seconds_of([&] { whole(step); }),
                 b = dfine::seconds_of([&] { plain(step); });
    if (step == 0) continue;  // makes the moments
    whole_s.push_back(a);
    plain_s.push_back(b);
  }
  std::filesystem::remove(file);
  const double a = dfine::quartiles(whole_s).median, b = dfine::quartiles(plain_s).median;
  std::cout << "whole_s " << a << "\nplain_s " << b << "\nwhole_over_plain " << a / b << "\n";
}
