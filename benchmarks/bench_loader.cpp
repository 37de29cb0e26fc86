// The loader of training, from a pack to float batches as the network takes them, on the CPU;
// bench_loader.py runs it beside its peers.
//   bench_loader --data PACK --image-size 640 --augment dfine --threads 2 --images 2000
// --threads 1: everything in the caller's thread. N > 1: N workers; the caller only collects
// batches and makes them float. With --bytes they stay bytes, as for a GPU, which converts them.
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>
#include <string>
#include <vector>

#include "config/load.h"
#include "core/error.h"
#include "data/shards/dataset.h"
#include "input/device_prefetcher.h"
#include "memory/host_allocator.h"
#include "train/plan/resolve.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  std::string data, augment = "dfine";
  int64_t image_size = 640, threads = 1, images = 1000, batch_size = 4;
  bool bytes = false;
};

dfine::Config make_config(const Settings& settings) {
  return dfine::load_config(
      "",
      {"data.train=" + settings.data, "validate.every_epochs=0", "data.augment=" + settings.augment,
       "data.image_size=" + std::to_string(settings.image_size),
       "data.batch_size=" + std::to_string(settings.batch_size),
       "data.workers=" + std::to_string(settings.threads > 1 ? settings.threads : 0)});
}

struct Seconds {
  double elapsed = 0, cpu = 0;  // cpu: of all threads together
};

/// Loads `images` images, over as many epochs as that takes.
Seconds run(const dfine::PackedDataset& data, const Settings& settings, int64_t images) {
  const auto begin = Clock::now();
  const std::clock_t cpu_begin = std::clock();
  dfine::Loader loader(
      data, dfine::loader_options(make_config(settings), /*training=*/true, /*cuda=*/false),
      dfine::training_order(
          {.num_images = static_cast<int64_t>(data.size()), .batch_size = settings.batch_size}, 0,
          images / settings.batch_size));
  dfine::DevicePrefetcher batches(loader, at::kCPU);
  while (batches.has_next()) {
    const dfine::Batch batch = batches.next();
    if (!settings.bytes) dfine::to_model_input(batch.images, at::kCPU);
  }
  return {std::chrono::duration<double>(Clock::now() - begin).count(),
          static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC};
}

int bench(const Settings& given) {
  Settings settings = given;
  const auto data = dfine::PackedDataset::open(settings.data);
  settings.batch_size = std::min(settings.batch_size, static_cast<int64_t>(data.size()));
  settings.images =
      (settings.images + settings.batch_size - 1) / settings.batch_size * settings.batch_size;
  at::set_num_threads(1);
  run(data, settings, 2 * settings.batch_size);  // warm-up
  const Seconds seconds = run(data, settings, settings.images);
  const auto images = static_cast<double>(settings.images);
  std::cout << settings.images << " images, augmentation " << settings.augment << ", "
            << settings.threads << " thread(s)\n"
            << "images_per_cpu_s " << images / seconds.cpu << "\nimages_per_s "
            << images / seconds.elapsed << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  dfine::use_host_arena();  // as the programs do
  Settings settings;
  CLI::App app("The loader of training: images per second", "bench_loader");
  app.add_option("--data", settings.data, "a folder that dfine-pack wrote")->required();
  app.add_option("--image-size", settings.image_size);
  app.add_option("--augment", settings.augment, "dfine, flip or none");
  app.add_option("--threads", settings.threads)->check(CLI::Range(1, 256));
  app.add_option("--images", settings.images)->check(CLI::Range(1, 100'000'000));
  app.add_option("--batch-size", settings.batch_size)->check(CLI::Range(1, 4096));
  app.add_flag("--bytes", settings.bytes, "without the conversion to float");
  CLI11_PARSE(app, argc, argv);
  try {
    return bench(settings);
  } catch (const dfine::Error& e) {
    std::cerr << "bench_loader: " << e.what() << '\n';
    return 1;
  }
}
