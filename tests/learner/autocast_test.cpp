// Mixed precision of whole models: how far from single precision it leads, against the official
// code under torch.autocast. The numbers are those of tests/golden/make_autocast.py. Built twice:
// with the CPU's lists of operations, and with CUDA's (support/cuda_autocast.cpp).
#include "learner/autocast.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "loss/formula.h"
#include "model/distribution.h"
#include "model/query_selection.h"
#include "support/hashed.h"

namespace dfine {
namespace {

#ifdef DFINE_CUDA_LISTS
constexpr const char* kNumbers = "sizes_with_cuda_lists";
constexpr auto kSoftmaxOfHalf = at::kFloat;
#else
constexpr const char* kNumbers = "sizes";
constexpr auto kSoftmaxOfHalf = at::kBFloat16;
#endif

using Named = std::map<std::string, Tensor>;

nlohmann::json golden() {
  return nlohmann::json::parse(
      std::ifstream(std::string(std::getenv("DFINE_SOURCE_DIR")) + "/tests/golden/autocast.json"));
}

struct Result {
  Named outputs, gradients;
  std::map<std::string, at::ScalarType> types;  // of the outputs as the model gave them
  Named statistics;
};

Result run(ModelSize size, int64_t res, std::optional<at::ScalarType> type) {
  const nlohmann::json numbers = golden();
  const int64_t num_denoising = numbers.at("dn");
  const auto model = make_formula_model(size, res, num_denoising, at::kFloat);
  const FormulaBatch batch = make_formula_batch(numbers.at("counts"), res, at::kFloat);
  const DenoisingQueries denoising = make_formula_denoising(batch, num_denoising);
  ModelOutput output;
  {
    const Autocast autocast(at::kCPU, type);
    output = model->forward(batch.images, &denoising);
  }
  Result result;
  Tensor sum = at::zeros({});
  const Heads& heads = output.decoder;
  const int64_t layers = heads.corners.size(0), denoising_queries = output.dn.num_queries();
  const auto part = [&](const Tensor& t, int64_t head) {
    return t.select(0, head).narrow(1, 0, denoising_queries);
  };
  for (const auto& [name, tensor] : Named{{"logits", part(heads.logits, layers - 1)},
                                          {"boxes", part(heads.boxes, layers - 1)},
                                          {"corners", part(heads.corners, layers - 1)},
                                          {"pre_boxes", part(heads.boxes, layers)}}) {
    result.types[name] = tensor.scalar_type();
    result.outputs[name] = tensor.detach().to(at::kDouble);
    sum = sum +
          (tensor.to(at::kFloat) * hashed_signed(name_seed(name), tensor.sizes()).to(at::kFloat))
              .sum();
  }
  sum.backward();
  for (const auto& item : model->named_parameters()) {
    if (item.value().grad().defined())
      result.gradients[item.key()] = item.value().grad().to(at::kDouble);
  }
  for (const auto& item : model->named_buffers()) {
    if (item.key().ends_with("running_mean") || item.key().ends_with("running_var"))
      result.statistics[item.key()] = item.value();
  }
  return result;
}

/// Relative, in the Euclidean norm over all tensors.
double distance(const Named& found, const Named& exact) {
  double gap = 0, norm = 0;
  for (const auto& [name, tensor] : exact) {
    gap += (found.at(name).to(at::kDouble) - tensor.to(at::kDouble)).square().sum().item<double>();
    norm += tensor.to(at::kDouble).square().sum().item<double>();
  }
  return std::sqrt(gap / norm);
}

struct Case {
  char size;
  std::vector<std::pair<std::string, at::ScalarType>> types;
};

class OfficialAutocast : public testing::TestWithParam<Case> {};

// Rounding differs from one order of operations to the next, so two right codes differ by some
// factor in how near they come: 1.5.
TEST_P(OfficialAutocast, OutputsAndGradientsAreAsNearToSinglePrecision) {
  at::set_num_threads(1);
  const char name = GetParam().size;
  const ModelSize size = model_variant(std::string_view(&name, 1)).size;
  const nlohmann::json numbers = golden().at(kNumbers).at(std::string(1, name));
  const int64_t res = numbers.at("res");
  const Result exact = run(size, res, {});
  for (const auto& [key, type] : GetParam().types) {
    const Result got = run(size, res, type);
    for (const auto& [output, tensor] : exact.outputs) {
      const double error = distance({{output, got.outputs.at(output)}}, {{output, tensor}});
      RecordProperty(key + "_" + output, std::to_string(error));
      EXPECT_LT(error, 1.5 * numbers.at(key).at(output).get<double>()) << key << " " << output;
    }
    for (const auto& [what, error] :
         {std::pair{"gradients", distance(got.gradients, exact.gradients)},
          {"statistics", distance(got.statistics, exact.statistics)}}) {
      RecordProperty(key + "_" + what, std::to_string(error));
      EXPECT_LT(error, 1.5 * numbers.at(key).at(what).get<double>()) << key << " " << what;
    }

    EXPECT_EQ(got.types.at("logits"), type);  // it was computed in it
    for (const char* exact_output : {"boxes", "corners", "pre_boxes"})
      EXPECT_EQ(got.types.at(exact_output), at::kFloat) << exact_output;
    for (const auto& [statistic, tensor] : got.statistics)
      EXPECT_EQ(tensor.scalar_type(), at::kFloat) << statistic;
  }
}

// L in half takes too long on a CPU.
INSTANTIATE_TEST_SUITE_P(Sizes, OfficialAutocast,
                         testing::Values(Case{'n', {{"bf16", at::kBFloat16}, {"fp16", at::kHalf}}},
                                         Case{'l', {{"bf16", at::kBFloat16}}}),
                         [](const auto& param) { return std::string(1, param.param.size); });

TEST(Autocast, UsesTheListsOfThisBuild) {
  const Autocast autocast(at::kCPU, at::kBFloat16);
  EXPECT_EQ(at::ones({2}, at::kBFloat16).softmax(0).scalar_type(), kSoftmaxOfHalf);
}

// The last head's boxes, computed in double precision from its corner logits and reference points.
// bfloat16 anywhere on the way would be 1e-3 off.
TEST(Autocast, BoxesFollowFromCornersInSinglePrecision) {
  const int64_t res = 128, num_denoising = golden().at("dn");
  const auto model = make_formula_model(model_variant("n").size, res, num_denoising, at::kFloat);
  const FormulaBatch batch = make_formula_batch(golden().at("counts"), res, at::kFloat);
  const DenoisingQueries denoising = make_formula_denoising(batch, num_denoising);
  const Autocast autocast(at::kCPU, at::kBFloat16);
  const ModelOutput output = model->forward(batch.images, &denoising);
  const Autocast off(at::kCPU, {});
  const auto exact = [](const Tensor& t) { return t.detach().to(at::kDouble); };
  const int64_t last = output.decoder.corners.size(0) - 1, reg_max = model->spec().reg_max;
  const Tensor corners = exact(output.decoder.corners[last]);
  const Tensor probabilities =
      corners.view({corners.size(0), corners.size(1), 4, reg_max + 1}).softmax(-1);
  const Tensor scale = exact(output.reg_scale);
  const Tensor boxes = distance2bbox(
      exact(output.decoder.ref_points),
      probabilities.matmul(weighting_function(exact(output.up), scale, reg_max)), scale);
  EXPECT_LT((exact(output.decoder.boxes[last]) - boxes).abs().max().item<double>(), 1e-6);
}

// Tokens that bfloat16 holds exactly, so that nothing else rounds them.
TEST(Autocast, QueriesAreChosenAsInSinglePrecision) {
  const ModelSpec spec = make_formula_model(model_variant("n").size, 128, 0, at::kFloat)->spec();
  torch::nn::Module owner;
  Initializer init(7);
  QuerySelection selection(owner, spec, init);
  Memory memory{.tokens = {}, .levels = {{40, 40}, {20, 20}}};
  memory.tokens = hashed_signed(3, {2, 2000, spec.decoder_dim}).to(at::kBFloat16).to(at::kFloat);
  const auto select = [&](std::optional<at::ScalarType> type) {
    const Autocast autocast(at::kCPU, type);
    return selection.select(memory);
  };
  const SelectedQueries exact = select({}), mixed = select(at::kBFloat16);
  EXPECT_TRUE(at::equal(mixed.boxes_unact, exact.boxes_unact));
  EXPECT_TRUE(at::equal(mixed.content, exact.content));
  EXPECT_TRUE(at::equal(mixed.head.logits, exact.head.logits));
}

TEST(Autocast, EndsWithItsScopeAndKeepsNoOldWeights) {
  const Tensor weight = at::ones({4, 4}).requires_grad_(), x = at::ones({1, 4});
  for (const double factor : {1.0, 2.0}) {
    {
      const at::NoGradGuard no_grad;
      weight.fill_(factor);
    }
    const Autocast autocast(at::kCPU, at::kBFloat16);
    const Tensor y = at::linear(x, weight);
    EXPECT_EQ(y.scalar_type(), at::kBFloat16);
    EXPECT_EQ(y[0][0].item<float>(), 4 * factor);
  }
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
  const Autocast none(at::kCPU, {});
  EXPECT_EQ(at::linear(x, weight).scalar_type(), at::kFloat);
}

}  // namespace
}  // namespace dfine
