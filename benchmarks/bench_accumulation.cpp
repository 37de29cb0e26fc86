// What exact accumulation costs over averaged (train.gradient_accumulation): whole steps of K micro-batches, in turn.
//   bench_accumulation --size n --batch 2 --image-size 320 --boxes 20 --classes 80 --threads 2 --accumulate 4 --steps 9
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <vector>

#include "config/config.h"
#include "made_batch.h"
#include "train/build.h"
#include "train/learner.h"

namespace {

struct Quartiles {
  double low, median, high;
};

Quartiles quartiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return {values[n / 4], values[n / 2], values[3 * n / 4]};
}

}  // namespace

int main(int argc, char** argv) {
  dfine::Config config;
  int64_t batch = 2, side = 320, boxes = 20, classes = 80, steps = 9, accumulate = 4;
  int threads = 2;
  CLI::App app("Exact against averaged accumulation", "bench_accumulation");
  app.add_option("--size", config.model.size);
  app.add_option("--batch", batch);
  app.add_option("--image-size", side);
  app.add_option("--boxes", boxes);
  app.add_option("--classes", classes);
  app.add_option("--threads", threads);
  app.add_option("--accumulate", accumulate);
  app.add_option("--steps", steps);
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(threads);

  const dfine::Group alone;
  const std::vector<dfine::Category> categories(static_cast<size_t>(classes));
  const std::vector<dfine::Batch> data(static_cast<size_t>(accumulate), dfine::made_batch(batch, side, boxes, classes));
  const dfine::Recipe recipe = dfine::make_recipe(config, {.steps_per_epoch = 10'000, .global_batch = batch * accumulate});
  const auto make_learner = [&](dfine::GradientAccumulation accumulation) {
    config.train.gradient_accumulation = accumulation;
    return dfine::Learner(dfine::build_model(config, categories, false, alone), config, recipe, alone);
  };
  dfine::Learner exact = make_learner(dfine::GradientAccumulation::kExact);
  dfine::Learner averaged = make_learner(dfine::GradientAccumulation::kAveraged);
  const auto seconds_of = [&](dfine::Learner& learner, int64_t step) {
    const auto begin = std::chrono::steady_clock::now();
    learner.step(data, {side, side}, step);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };

  std::vector<double> exact_s, averaged_s, ratios;
  for (int64_t step = 0; step <= steps; ++step) {
    const double a = seconds_of(exact, step), b = seconds_of(averaged, step);
    if (step == 0) continue;  // makes the moments
    exact_s.push_back(a);
    averaged_s.push_back(b);
    ratios.push_back(a / b);
  }
  const Quartiles ratio = quartiles(ratios);
  std::cout << "exact_s " << quartiles(exact_s).median << "\naveraged_s " << quartiles(averaged_s).median << "\nexact_over_averaged "
            << ratio.median << " (quartiles " << ratio.low << " to " << ratio.high << ")\n";
}
