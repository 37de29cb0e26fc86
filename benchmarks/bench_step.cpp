// Time and memory of whole training steps (forward, criterion, backward, clipping, AdamW) on a fixed batch; train_step.py runs the peers.
//   bench_step --size n --batch 2 --image-size 640 --boxes 20 --classes 80 --threads 2 --steps 5
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/random.h"
#include "train/build.h"
#include "train/learner.h"

namespace {

using Clock = std::chrono::steady_clock;

dfine::Batch make_batch(int64_t batch, int64_t side, int64_t boxes, int64_t classes) {
  dfine::CounterRandom random(1, dfine::Stream::kTest, 0);
  dfine::Batch out;
  out.images = at::empty({batch, 3, side, side}, at::kByte);
  auto* pixel = out.images.data_ptr<uint8_t>();
  for (int64_t i = 0; i < out.images.numel(); ++i) pixel[i] = static_cast<uint8_t>(random.next_u32());
  std::vector<int64_t> labels;
  std::vector<float> xywh;
  for (int64_t i = 0; i < batch; ++i) {
    out.targets.counts.push_back(boxes);
    for (int64_t k = 0; k < boxes; ++k) {
      const float w = 0.05F + 0.35F * random.uniform(), h = 0.05F + 0.35F * random.uniform();
      labels.push_back(static_cast<int64_t>(random.below(static_cast<uint64_t>(classes))));
      xywh.insert(xywh.end(), {w / 2 + (1 - w) * random.uniform(), h / 2 + (1 - h) * random.uniform(), w, h});
    }
  }
  out.targets.labels = at::tensor(labels, at::kLong);
  out.targets.boxes = at::tensor(xywh).reshape({-1, 4});
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  dfine::Config config;
  int64_t batch = 2, side = 640, boxes = 20, classes = 80, steps = 5;
  int threads = 2;
  CLI::App app("Time and memory of training steps", "bench_step");
  app.add_option("--size", config.model.size);
  app.add_option("--batch", batch);
  app.add_option("--image-size", side);
  app.add_option("--boxes", boxes);
  app.add_option("--classes", classes);
  app.add_option("--threads", threads);
  app.add_option("--steps", steps);
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(threads);
  config.ema.enabled = false;

  const dfine::Recipe recipe = dfine::make_recipe(config, {.steps_per_epoch = steps, .global_batch = batch});
  dfine::Learner learner(dfine::build_model(config, std::vector<dfine::Category>(static_cast<size_t>(classes)), false, dfine::Group()),
                         config, recipe, dfine::Group());
  const dfine::Batch data = make_batch(batch, side, boxes, classes);
  std::vector<double> seconds;
  for (int64_t step = 0; step < steps; ++step) {
    const auto begin = Clock::now();
    learner.step(data, {side, side}, step);
    seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double first = seconds.front();
  std::sort(seconds.begin() + 1, seconds.end());
  std::cout << "first_s " << first << "\nmedian_s " << seconds[1 + (seconds.size() - 1) / 2] << "\npeak_gib "
            << static_cast<double>(usage.ru_maxrss) / (1 << 20) << "\n";
}
