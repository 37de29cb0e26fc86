// The criterion as D-FINE-N calls it: batch 4, 60 boxes per image, 80 classes, 120 denoising
// queries per image. bench_criterion.py runs the official code on the same outputs. OMP_NUM_THREADS
// sets the threads.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "core/random.h"
#include "loss/criterion.h"
#include "loss/linear_sum_assignment.h"
#include "synthetic.h"

namespace dfine {
namespace {

SyntheticBatch make_crowded_batch() {
  return make_batch(
      {.counts = {60, 60, 60, 60}, .queries = 300, .num_denoising = 100, .classes = 80},
      at::kFloat);
}

void criterion_forward(benchmark::State& state) {
  const SyntheticBatch batch = make_crowded_batch();
  const Criterion criterion;
  for (auto unused : state)
    benchmark::DoNotOptimize(
        compute_loss(criterion, batch.output, batch.targets).total().item<float>());
}

void criterion_forward_backward(benchmark::State& state) {
  SyntheticBatch batch = make_crowded_batch();
  const Criterion criterion;
  for (auto unused : state) {
    compute_loss(criterion, batch.output, batch.targets).total().backward();
    for (Tensor* leaf : leaves(batch.output)) leaf->mutable_grad().reset();
  }
}

void matching(benchmark::State& state) {
  const SyntheticBatch batch = make_crowded_batch();
  const Criterion criterion;
  for (auto unused : state) benchmark::DoNotOptimize(criterion.match(batch.output, batch.targets));
}

void assignment(benchmark::State& state) {
  CounterRandom random(0, Stream::kTest, 0);
  std::vector<double> cost(static_cast<size_t>(state.range(0) * state.range(1)));
  for (double& c : cost) c = random.uniform_double();
  for (auto unused : state)
    benchmark::DoNotOptimize(linear_sum_assignment(cost, state.range(0), state.range(1)));
}

BENCHMARK(criterion_forward)->Unit(benchmark::kMillisecond);
BENCHMARK(criterion_forward_backward)->Unit(benchmark::kMillisecond);
BENCHMARK(matching)->Unit(benchmark::kMillisecond);
BENCHMARK(assignment)->Args({60, 300})->Args({300, 300})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace dfine

BENCHMARK_MAIN();
