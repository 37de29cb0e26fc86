// Time and memory of whole training steps (forward, criterion, backward, clipping, AdamW) on a
// fixed batch; train_step.py runs the peers.
//   bench_step --size n --batch 2 --image-size 640 --boxes 20 --classes 80 --threads 2 --steps 5
//   bench_step --size n --profile   the time of each operator instead
//   bench_step --size n --hub-config DIR   only writes DIR/config.json, for transformers
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "config/config.h"
#include "learner/learner.h"
#include "made_batch.h"
#include "memory/host_allocator.h"
#include "op_profile.h"
#include "step_options.h"
#include "train/plan/resolve.h"
#include "variants/model_spec.h"
#include "weights/hf_config.h"

int main(int argc, char** argv) {
  dfine::Config config;
  dfine::StepOptions options;
  CLI::App app("Time and memory of training steps", "bench_step");
  options.add_to(app);
  std::string hub_config;
  app.add_option("--hub-config", hub_config);
  app.add_option("--weights", config.model.weights, "a Hugging Face folder to start from");
  bool bf16 = false;
  app.add_flag("--bf16", bf16);
  bool profile = false;
  app.add_flag("--profile", profile, "print the time of each operator");
  CLI11_PARSE(app, argc, argv);
  dfine::use_host_arena();  // as the programs do
  config.model.size = options.size;
  config.model.class_heads = dfine::ClassHeads::kByIndex;
  config.model.allow_random_frozen = true;  // only the time counts
  at::set_num_threads(options.threads);
  const int64_t batch = options.batch, side = options.side, classes = options.classes,
                steps = options.steps;
  config.ema.enabled = false;
  config.run.precision = bf16 ? dfine::Precision::kBf16 : dfine::Precision::kFp32;
  if (!hub_config.empty()) {
    const dfine::ModelSpec spec =
        dfine::model_spec(dfine::model_variant(options.size).size, options.classes);
    dfine::write_hf_config(
        hub_config, {.spec = spec,
                     .class_names = std::vector<std::string>(static_cast<size_t>(classes), "class"),
                     .category_ids = {}});
    return 0;
  }

  const dfine::Recipe recipe =
      dfine::make_recipe(config, {.steps_per_epoch = steps, .global_batch = batch});
  dfine::Learner learner(
      dfine::build_model(
          dfine::model_options(config, std::vector<dfine::Category>(static_cast<size_t>(classes))),
          /*read_weights=*/true),
      dfine::learner_options(config, recipe, /*cuda=*/false), dfine::Communicator());
  const dfine::Batch data = dfine::made_batch(batch, side, options.boxes, classes);
  if (profile) {
    learner.step({data}, {side, side}, 0);
    const dfine::OpProfile operators;
    for (int64_t step = 1; step < steps; ++step) learner.step({data}, {side, side}, step);
    operators.print(/*rows=*/40, static_cast<double>(steps - 1));
    return 0;
  }
  std::vector<double> seconds;
  using Clock = std::chrono::system_clock;
  const Clock::time_point ready = Clock::now();
  Clock::time_point first_end;
  for (int64_t step = 0; step < steps; ++step) {
    seconds.push_back(dfine::seconds_of([&] { learner.step({data}, {side, side}, step); }));
    if (step == 0) first_end = Clock::now();
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double median = dfine::quartiles({seconds.begin() + 1, seconds.end()}).median;
  const auto epoch_seconds = [](Clock::time_point time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
  };
  std::cout << std::fixed << "ready " << epoch_seconds(ready) << "\nfirst_end "
            << epoch_seconds(first_end) << "\nmedian_s " << median << "\npeak_gib "
            << static_cast<double>(usage.ru_maxrss) / (1 << 20) << "\n";
}
