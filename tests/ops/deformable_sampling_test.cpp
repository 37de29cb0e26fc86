// The operator against its definition, against grid_sample, and its gradients against differences.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "ops/deformable_sampling.h"
#include "ops/grid_sample.h"
#include "support/hashed.h"

namespace dfine {
namespace {

/// Bilinear sample at x y in [0, 1] of one channel, zero outside; straight from the definition.
double bilinear(const std::vector<std::vector<double>>& map, double x, double y) {
  const auto height = static_cast<int64_t>(map.size()), width = static_cast<int64_t>(map[0].size());
  const double px = x * static_cast<double>(width) - 0.5,
               py = y * static_cast<double>(height) - 0.5;
  double sum = 0;
  for (int64_t i = 0; i < height; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      const double near_x = std::max(0.0, 1 - std::abs(px - static_cast<double>(j)));
      const double near_y = std::max(0.0, 1 - std::abs(py - static_cast<double>(i)));
      sum += near_x * near_y * map[static_cast<size_t>(i)][static_cast<size_t>(j)];
    }
  }
  return sum;
}

TEST(DeformableSampling, WeightedBilinearSamples) {
  const int64_t batch = 2, queries = 3, heads = 2, head_dim = 2, points = 3;
  const std::vector<LevelShape> levels{{3, 4}, {2, 2}};
  const Tensor tokens = hashed_signed(1, {batch, 16, heads * head_dim});
  const Tensor locations =
      hashed_uniform(2, {batch, queries, heads, points, 2}) * 1.6 - 0.3;  // some outside
  const Tensor weights = hashed_signed(3, {batch, queries, heads, points});
  const Tensor got = deformable_sampling(tokens, levels, locations, weights, {2, 1});
  ASSERT_EQ(got.sizes(), at::IntArrayRef({batch, queries, heads * head_dim}));
  const auto value = tokens.accessor<double, 3>();
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t q = 0; q < queries; ++q) {
      for (int64_t c = 0; c < heads * head_dim; ++c) {
        const int64_t head = c / head_dim;
        double expected = 0;
        for (int64_t p = 0; p < points; ++p) {
          const int64_t level = p < 2 ? 0 : 1, start = level == 0 ? 0 : 12;
          const auto [height, width] = levels[static_cast<size_t>(level)];
          std::vector<std::vector<double>> map(static_cast<size_t>(height),
                                               std::vector<double>(static_cast<size_t>(width)));
          for (int64_t i = 0; i < height; ++i) {
            for (int64_t j = 0; j < width; ++j)
              map[static_cast<size_t>(i)][static_cast<size_t>(j)] =
                  value[b][start + i * width + j][c];
          }
          const Tensor at = locations[b][q][head][p];
          expected += weights[b][q][head][p].item<double>() *
                      bilinear(map, at[0].item<double>(), at[1].item<double>());
        }
        EXPECT_NEAR(got[b][q][c].item<double>(), expected, 1e-14);
      }
    }
  }
}

struct Case {
  std::vector<LevelShape> levels;
  std::vector<int64_t> num_points;
  int64_t batch, queries, heads, channels;
};

// D-FINE-N has two levels and heads of 16 channels, the others three and 32. Then come
// channels that no vector divides, one pixel, and one query. The last two have more points than the
// CPU locates at once, across a change of level, and heads of several blocks.
const std::vector<Case> kCases{{{{20, 20}, {10, 10}}, {6, 6}, 2, 40, 8, 16},
                               {{{16, 24}, {8, 12}, {4, 6}}, {3, 6, 3}, 2, 33, 8, 32},
                               {{{5, 3}, {1, 1}}, {1, 4}, 3, 7, 2, 12},
                               {{{4, 4}}, {2}, 1, 1, 3, 5},
                               {{{7, 9}, {3, 4}}, {20, 23}, 2, 5, 2, 8},
                               {{{6, 5}}, {17}, 1, 4, 2, 96}};

struct Inputs {
  Tensor tokens, locations, weights;
  std::vector<Tensor> all() const { return {tokens, locations, weights}; }
};

Inputs inputs_of(const Case& c, at::ScalarType type) {
  int64_t tokens = 0, points = 0;
  for (const LevelShape& level : c.levels) tokens += level.height * level.width;
  for (const int64_t n : c.num_points) points += n;
  const auto leaf = [&](const Tensor& x) { return x.to(type).requires_grad_(true); };
  return {leaf(hashed_signed(1, {c.batch, tokens, c.heads * c.channels})),
          leaf(hashed_uniform(2, {c.batch, c.queries, c.heads, points, 2}) * 1.5 - 0.25),
          leaf(hashed_signed(3, {c.batch, c.queries, c.heads, points}))};
}

std::vector<Tensor> gradients_of(const Tensor& out, const Inputs& in) {
  const Tensor direction = hashed_signed(4, out.sizes()).to(out.scalar_type());
  std::vector<Tensor> gradients;
  (out * direction).sum().backward();
  for (const Tensor& x : in.all()) {
    gradients.push_back(x.grad().clone());
    x.mutable_grad().reset();
  }
  return gradients;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  return (a - b).abs().max().item<double>();
}

void compare_with_grid_sample(at::ScalarType type, double bound) {
  for (const Case& c : kCases) {
    const Inputs in = inputs_of(c, type);
    const Tensor got =
        deformable_sampling(in.tokens, c.levels, in.locations, in.weights, c.num_points);
    const Tensor wanted =
        sample_by_grid_sample(in.tokens, c.levels, in.locations, in.weights, c.num_points);
    EXPECT_EQ(got.scalar_type(), type);
    EXPECT_LT(largest_difference(got, wanted), bound);
    const std::vector<Tensor> mine = gradients_of(got, in), theirs = gradients_of(wanted, in);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_LT(largest_difference(mine[i], theirs[i]),
                bound * theirs[i].abs().max().item<double>())
          << "gradient of input " << i << ", " << c.channels << " channels";
    }
  }
}

