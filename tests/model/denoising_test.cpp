#include "model/denoising.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/error.h"
#include "support/hashed.h"

namespace dfine {
namespace {

constexpr int64_t kClasses = 6, kQueries = 3;

nlohmann::json golden() {
  return nlohmann::json::parse(
      std::ifstream(std::string(std::getenv("DFINE_SOURCE_DIR")) + "/tests/golden/denoising.json"));
}

Targets make_targets(const std::vector<int64_t>& counts) {
  const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  return {.labels = (hashed_uniform(3, {total}) * kClasses).floor().to(at::kLong),
          .boxes = at::cat({0.5 + 0.45 * hashed_signed(1, {total, 2}),
                            0.25 + 0.2 * hashed_signed(2, {total, 2})},
                           1)
                       .to(at::kFloat),
          .counts = counts};
}

/// The official function's results for the same draws (tests/golden/make_denoising.py).
TEST(Denoising, EqualsOfficialQueriesForTheSameDraws) {
  const nlohmann::json cases = golden();
  for (const auto& [name, expected] : cases.items()) {
    SCOPED_TRACE(name);
    const Targets targets = make_targets(expected.at("counts"));
    const DenoisingMeta meta =
        denoising_meta(expected.at("num_denoising"), *std::ranges::max_element(targets.counts));
    ASSERT_EQ(meta.groups, expected.at("groups").get<int64_t>());
    ASSERT_EQ(meta.num_queries(), expected.at("queries").get<int64_t>());
    const int64_t b = targets.num_images(), n = meta.num_queries();
    const DenoisingNoise draws{
        .label_u = hashed_uniform(12, {b, n}).to(at::kFloat),
        .label_new = (hashed_uniform(22, {b, n}) * kClasses).floor().to(at::kLong),
        .box_sign = (hashed_uniform(23, {b, n, 4}) * 2).floor().to(at::kFloat),
        .box_u = hashed_uniform(13, {b, n, 4}).to(at::kFloat)};
    const DenoisingQueries made = make_denoising(targets, meta, draws, kClasses);

    const auto labels = expected.at("labels").get<std::vector<int64_t>>();
    EXPECT_TRUE(made.labels.equal(at::tensor(labels, at::kLong).view({b, n})));
    const auto boxes = expected.at("boxes_unact").get<std::vector<double>>();
    const Tensor difference =
        made.boxes_unact.to(at::kDouble) - at::tensor(boxes, at::kDouble).view({b, n, 4});
    EXPECT_LT(difference.abs().max().item<double>(),
              5e-6);  // a few units in the last place of values up to 11.5

    const Tensor mask = denoising_attention_mask(meta, kQueries, at::kFloat);
    ASSERT_EQ(mask.size(0), n + kQueries);
    for (int64_t row = 0; row < mask.size(0); ++row) {
      std::string blocked;
      for (int64_t column = 0; column < mask.size(1); ++column)
        blocked += mask[row][column].item<float>() == 0 ? '0' : '1';
      EXPECT_EQ(blocked, expected.at("blocked").at(static_cast<size_t>(row)).get<std::string>())
          << "row " << row;
    }
    EXPECT_TRUE(mask.eq(0)
                    .logical_or(mask.eq(-std::numeric_limits<double>::infinity()))
                    .all()
                    .item<bool>());
  }
}

TEST(Denoising, GroupsFollowTheMostBoxesAnywhere) {
  EXPECT_EQ(denoising_meta(100, 7).groups, 14);
  EXPECT_EQ(denoising_meta(100, 101).groups, 1);
  EXPECT_EQ(denoising_meta(100, 0).groups, 0);
  EXPECT_EQ(denoising_meta(0, 7).groups, 0);
  EXPECT_EQ(denoising_meta(0, 7).num_queries(), 0);
}

TEST(Denoising, ALimitCutsTheMostCrowdedImages) {
  const auto layout = [](int64_t boxes) {
    const DenoisingMeta meta = denoising_meta(100, boxes, 300);
    return std::pair{meta.groups, meta.max_boxes};
  };
  EXPECT_EQ(layout(500), std::pair(int64_t{1}, int64_t{150}));  // 300 queries instead of 1,000
  EXPECT_EQ(layout(151), std::pair(int64_t{1}, int64_t{150}));
  for (const int64_t boxes : {1, 7, 50, 60, 100, 101, 150}) {  // as without
    const DenoisingMeta free = denoising_meta(100, boxes);
    EXPECT_EQ(layout(boxes), std::pair(free.groups, free.max_boxes)) << boxes;
  }
}

TEST(Denoising, ChosenBoxesDoNotDependOnTheSplit) {
  const Targets targets = make_targets({3, 9, 4, 12}), second = make_targets({4, 12});
  const DenoisingMeta meta = denoising_meta(4, 12, 8);  // 4 positives
  ASSERT_EQ(meta.max_boxes, 4);
  const auto all = choose_denoised_boxes(targets, meta, 1, 5, 0);
  ASSERT_EQ(all.size(), 3U + 4 + 4 + 4);
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());  // none twice
  EXPECT_EQ(std::vector<int64_t>(all.begin(), all.begin() + 3), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_TRUE(all[3] >= 3 && all[6] < 12);
  EXPECT_EQ(std::vector<int64_t>(all.begin() + 7, all.begin() + 11),
            (std::vector<int64_t>{12, 13, 14, 15}));
  std::vector<int64_t> moved = choose_denoised_boxes(second, meta, 1, 5, 2);
  for (int64_t& row : moved) row += 12;
  EXPECT_EQ(moved, std::vector<int64_t>(all.begin() + 7, all.end()));
  EXPECT_NE(choose_denoised_boxes(targets, meta, 1, 6, 0), all);
  EXPECT_NE(choose_denoised_boxes(targets, meta, 2, 5, 0), all);
  EXPECT_TRUE(choose_denoised_boxes(make_targets({4, 0, 1}), meta, 1, 5, 0).empty());
}

// 4 of 12 boxes each step: in 3,000 steps each about 1,000 times; the standard deviation is
// sqrt(3000 x 1/3 x 2/3) = 26.
TEST(Denoising, EveryBoxIsChosenAsOften) {
  const Targets targets = make_targets({12});
  const DenoisingMeta meta = denoising_meta(4, 12, 8);
  std::array<int, 12> times{};
  for (uint64_t step = 0; step < 3000; ++step) {
    for (const int64_t row : choose_denoised_boxes(targets, meta, 3, step, 0))
      ++times[static_cast<size_t>(row)];
  }
  for (const int count : times) EXPECT_NEAR(count, 1000, 5 * 26);
}

// The same as if the other boxes were not there.
TEST(Denoising, QueriesOfChosenBoxesAreThoseOfTheseBoxesAlone) {
  const Targets targets = make_targets({3, 9, 0});
  DenoisingMeta meta = denoising_meta(4, 9, 8);
  meta.kept = choose_denoised_boxes(targets, meta, 1, 5, 0);
  const Tensor rows = at::tensor(meta.kept, at::kLong);
  const Targets alone{.labels = targets.labels.index_select(0, rows),
                      .boxes = targets.boxes.index_select(0, rows),
                      .counts = {3, 4, 0}};
  const DenoisingNoise draws = draw_denoising(1, 5, 0, 3, meta, kClasses);
  const DenoisingQueries limited = make_denoising(targets, meta, draws, kClasses);
  const DenoisingQueries wanted = make_denoising(alone, denoising_meta(4, 4), draws, kClasses);
  EXPECT_TRUE(limited.labels.equal(wanted.labels));
  EXPECT_TRUE(limited.boxes_unact.equal(wanted.boxes_unact));
  meta.kept.pop_back();
  EXPECT_THROW(make_denoising(targets, meta, draws, kClasses), Error);
}

TEST(Denoising, DrawsDoNotDependOnTheSplit) {
  const DenoisingMeta meta = denoising_meta(20, 5);
  const DenoisingNoise whole = draw_denoising(7, 3, 0, 4, meta, kClasses);
  const DenoisingNoise part = draw_denoising(7, 3, 2, 2, meta, kClasses);
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
  EXPECT_NEAR(values.to(at::kDouble).mean().item<double>(), expected,
              5 * deviation / std::sqrt(static_cast<double>(values.numel())));
}

TEST(Denoising, DrawsHaveTheRightDistributions) {
  const DenoisingNoise draws =
      draw_denoising(1, 0, 0, 64, denoising_meta(100, 10), 80);  // 64 x 200
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
  EXPECT_THROW(make_denoising(targets, meta, draw_denoising(1, 0, 0, 1, meta, kClasses), kClasses),
               Error);
}

}  // namespace
}  // namespace dfine
