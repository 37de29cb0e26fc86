// Time of detecting objects in one image of random pixels, from pixels to boxes; inference.py runs
// the peers.
//   bench_inference --size n --batch 1 --image-size 640 --classes 80 --threads 2 --steps 20
//   bench_inference --size n --profile   the time of each operator instead
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "memory/host_allocator.h"
#include "model/dfine.h"
#include "model/postprocess.h"
#include "op_profile.h"
#include "step_options.h"
#include "variants/model_spec.h"

int main(int argc, char** argv) {
  dfine::StepOptions options{.batch = 1, .steps = 20};
  CLI::App app("Time of inference", "bench_inference");
  options.add_to(app);
  bool profile = false;
  app.add_flag("--profile", profile, "print the time of each operator");
  CLI11_PARSE(app, argc, argv);
  dfine::use_host_arena();  // as the programs do
  at::set_num_threads(options.threads);
  const at::NoGradGuard no_grad;
  dfine::DFine model(dfine::model_spec(dfine::model_variant(options.size).size, options.classes),
                     1);
  model.prepare_for_inference();
  const at::Tensor images = at::rand({options.batch, 3, options.side, options.side});
  const std::vector<dfine::ImageSize> sizes(static_cast<size_t>(options.batch),
                                            {options.side, options.side});
  if (profile) {
    for (int i = 0; i < 3; ++i) model.forward(images);
    const dfine::OpProfile operators;
    for (int64_t step = 0; step < options.steps; ++step)
      dfine::postprocess(model.forward(images).prediction(), sizes);
    operators.print(/*rows=*/30, static_cast<double>(options.steps));
    return 0;
  }
  std::vector<double> seconds;
  for (int64_t step = 0; step < options.steps; ++step) {
    seconds.push_back(
        dfine::seconds_of([&] { dfine::postprocess(model.forward(images).prediction(), sizes); }));
  }
  std::cout << "median_s " << dfine::quartiles({seconds.begin() + 2, seconds.end()}).median << "\n";
}
