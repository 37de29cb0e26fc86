// The GPU's threads, run on the CPU one after another with the address sanitizer. Checks what all
// threads of a grid compute together, and that none touches memory that is not its own.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "ops/deformable_sampling_kernel.h"

namespace dfine {
namespace {

struct Add {
  template <typename Real>
  void operator()(Real* sum, Real x) const {
    *sum += x;
  }
};

/// Calls body(thread) as a grid of blocks of 256 threads would, with the last block's idle ones.
template <typename Body>
void run_grid(int64_t threads, Body body) {
  constexpr int64_t kBlock = 256;
  for (int64_t block = 0; block < (threads + kBlock - 1) / kBlock; ++block)
    for (int64_t thread = 0; thread < kBlock; ++thread) body(block * kBlock + thread);
}

std::vector<double> numbers(uint64_t seed, int64_t count, double low, double high) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    values.push_back(low + (high - low) * static_cast<double>(seed >> 11) * 0x1p-53);
  }
  return values;
}

struct Problem {
  SamplingShape shape;
  std::vector<double> tokens, locations, weights, gradient;
  SamplingInputs<double, double> inputs() const {
    return {tokens.data(), locations.data(), weights.data()};
  }
};

Problem problem(int64_t channels) {
  Problem p{};
  p.shape = {.batch = 2,
             .tokens = 17,
             .queries = 37,
             .heads = 3,
             .points = 5,
             .channels = channels,
             .num_levels = 2,
             .levels = {{3, 5, 0, 3}, {1, 2, 15, 5}}};
  const SamplingShape& s = p.shape;
  p.tokens = numbers(1, s.batch * s.tokens * s.heads * channels, -1, 1);
  p.locations = numbers(2, s.batch * s.queries * s.heads * s.points * 2, -0.3, 1.3);
  p.weights = numbers(3, s.batch * s.queries * s.heads * s.points, -1, 1);
  p.gradient = numbers(4, s.batch * s.queries * s.heads * channels, -1, 1);
  return p;
}

/// Of one corner, from the definition: how near a pixel is to a point.
double nearness(double at, int64_t size, int64_t pixel) {
  const double position = at * static_cast<double>(size) - 0.5;
  return std::max(0.0, 1 - std::abs(position - static_cast<double>(pixel)));
}

/// Calls body(index of the point, index of the token's first channel, share) for all pixels.
template <typename Body>
void for_each_share(const Problem& p, int64_t look, Body body) {
  const SamplingShape& s = p.shape;
  const int64_t head = look % s.heads, image = look / (s.heads * s.queries);
  int64_t point = 0;
  for (int l = 0; l < s.num_levels; ++l) {
    for (; point < s.levels[l].end_point; ++point) {
      const double* const at = &p.locations[static_cast<size_t>((look * s.points + point) * 2)];
      for (int64_t i = 0; i < s.levels[l].height; ++i) {
        for (int64_t j = 0; j < s.levels[l].width; ++j) {
          const int64_t token = s.levels[l].first_token + i * s.levels[l].width + j;
          body(look * s.points + point, ((image * s.tokens + token) * s.heads + head) * s.channels,
               nearness(at[0], s.levels[l].width, j) * nearness(at[1], s.levels[l].height, i));
        }
      }
    }
  }
}

template <int Block>
void check_forward(int64_t channels) {
  const Problem p = problem(channels);
  std::vector<double> out(p.gradient.size(), 1e9);
  run_grid(forward_threads<Block>(p.shape),
           [&](int64_t thread) { forward_thread<Block>(p.shape, p.inputs(), thread, out.data()); });
  std::vector<double> wanted(out.size());
  for (int64_t look = 0; look < static_cast<int64_t>(out.size()) / channels; ++look) {
    for_each_share(p, look, [&](int64_t point, int64_t token, double share) {
      for (int64_t c = 0; c < channels; ++c)
        wanted[static_cast<size_t>(look * channels + c)] +=
            p.weights[static_cast<size_t>(point)] * share *
            p.tokens[static_cast<size_t>(token + c)];
    });
  }
  for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], wanted[i], 1e-13) << i;
}

TEST(ForwardThreads, TogetherComputeTheDefinition) {
  check_forward<4>(8);
  check_forward<1>(3);
}

template <int Block>
void check_backward(int64_t channels) {
  const Problem p = problem(channels);
  std::vector<double> tokens(p.tokens.size()), locations(p.locations.size(), 1e9),
      weights(p.weights.size(), 1e9);
  const SamplingGradients<double> out{tokens.data(), locations.data(), weights.data()};
  run_grid(backward_threads(p.shape), [&](int64_t thread) {
    backward_thread<Block>(p.shape, p.inputs(), p.gradient.data(), out, thread, Add());
  });
  const auto loss = [&](const Problem& at) {
    double sum = 0;
    for (int64_t look = 0; look < static_cast<int64_t>(p.gradient.size()) / channels; ++look) {
      for_each_share(at, look, [&](int64_t point, int64_t token, double share) {
        if (share == 0) return;
        for (int64_t c = 0; c < channels; ++c)
          sum += at.gradient[static_cast<size_t>(look * channels + c)] *
                 at.weights[static_cast<size_t>(point)] * share *
                 at.tokens[static_cast<size_t>(token + c)];
      });
    }
    return sum;
  };
  const auto check = [&](std::vector<double> Problem::* member, const std::vector<double>& got,
                         size_t every) {
    Problem moved = p;
    for (size_t i = 0; i < got.size(); i += every) {
      constexpr double kStep = 1e-6;
      const double before = (moved.*member)[i];
      (moved.*member)[i] = before + kStep;
      const double above = loss(moved);
      (moved.*member)[i] = before - kStep;
      const double below = loss(moved);
      (moved.*member)[i] = before;
      ASSERT_NEAR(got[i], (above - below) / (2 * kStep), 1e-6) << i;
    }
  };
  check(&Problem::tokens, tokens, 1);
  check(&Problem::locations, locations, 7);
  check(&Problem::weights, weights, 5);
}

TEST(BackwardThreads, TogetherComputeTheGradient) {
  check_backward<4>(8);
  check_backward<1>(3);
}

TEST(BackwardThreads, LeaveOutWhatIsNotWanted) {
  const Problem p = problem(4);
  std::vector<double> tokens(p.tokens.size());
  run_grid(backward_threads(p.shape), [&](int64_t thread) {
    backward_thread<4>(p.shape, p.inputs(), p.gradient.data(),
                       SamplingGradients<double>{tokens.data(), nullptr, nullptr}, thread, Add());
  });
  double largest = 0;
  for (const double x : tokens) largest = std::max(largest, std::abs(x));
  EXPECT_GT(largest, 0);
}

}  // namespace
}  // namespace dfine
