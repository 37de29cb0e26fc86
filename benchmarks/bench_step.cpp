// Time and memory of whole training steps (forward, criterion, backward, clipping, AdamW) on a
// fixed batch; train_step.py runs the peers.
//   bench_step --size n --batch 2 --image-size 640 --boxes 20 --classes 80 --threads 2 --steps 5
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "config/config.h"
#include "made_batch.h"
#include "step_options.h"
#include "train/build.h"
#include "train/learner.h"

int main(int argc, char** argv) {
  dfine::Config config;
  dfine::StepOptions options;
  CLI::App app("Time and memory of training steps", "bench_step");
  options.add_to(app);
  CLI11_PARSE(app, argc, argv);
  config.model.size = options.size;
  at::set_num_threads(options.threads);
  const int64_t batch = options.batch, side = options.side, classes = options.classes,
                steps = options.steps;
  config.ema.enabled = false;

  const dfine::Recipe recipe =
      dfine::make_recipe(config, {.steps_per_epoch = steps, .global_batch = batch});
  dfine::Learner learner(
      dfine::build_model(config, std::vector<dfine::Category>(static_cast<size_t>(classes)), false,
                         dfine::Group()),
      config, recipe, dfine::Group());
  const dfine::Batch data = dfine::made_batch(batch, side, options.boxes, classes);
  std::vector<double> seconds;
  for (int64_t step = 0; step < steps; ++step) {
    seconds.push_back(dfine::seconds_of([&] { learner.step({data}, {side, side}, step); }));
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double first = seconds.front();
  std::sort(seconds.begin() + 1, seconds.end());
  std::cout << "first_s " << first << "\nmedian_s " << seconds[1 + (seconds.size() - 1) / 2]
            << "\npeak_gib " << static_cast<double>(usage.ru_maxrss) / (1 << 20) << "\n";
}
