// Deformable sampling: the operator of our own against the grid_sample version, forward and
// backward, in turn, medians. The shapes are a decoder layer's of N and of the other sizes at
// 640x640, batch 2, with 300 queries and 200 denoising queries.
//   bench_deformable [threads] [rounds]
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "memory/host_allocator.h"
#include "ops/deformable_sampling.h"
#include "ops/grid_sample.h"

namespace {

using dfine::LevelShape;
using dfine::Tensor;
using Sample = std::function<Tensor(const Tensor&, const std::vector<LevelShape>&, const Tensor&,
                                    const Tensor&, const std::vector<int64_t>&)>;

struct Case {
  const char* name;
  std::vector<LevelShape> levels;
  std::vector<int64_t> num_points;
  int64_t dim;
};

struct Times {
  double forward, backward;
};

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

void measure(const Case& c, at::ScalarType type, int rounds) {
  constexpr int64_t kBatch = 2, kQueries = 500, kHeads = 8;
  int64_t count = 0, points = 0;
  for (const LevelShape& level : c.levels) count += level.height * level.width;
  for (const int64_t n : c.num_points) points += n;
  Tensor tokens = at::randn({kBatch, count, c.dim}).to(type).requires_grad_(true);
  Tensor locations = at::rand({kBatch, kQueries, kHeads, points, 2}).requires_grad_(true);
  Tensor weights = at::rand({kBatch, kQueries, kHeads, points}).requires_grad_(true);
  const Tensor gradient = at::randn({kBatch, kQueries, c.dim});
  const auto once = [&](const Sample& sample) {
    const double begin = seconds();
    const Tensor out = sample(tokens, c.levels, locations, weights, c.num_points);
    const double between = seconds();
    out.backward(gradient);
    for (Tensor* x : {&tokens, &locations, &weights}) x->mutable_grad().reset();
    return Times{between - begin, seconds() - between};
  };
  const Sample reference = [](const Tensor& t, const auto& l, const Tensor& at, const Tensor& w,
                              const auto& n) {
    return dfine::sample_by_grid_sample(t.to(at::kFloat), l, at, w, n);
  };
  std::vector<double> of[4];
  for (int i = 0; i < rounds + 2; ++i) {
    const Times mine = once(dfine::deformable_sampling), theirs = once(reference);
    if (i < 2) continue;  // warm-up
    of[0].push_back(mine.forward);
    of[1].push_back(theirs.forward);
    of[2].push_back(mine.backward);
    of[3].push_back(theirs.backward);
  }
  std::printf(
      "%-8s %-5s forward %6.2f ms against %6.2f ms: %4.1f   backward %6.2f against %6.2f: "
      "%4.1f   both %4.1f\n",
      c.name, type == at::kFloat ? "fp32" : "bf16", 1e3 * median(of[0]), 1e3 * median(of[1]),
      median(of[1]) / median(of[0]), 1e3 * median(of[2]), 1e3 * median(of[3]),
      median(of[3]) / median(of[2]),
      (median(of[1]) + median(of[3])) / (median(of[0]) + median(of[2])));
}

}  // namespace

int main(int argc, char** argv) {
  dfine::use_host_arena();  // as the programs do
  at::set_num_threads(argc > 1 ? std::atoi(argv[1]) : 1);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 15;
  std::printf("%d threads\n", at::get_num_threads());
  for (const Case& c : {Case{"N", {{40, 40}, {20, 20}}, {6, 6}, 128},
                        Case{"S to X", {{80, 80}, {40, 40}, {20, 20}}, {3, 6, 3}, 256}}) {
    measure(c, at::kFloat, rounds);
    measure(c, at::kBFloat16, rounds);
  }
}
