// How long training waits for a checkpoint: the copy alone, while a thread writes it, against
// writing it at once.
//   bench_checkpoint --size x --folder /scratch/bench --rounds 5
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "learner/learner.h"
#include "step_options.h"
#include "train/checkpoint/checkpoint_writer.h"
#include "train/plan/resolve.h"
#include "train/run/run_checkpoint.h"

int main(int argc, char** argv) {
  dfine::Config config;
  std::string folder;
  int64_t rounds = 5;
  CLI::App app("Delay of the step that triggers a checkpoint", "bench_checkpoint");
  app.add_option("--size", config.model.size, "n, s, m, l or x");
  app.add_option("--folder", folder, "on the file system to measure")->required();
  app.add_option("--rounds", rounds);
  CLI11_PARSE(app, argc, argv);
  config.model.allow_random_frozen = true;  // only the time counts

  const dfine::Communicator alone;
  const std::vector<dfine::Category> categories(80);
  const dfine::RunPlan plan = dfine::resolve(config, categories, 1'000'000, 1, /*cuda=*/false);
  dfine::Learner learner(dfine::build_model(plan.model, /*read_weights=*/false), plan.learner,
                         alone);
  learner.optimizer().allocate_moments();
  dfine::CheckpointWriter writer(dfine::CheckpointStore(folder), {});
  std::vector<double> background, at_once, ratios;
  dfine::RunState state;
  for (int64_t round = 0; round <= rounds; ++round) {
    double waited = 0;
    const double whole = dfine::seconds_of([&] {
      waited = dfine::seconds_of([&] {
        state.step = round + 1;
        writer.write(std::make_shared<const dfine::Checkpoint>(
                         dfine::snapshot(learner, plan, categories, state)),
                     dfine::CheckpointKind::kStep, {"last"});
      });
      writer.wait();
    });
    for (const dfine::WrittenCheckpoint& written : writer.take_written())
      if (written.failure) throw *written.failure;
    if (round == 0) continue;  // takes new memory from the system
    background.push_back(waited);
    at_once.push_back(whole);
    ratios.push_back(whole / waited);
  }
  std::filesystem::remove_all(folder);
  std::cout << "background_s " << dfine::quartiles(background).median << "\nat_once_s "
            << dfine::quartiles(at_once).median << "\nat_once_over_background "
            << dfine::quartiles(ratios).median << " (quartiles " << dfine::quartiles(ratios).low
            << " to " << dfine::quartiles(ratios).high << ")\n";
}
