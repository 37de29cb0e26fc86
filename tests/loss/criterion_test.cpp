#include "loss/criterion.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "support/hashed.h"
#include "support/raises.h"
#include "synthetic.h"

namespace dfine {
namespace {

const CriterionOptions kOptions{.num_classes = kClasses, .reg_max = kRegMax};

Losses compute(const SyntheticBatch& batch) {
  return compute_loss(Criterion(kOptions), batch.output, batch.targets);
}

nlohmann::json golden() {
  return nlohmann::json::parse(
      std::ifstream(std::string(std::getenv("DFINE_SOURCE_DIR")) + "/tests/golden/criterion.json"));
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  const nlohmann::json cases = golden();
  for (const auto& [name, unused] : cases.items()) names.push_back(name);
  return names;
}

/// Norm of the gradient, and its products with two hashed tensors, as the generator stores them.
std::vector<double> summary(const Tensor& gradient, uint64_t index) {
  const Tensor g = gradient.to(at::kDouble);
  return {g.norm().item<double>(),
          (g * hashed_signed(1000 + index, g.sizes())).sum().item<double>(),
          (g * hashed_signed(2000 + index, g.sizes())).sum().item<double>()};
}

struct Precision {
  at::ScalarType dtype;
  const char* name;
  double tolerance;
};

/// The expected numbers are the official criterion's (tests/golden/make_criterion.py), in the same
/// precision.
class OfficialCriterion : public testing::TestWithParam<std::tuple<std::string, Precision>> {};

TEST_P(OfficialCriterion, TermsAndGradientsAgree) {
  const auto& [name, precision] = GetParam();
  const nlohmann::json expected = golden().at(name);
  SyntheticBatch batch = make_batch(read_case(expected), precision.dtype);
  const Losses result = compute(batch);

  const auto pairs =
      expected.at("go").get<std::vector<std::pair<std::vector<int64_t>, std::vector<int64_t>>>>();
  const MatchedIndices go = Criterion(kOptions).match(batch.output, batch.targets).go;
  ASSERT_EQ(go.size(), pairs.size());
  for (size_t i = 0; i < pairs.size(); ++i)
    EXPECT_EQ(go[i], (Pairs{pairs[i].first, pairs[i].second})) << "image " << i;

  const nlohmann::json& numbers = expected.at(precision.name);
  EXPECT_EQ(result.names.size(), numbers.at("losses").size());
  double total = 0;
  for (const auto& [term, value] : result.to_host()) {
    const double wanted = numbers.at("losses").at(term);
    EXPECT_NEAR(value, wanted, precision.tolerance * std::abs(wanted)) << term;
    total += wanted;
  }
  EXPECT_NEAR(result.total().item<double>(), total, precision.tolerance * total);

  result.total().backward();
  uint64_t index = 0;
  const auto gradients = head_gradients(batch.output);
  EXPECT_EQ(gradients.size(), numbers.at("grads").size());
  for (const auto& [head, gradient] : gradients) {
    const auto wanted = numbers.at("grads").at(head).get<std::vector<double>>();
    const auto got = summary(gradient, index++);
    // The products are sums of many terms of both signs; their size is that of the norm.
    for (size_t k = 0; k < wanted.size(); ++k)
      EXPECT_NEAR(got[k], wanted[k], precision.tolerance * wanted[0]) << head << " number " << k;
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, OfficialCriterion,
                         testing::Combine(testing::ValuesIn(case_names()),
                                          testing::Values(Precision{at::kDouble, "float64", 1e-9},
                                                          Precision{at::kFloat, "float32", 1e-5})),
                         [](const auto& param) {
                           return std::get<0>(param.param) + "_" + std::get<1>(param.param).name;
                         });

double term(const Losses& result, const std::string& name) {
  for (const auto& [key, value] : result.to_host()) {
    if (key == name) return value;
  }
  throw Error(ErrorCode::kInternal, "no term " + name);
}

TEST(Criterion, DistillationIsExactlyZeroWhereTheStudentIsTheTeacher) {
  SyntheticBatch batch =
      make_batch({.counts = {5, 2}, .num_denoising = 20, .equal = true}, at::kFloat);
  const Losses result = compute(batch);
  EXPECT_EQ(term(result, "loss_ddf_aux_0"), 0);
  EXPECT_EQ(term(result, "loss_ddf_dn_0"), 0);
  EXPECT_EQ(term(result, "loss_ddf_dn_2"), 0);
  EXPECT_GT(term(result, "loss_ddf_aux_1"), 0);
}

// Two more boxes in the second image that have no denoising queries leave the denoising terms what
// they were. Only ddf is mixed by the counts of the normal queries.
TEST(Criterion, BoxesWithoutDenoisingQueriesDoNotCountThere) {
  const SyntheticBatch alone = make_batch({.counts = {3, 4}, .num_denoising = 8}, at::kDouble);
  ASSERT_EQ(alone.output.dn.groups, 2);
  const std::vector<int64_t> kept{0, 1, 2, 4,
                                  5, 7, 8};  // of rows 3 and 6, the new ones, there are no queries
  const Tensor rows = at::tensor(kept, at::kLong);
  SyntheticBatch more = alone;
  more.targets = {.labels = at::full({9}, 1, at::kLong),
                  .boxes = at::full({9, 4}, 0.3, at::kDouble),
                  .counts = {3, 6}};
  more.targets.labels.index_copy_(0, rows, alone.targets.labels);
  more.targets.boxes.index_copy_(0, rows, alone.targets.boxes);
  more.output.dn.kept = kept;

  const Losses wanted = compute(alone), found = compute(more);
  ASSERT_EQ(found.names, wanted.names);
  int compared = 0;
  for (const std::string& name : wanted.names) {
    if (name.find("_dn_") == std::string::npos || name.find("ddf") != std::string::npos) continue;
    EXPECT_NEAR(term(found, name), term(wanted, name), 1e-12 * std::abs(term(wanted, name)))
        << name;
    EXPECT_GT(term(wanted, name), 0) << name;
    ++compared;
  }
  EXPECT_EQ(compared,
            3 * 4 + 3);  // vfl, bbox, giou and fgl of three layers; the first three of dn_pre
}

TEST(Criterion, ImagesWithoutBoxesGiveEveryOutputAGradient) {
  SyntheticBatch batch = make_batch({.counts = {0, 0}}, at::kFloat);
  compute(batch).total().backward();
  for (const Tensor* leaf : leaves(batch.output)) {
    ASSERT_TRUE(leaf->grad().defined());
    EXPECT_TRUE(leaf->grad().isfinite().all().item<bool>());
  }
  EXPECT_EQ(batch.output.decoder.boxes.grad().abs().max().item<double>(), 0);
}

TEST(Criterion, HalfPrecisionOutputsAreComputedInFloat) {
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    SyntheticBatch low = make_batch({.counts = {3, 1}, .num_denoising = 10}, type);
    ModelOutput high = low.output;
    for (Tensor* leaf : leaves(high)) *leaf = leaf->to(at::kFloat);
    high.decoder.ref_points = high.decoder.ref_points.to(at::kFloat);
    low.targets.boxes = low.targets.boxes.to(at::kFloat);
    const Losses a = compute(low);
    const Losses b = compute_loss(Criterion(kOptions), high, low.targets);
    EXPECT_EQ(a.values.scalar_type(), at::kFloat);
    EXPECT_TRUE(a.values.equal(b.values));
    a.total().backward();
    EXPECT_EQ(low.output.decoder.corners.grad().scalar_type(), type);
  }
}

TEST(Criterion, ANanInTheOutputsShowsInTheLoss) {
  SyntheticBatch batch = make_batch({.counts = {3, 1}}, at::kFloat);
  batch.output.decoder.logits.detach()[1][0][7][2] = std::numeric_limits<float>::quiet_NaN();
  const Losses result = compute(batch);
  EXPECT_TRUE(std::isnan(result.total().item<double>()));
  EXPECT_TRUE(std::isnan(term(result, "loss_vfl_aux_1")));
  EXPECT_FALSE(std::isnan(term(result, "loss_vfl_aux_0")));
}

// Where all heads agree the union is their own matching, and the terms of the last are sums over
// the same pairs.
TEST(Criterion, DetectionLossSumsAreThePredictionsOwnTerms) {
  SyntheticBatch batch = make_batch({.counts = {3, 1}}, at::kDouble);
  const HeadOutput last = batch.output.prediction();
  Heads& heads = batch.output.decoder;
  heads.logits = last.logits.expand_as(heads.logits);
  heads.boxes = last.boxes.expand_as(heads.boxes);
  batch.output.enc = last;
  const Losses whole = compute(batch);
  const DetectionLossSums sums = detection_loss_sums(last, batch.targets, kOptions);
  EXPECT_EQ(sums.boxes, 4);
  EXPECT_EQ(sums.pairs, 4);
  EXPECT_DOUBLE_EQ(sums.vfl / 4, term(whole, "loss_vfl"));
  EXPECT_DOUBLE_EQ(sums.box / 4, term(whole, "loss_bbox") + term(whole, "loss_giou"));
  EXPECT_DOUBLE_EQ(sums.loss(), (sums.vfl + sums.box) / 4);
}

TEST(Criterion, DetectionLossSumsOfImagesWithoutBoxesAndWithMoreBoxesThanQueries) {
  const SyntheticBatch batch = make_batch({.counts = {0, 90}, .queries = 80}, at::kFloat);
  const HeadOutput last = batch.output.prediction();
  const DetectionLossSums sums = detection_loss_sums(last, batch.targets, kOptions);
  EXPECT_EQ(sums.boxes, 90);
  EXPECT_EQ(sums.pairs, 80);
  const SyntheticBatch empty = make_batch({.counts = {0, 0}}, at::kFloat);
  const DetectionLossSums none =
      detection_loss_sums(empty.output.prediction(), empty.targets, kOptions);
  EXPECT_EQ(none.box, 0);
  EXPECT_EQ(none.loss(), none.vfl);
}

TEST(Criterion, RefusesWhatDoesNotFitTogether) {
  SyntheticBatch batch = make_batch({.counts = {3, 1}}, at::kFloat);
  const Criterion criterion(kOptions);
  const Matchings matchings = criterion.match(batch.output, batch.targets);
  const auto compute_with = [&](const CriterionOptions& options, const LossNorms& norms) {
    return Criterion(options).loss(batch.output, batch.targets, matchings, norms);
  };
  const std::string classes = std::to_string(kClasses);
  EXPECT_TRUE(raises(
      ErrorCode::kInternal, [&] { compute_with({.num_classes = 80}, matchings.norms); }, "80",
      classes));
  EXPECT_TRUE(raises(
      ErrorCode::kInternal,
      [&] { Criterion({.num_classes = 80}).match(batch.output, batch.targets); }, "80", classes));
  EXPECT_THROW(compute_with({.num_classes = kClasses, .reg_max = 16}, matchings.norms), Error);
  EXPECT_THROW(compute_with(kOptions, {.images = 2, .boxes = 3}), Error);
  ModelOutput evaluated;
  evaluated.decoder.logits = batch.output.prediction().logits.unsqueeze(0);
  evaluated.decoder.boxes = batch.output.prediction().boxes.unsqueeze(0);
  EXPECT_THROW(criterion.match(evaluated, batch.targets), Error);
  batch.targets.counts = {4};
  EXPECT_THROW(compute_with(kOptions, matchings.norms), Error);
  EXPECT_THROW(detection_loss_sums(batch.output.prediction(), batch.targets, kOptions), Error);
}

}  // namespace
}  // namespace dfine
