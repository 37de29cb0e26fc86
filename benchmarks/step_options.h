#pragma once
// What the benchmarks of whole training steps share: their command line, and how they time.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace dfine {

struct StepOptions {
  std::string size = "n";
  int64_t batch = 2;   // images per step or micro-batch
  int64_t side = 640;  // pixels
  int64_t boxes = 20;  // per image
  int64_t classes = 80;
  int64_t steps = 5;
  int threads = 2;

  void add_to(CLI::App& app) {
    app.add_option("--size", size);
    app.add_option("--batch", batch);
    app.add_option("--image-size", side);
    app.add_option("--boxes", boxes);
    app.add_option("--classes", classes);
    app.add_option("--threads", threads);
    app.add_option("--steps", steps);
  }
};

template <class Body>
double seconds_of(Body body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

struct Quartiles {
  double low, median, high;
};

/// Of at least one value; the median of an even number is the mean of the two in the middle.
inline Quartiles quartiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return {values[n / 4], (values[(n - 1) / 2] + values[n / 2]) / 2, values[3 * n / 4]};
}

}  // namespace dfine
