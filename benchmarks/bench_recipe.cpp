// What the recipe's extras cost: whole steps as training makes them (EMA, clipping, warm-up, the check for finite figures, metrics.jsonl)
// against plain ones (forward, criterion, backward, AdamW), in turn.
//   bench_recipe --size n --batch 4 --image-size 320 --boxes 12 --classes 3 --threads 2 --steps 20
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <vector>

#include "config/config.h"
#include "made_batch.h"
#include "train/build.h"
#include "train/learner.h"
#include "train/metrics_log.h"
#include "train/parameter_groups.h"

namespace {

double seconds_of(const std::function<void()>& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  dfine::Config config;
  int64_t batch = 4, side = 320, boxes = 12, classes = 3, steps = 20;
  int threads = 2;
  CLI::App app("Whole training steps against plain ones", "bench_recipe");
  app.add_option("--size", config.model.size);
  app.add_option("--batch", batch);
  app.add_option("--image-size", side);
  app.add_option("--boxes", boxes);
  app.add_option("--classes", classes);
  app.add_option("--threads", threads);
  app.add_option("--steps", steps);
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(threads);

  const dfine::Group alone;
  const std::vector<dfine::Category> categories(static_cast<size_t>(classes));
  const dfine::Batch data = dfine::made_batch(batch, side, boxes, classes);

  const dfine::Recipe recipe = dfine::make_recipe(config, {.steps_per_epoch = 10'000, .global_batch = batch});
  dfine::Learner learner(dfine::build_model(config, categories, false, alone), config, recipe, alone);
  const auto file = std::filesystem::temp_directory_path() / "bench_recipe.jsonl";
  dfine::MetricsLog metrics(file.string(), -1);
  const auto whole = [&](int64_t step) {
    const dfine::StepResult result = learner.step({data}, {side, side}, step);
    metrics.write_step({.step = step, .loss = result.loss, .losses = result.losses, .grad_norm = result.grad_norm, .lr = result.lr});
  };

  const auto model = dfine::build_model(config, categories, false, alone);
  model->train();
  std::vector<dfine::Tensor> trained = dfine::trained_parameters(*model);
  dfine::TrainingStep training_step(*model, trained, dfine::Criterion({.num_classes = classes}), alone);
  dfine::AdamW optimizer(dfine::parameter_groups(*model, config.optim));
  const dfine::MicroBatch part{.images = [&] { return dfine::to_model_input(data.images, at::kCPU); }, .targets = data.targets};
  const auto plain = [&](int64_t step) {
    training_step.run({part}, {.seed = 0, .step = step});
    optimizer.step();
    for (auto& parameter : trained) parameter.mutable_grad().reset();
  };

  std::vector<double> whole_s, plain_s;
  for (int64_t step = 0; step <= steps; ++step) {
    const double a = seconds_of([&] { whole(step); }), b = seconds_of([&] { plain(step); });
    if (step == 0) continue;  // makes the moments
    whole_s.push_back(a);
    plain_s.push_back(b);
  }
  std::filesystem::remove(file);
  std::cout << "whole_s " << median(whole_s) << "\nplain_s " << median(plain_s) << "\nwhole_over_plain "
            << median(whole_s) / median(plain_s) << "\n";
}