TEST(DeformableSampling, EqualsGridSample) {
  compare_with_grid_sample(at::kFloat, 1e-5);
  compare_with_grid_sample(at::kDouble, 1e-13);
}

// As torch.autograd.gradcheck: central differences in double. Random points lie far enough from the
// pixel centres, where the derivative jumps, for steps of 1e-6.
TEST(DeformableSampling, GradientsEqualDifferences) {
  const Case c{{{3, 4}, {2, 2}}, {2, 1}, 2, 3, 2, 4};
  const Inputs in = inputs_of(c, at::kDouble);
  const auto value = [&] {
    const at::NoGradGuard no_grad;
    const Tensor out =
        deformable_sampling(in.tokens, c.levels, in.locations, in.weights, c.num_points);
    return (out * hashed_signed(4, out.sizes())).sum().item<double>();
  };
  const std::vector<Tensor> gradients = gradients_of(
      deformable_sampling(in.tokens, c.levels, in.locations, in.weights, c.num_points), in);
  constexpr double kStep = 1e-6;
  for (size_t i = 0; i < 3; ++i) {
    const Tensor flat = in.all()[i].detach().view({-1}), gradient = gradients[i].view({-1});
    for (int64_t k = 0; k < flat.size(0); ++k) {
      const double before = flat[k].item<double>();
      flat[k] = before + kStep;
      const double above = value();
      flat[k] = before - kStep;
      const double below = value();
      flat[k] = before;
      EXPECT_NEAR(gradient[k].item<double>(), (above - below) / (2 * kStep), 1e-8)
          << "input " << i << ", element " << k;
    }
  }
}

TEST(DeformableSampling, Bfloat16TokensAreReadExactly) {
  const Case& c = kCases[0];
  const Inputs in = inputs_of(c, at::kFloat);
  const Tensor rounded = in.tokens.detach().to(at::kBFloat16).requires_grad_(true);
  const Tensor exact = rounded.detach().to(at::kFloat).requires_grad_(true);
  const Inputs half{rounded, in.locations, in.weights}, full{exact, in.locations, in.weights};
  const Tensor got = deformable_sampling(rounded, c.levels, in.locations, in.weights, c.num_points);
  const Tensor wanted =
      deformable_sampling(exact, c.levels, in.locations, in.weights, c.num_points);
  EXPECT_EQ(got.scalar_type(), at::kFloat);
  EXPECT_TRUE(got.equal(wanted));
  const std::vector<Tensor> mine = gradients_of(got, half), theirs = gradients_of(wanted, full);
  EXPECT_TRUE(mine[0].equal(theirs[0].to(at::kBFloat16)));
  EXPECT_TRUE(mine[1].equal(theirs[1]));
  EXPECT_TRUE(mine[2].equal(theirs[2]));
}

TEST(DeformableSampling, DoesNotDependOnTheNumberOfThreads) {
  const int before = at::get_num_threads();
  const Case& c = kCases[1];
  std::vector<std::vector<Tensor>> results;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const Inputs in = inputs_of(c, at::kFloat);
    const Tensor out =
        deformable_sampling(in.tokens, c.levels, in.locations, in.weights, c.num_points);
    results.push_back(gradients_of(out, in));
    results.back().push_back(out);
  }
  at::set_num_threads(before);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(results[1][i].equal(results[0][i])) << i;
    EXPECT_TRUE(results[2][i].equal(results[0][i])) << i;
  }
}

TEST(DeformableSampling, OnlyWantedGradients) {
  const Case& c = kCases[2];
  Inputs in = inputs_of(c, at::kFloat);
  in.tokens = in.tokens.detach();
  const Tensor out =
      deformable_sampling(in.tokens, c.levels, in.locations, in.weights, c.num_points);
  out.sum().backward();
  EXPECT_FALSE(in.tokens.grad().defined());
  EXPECT_TRUE(in.locations.grad().defined());
  EXPECT_TRUE(in.weights.grad().defined());
}

// A location that is not a number must reach the loss, where training finds it; one that is
// infinite or far outside looks at nothing.
TEST(DeformableSampling, LocationsThatAreNotFinite) {
  const Case& c = kCases[3];
  for (const double at :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1e30}) {
    Inputs in = inputs_of(c, at::kFloat);
    in.locations = at::full_like(in.locations, at).requires_grad_(true);
    const Tensor out =
        deformable_sampling(in.tokens, c.levels, in.locations, in.weights, c.num_points);
    if (std::isnan(at)) {
      EXPECT_TRUE(out.isnan().all().item<bool>());
    } else {
      EXPECT_EQ(out.abs().max().item<double>(), 0);
      EXPECT_EQ(gradients_of(out, in)[0].abs().max().item<double>(), 0);
    }
  }
}

TEST(DeformableSampling, NoQueries) {
  Case c = kCases[0];
  c.queries = 0;
  const Inputs in = inputs_of(c, at::kFloat);
  const Tensor out =
      deformable_sampling(in.tokens, c.levels, in.locations, in.weights, c.num_points);
  EXPECT_EQ(out.sizes(), at::IntArrayRef({2, 0, 128}));
}

}  // namespace
}  // namespace dfine
