#include "model/denoising.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/error.h"
#include "hashed.h"

namespace dfine {
namespace {

constexpr int64_t kClasses = 6, kQueries = 3;

nlohmann::json golden() {
  return nlohmann::json::parse(std::ifstream(std::string(std::getenv("DFINE_SOURCE_DIR")) + "/tests/golden/denoising.json"));
}

Targets make_targets(const std::vector<int64_t>& counts) {
  const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  return {.labels = (hashed_uniform(3, {total}) * kClasses).floor().to(at::kLong),
          .boxes = at::cat({0.5 + 0.45 * hashed_signed(1, {total, 2}), 0.25 + 0.2 * hashed_signed(2, {total, 2})}, 1).to(at::kFloat),
          .counts = counts};
}

/// The official function's results for the same draws (tests/golden/make_denoising.py).
TEST(Denoising, EqualsOfficialQueriesForTheSameDraws) {
  const nlohmann::json cases = golden();
  for (const auto& [name, expected] : cases.items()) {
    SCOPED_TRACE(name);
    const Targets targets = make_targets(expected.at("counts"));
    const DenoisingMeta meta = denoising_meta(expected.at("num_denoising"), *std::ranges::max_element(targets.counts));
    ASSERT_EQ(meta.groups, expected.at("groups").get<int64_t>());
    ASSERT_EQ(meta.num_queries(), expected.at("queries").get<int64_t>());
    const int64_t b = targets.num_images(), n = meta.num_queries();
    const DenoisingDraws draws{.label_u = hashed_uniform(12, {b, n}).to(at::kFloat),
                               .label_new = (hashed_uniform(22, {b, n}) * kClasses).floor().to(at::kLong),
                               .box_sign = (hashed_uniform(23, {b, n, 4}) * 2).floor().to(at::kFloat),
                               .box_u = hashed_uniform(13, {b, n, 4}).to(at::kFloat)};
    const DenoisingQueries made = make_denoising(targets, meta, draws, kClasses);

    const auto labels = expected.at("labels").get<std::vector<int64_t>>();
    EXPECT_TRUE(made.labels.equal(at::tensor(labels, at::kLong).view({b, n})));
    const auto boxes = expected.at("boxes_unact").get<std::vector<double>>();
    const Tensor difference = made.boxes_unact.to(at::kDouble) - at::tensor(boxes, at::kDouble).view({b, n, 4});
    EXPECT_LT(difference.abs().max().item<double>(), 5e-6);  // a few units in the last place of values up to 11.5

    const Tensor mask = denoising_attention_mask(meta, kQueries, at::kFloat);
    ASSERT_EQ(mask.size(0), n + kQueries);
    for (int64_t row = 0; row < mask.size(0); ++row) {
      std::string blocked;
      for (int64_t column = 0; column < mask.size(1); ++column) blocked += mask[row][column].item<float>() == 0 ? '0' : '1';
      EXPECT_EQ(blocked, expected.at("blocked").at(static_cast<size_t>(row)).get<std::string>()) << "row " << row;
    }
    EXPECT_TRUE(mask.eq(0).logical_or(mask.eq(-std::numeric_limits<double>::infinity())).all().item<bool>());
  }
}

TEST(Denoising, GroupsFollowTheMostBoxesAnywhere) {
  EXPECT_EQ(denoising_meta(100, 7).groups, 14);
  EXPECT_EQ(denoising_meta(100, 101).groups, 1);
  EXPECT_EQ(denoising_meta(100, 0).groups, 0);
  EXPECT_EQ(denoising_meta(0, 7).groups, 0);
  EXPECT_EQ(denoising_meta(0, 7).num_queries(), 0);
}

TEST(Denoising, DrawsDoNotDependOnTheSplit) {
  const DenoisingMeta meta = denoising_meta(20, 5);
  const DenoisingDraws whole = draw_denoising(7, 3, 0, 4, meta, kClasses);
  const DenoisingDraws part = draw_denoising(7, 3, 2, 2, meta, kClasses);
  EXPECT_TRUE(part.label_u.equal(whole.label_u.narrow(0, 2, 2)));
  EXPECT_TRUE(part.label_new.equal(whole.label_new.narrow(0, 2, 2)));
  EXPECT_TRUE(part.box_sign.equal(whole.box_sign.narrow(0, 2, 2)));
  EXPECT_TRUE(part.box_u.equal(whole.box_u.narrow(0, 2, 2)));
  EXPECT_FALSE(draw_denoising(7, 4, 0, 4, meta, kClasses).box_u.equal(whole.box_u));
  EXPECT_FALSE(draw_denoising(8, 3, 0, 4, meta, kClasses).box_u.equal(whole.box_u));
  EXPECT_FALSE(whole.box_u[0].equal(whole.box_u[1]));
}

/// |mean - expected| within five standard errors.
void expect_mean(const Tensor& values, double expected, double deviation) {
  EXPECT_NEAR(values.to(at::kDouble).mean().item<double>(), expected, 5 * deviation / std::sqrt(static_cast<double>(values.numel())));
}

TEST(Denoising, DrawsHaveTheRightDistributions) {
  const DenoisingDraws draws = draw_denoising(1, 0, 0, 64, denoising_meta(100, 10), 80);  // 64 x 200
  const double uniform = std::sqrt(1.0 / 12);
  expect_mean(draws.label_u, 0.5, uniform);
  expect_mean(draws.label_u.lt(kDenoisingLabelNoise), 0.25, std::sqrt(0.25 * 0.75));
  expect_mean(draws.label_new, 39.5, 80 * uniform);
  EXPECT_EQ(draws.label_new.min().item<int64_t>(), 0);
  EXPECT_EQ(draws.label_new.max().item<int64_t>(), 79);
  for (int64_t k = 0; k < 4; ++k) {
    expect_mean(draws.box_sign.select(2, k), 0.5, 0.5);
    expect_mean(draws.box_u.select(2, k), 0.5, uniform);
  }
  EXPECT_TRUE(draws.box_sign.eq(0).logical_or(draws.box_sign.eq(1)).all().item<bool>());
  EXPECT_TRUE(draws.box_u.ge(0).logical_and(draws.box_u.lt(1)).all().item<bool>());
  // Independence of what a query draws: correlation of n products has standard error 1 / sqrt(n).
  const Tensor a = draws.box_u.select(2, 0) - 0.5, b = draws.box_u.select(2, 1) - 0.5;
  expect_mean(a * b, 0, 1.0 / 12);
  expect_mean((draws.label_u - 0.5) * a, 0, 1.0 / 12);
}

TEST(Denoising, RefusesImagesWithMoreBoxesThanTheLayout) {
  const Targets targets = make_targets({3});
  const DenoisingMeta meta = denoising_meta(10, 2);
  EXPECT_THROW(make_denoising(targets, meta, draw_denoising(1, 0, 0, 1, meta, kClasses), kClasses), Error);
}

}  // namespace
}  // namespace dfine
