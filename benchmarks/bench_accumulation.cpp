// What exact accumulation costs over averaged (train.gradient_accumulation): whole steps of K
// micro-batches, in turn.
//   bench_accumulation --size n --batch 2 --image-size 320 --boxes 20 --classes 80 --threads 2
//   --accumulate 4 --steps 9
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <vector>

#include "config/config.h"
#include "learner/learner.h"
#include "made_batch.h"
#include "step_options.h"
#include "train/plan/resolve.h"

int main(int argc, char** argv) {
  dfine::Config config;
  dfine::StepOptions options{.side = 320, .steps = 9};
  int64_t accumulate = 4;
  CLI::App app("Exact against averaged accumulation", "bench_accumulation");
  options.add_to(app);
  app.add_option("--accumulate", accumulate);
  CLI11_PARSE(app, argc, argv);
  config.model.size = options.size;
  config.model.allow_random_frozen = true;  // only the time counts
  at::set_num_threads(options.threads);
  const int64_t batch = options.batch, side = options.side, classes = options.classes;

  const dfine::Communicator alone;
  const std::vector<dfine::Category> categories(static_cast<size_t>(classes));
  const std::vector<dfine::Batch> data(static_cast<size_t>(accumulate),
                                       dfine::made_batch(batch, side, options.boxes, classes));
  const dfine::Recipe recipe =
      dfine::make_recipe(config, {.steps_per_epoch = 10'000, .global_batch = batch * accumulate});
  const auto make_learner = [&](dfine::GradientAccumulation accumulation) {
    config.train.gradient_accumulation = accumulation;
    return dfine::Learner(dfine::build_model(dfine::model_options(config, categories), false),
                          dfine::learner_options(config, recipe, /*cuda=*/false), alone);
  };
  dfine::Learner exact = make_learner(dfine::GradientAccumulation::kExact);
  dfine::Learner averaged = make_learner(dfine::GradientAccumulation::kAveraged);
  const auto seconds_of = [&](dfine::Learner& learner, int64_t step) {
    return dfine::seconds_of([&] { learner.step(data, {side, side}, step); });
  };

  std::vector<double> exact_s, averaged_s, ratios;
  for (int64_t step = 0; step <= options.steps; ++step) {
    const double a = seconds_of(exact, step), b = seconds_of(averaged, step);
    if (step == 0) continue;  // makes the moments
    exact_s.push_back(a);
    averaged_s.push_back(b);
    ratios.push_back(a / b);
  }
  const dfine::Quartiles ratio = dfine::quartiles(ratios);
  std::cout << "exact_s " << dfine::quartiles(exact_s).median << "\naveraged_s "
            << dfine::quartiles(averaged_s).median << "\nexact_over_averaged " << ratio.median
            << " (quartiles " << ratio.low << " to " << ratio.high << ")\n";
}
