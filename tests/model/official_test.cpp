// Evaluation against the official code: the expected numbers are those of
// tests/golden/make_evaluation.py.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "loss/formula.h"

namespace dfine {
namespace {

constexpr double kLogits = 2e-4, kBoxes = 1e-5;

const nlohmann::json& golden() {
  static const nlohmann::json numbers = nlohmann::json::parse(std::ifstream(
      std::string(std::getenv("DFINE_SOURCE_DIR")) + "/tests/golden/evaluation.json"));
  return numbers;
}

void append(std::vector<double>& flat, const nlohmann::json& list) {
  for (const auto& item : list) {
    if (item.is_array()) append(flat, item);
    if (item.is_number()) flat.push_back(item);
  }
}

/// The numbers of nested lists, in order.
Tensor values(const nlohmann::json& list) {
  std::vector<double> flat;
  append(flat, list);
  return at::tensor(flat, at::kDouble);
}

double largest_difference(const Tensor& found, const nlohmann::json& expected) {
  return (found.to(at::kDouble).reshape(-1) - values(expected)).abs().max().item<double>();
}

class Evaluation : public testing::TestWithParam<char> {};

TEST_P(Evaluation, LogitsAndBoxesEqualTheOfficialOnes) {
  at::set_num_threads(1);  // other tests run beside this one
  const at::NoGradGuard no_grad;
  const char letter = GetParam();
  const ModelSize size = model_variant(std::string_view(&letter, 1)).size;
  const int64_t images = golden().at("batch");
  ModelSpec spec = model_spec(size, kFormulaClasses);
  spec.num_queries = golden().at("queries");
  DFine model(spec);
  set_formula_weights(model);
  set_measured_statistics(model, size);
  model.eval();
  for (const auto& [res, expected] : golden().at("sizes").at(std::string(1, letter)).items()) {
    SCOPED_TRACE(res);
    const HeadOutput found =
        model.forward(make_formula_images(images, std::stol(res), at::kFloat, expected.at("seed")))
            .prediction();
    for (int64_t b = 0; b < images; ++b) {
      const auto i = static_cast<size_t>(b);
      const Tensor places = values(expected.at("places")[i]).to(at::kLong);
      EXPECT_LE(
          largest_difference(found.logits[b].index_select(0, places), expected.at("logits")[i]),
          kLogits)
          << "image " << b;
      EXPECT_LE(largest_difference(found.boxes[b].index_select(0, places), expected.at("boxes")[i]),
                kBoxes)
          << "image " << b;
    }
    EXPECT_LE(largest_difference(found.logits.to(at::kDouble).mean(1), expected.at("mean_logits")),
              kLogits);
    EXPECT_LE(largest_difference(found.boxes.to(at::kDouble).mean(1), expected.at("mean_boxes")),
              kBoxes);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Evaluation, testing::Values('n', 's', 'm', 'l', 'x'),
                         [](const auto& param) { return std::string(1, param.param); });

}  // namespace
}  // namespace dfine
