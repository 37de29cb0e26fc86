// Steps with the whole recipe on follow the official trainer: thirty of N, ten of L with its frozen
// norms and stem. tests/golden/make_trajectory.py has the official side, in float64, and `spread`,
// how far the official code in float32 is from it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "config/load.h"
#include "core/text.h"
#include "learner/learner.h"
#include "loss/formula.h"
#include "support/hashed.h"
#include "train/plan/resolve.h"
#include "weights/weights.h"

namespace dfine {
namespace {

using Json = nlohmann::json;
using Weights = std::map<std::string, Tensor>;

/// A bound is a multiple of the official code's own spread.
constexpr double kSpreads = 3;

Batch make_batch(const std::vector<int64_t>& counts, int64_t res, uint64_t seed) {
  const auto b = static_cast<int64_t>(counts.size());
  const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  const Tensor blocks = hashed_uniform(seed + 1, {b, 3, res / 16, res / 16})
                            .repeat_interleave(16, 2)
                            .repeat_interleave(16, 3);
  Batch batch;
  batch.images = (256 * (0.7 * blocks + 0.3 * hashed_uniform(seed + 2, {b, 3, res, res})))
                     .floor()
                     .to(at::kByte);
  batch.targets = {
      .labels = (hashed_uniform(seed + 5, {total}) * kFormulaClasses).floor().to(at::kLong),
      .boxes = at::cat({0.5 + 0.35 * hashed_signed(seed + 3, {total, 2}),
                        0.16 + 0.12 * hashed_signed(seed + 4, {total, 2})},
                       1)
                   .to(at::kFloat),
      .counts = counts};
  return batch;
}

/// The official recipe of a size with the numbers of the golden run, as a user would write it.
Config make_config(const Json& setting, int64_t tokens) {
  const auto line = [&](const char* key, const char* number) {
    return str_cat(key, "=", setting.at(number).dump());
  };
  return load_config(std::string(std::getenv("DFINE_SOURCE_DIR")) + "/configs/coco/" +
                         setting.at("size").get<std::string>() + ".toml",
                     {line("run.seed", "seed"), str_cat("model.num_queries=", tokens),
                      line("model.num_denoising", "denoising"), "run.precision='fp32'",
                      line("data.image_size", "res"), "data.batch_size=2", "data.multiscale=false",
                      "train.stage2_epoch=0", "train.stage2_from_best=false", "train.epochs=1",
                      line("optim.lr", "lr"), line("optim.backbone_lr", "backbone_lr"),
                      line("optim.weight_decay", "weight_decay"), line("optim.clip_norm", "clip"),
                      line("optim.warmup_steps", "warmup"), line("ema.decay", "ema_decay"),
                      line("ema.warmup_steps", "ema_warmup")});
}

Weights copies(const Weights& weights) {
  Weights out;
  for (const auto& [name, tensor] : weights) out[name] = tensor.detach().clone();
  return out;
}

/// For each group of parameters the distance of the changes from the golden ones, over that of the
/// golden ones from zero.
std::map<std::string, double> distances(const Weights& before, const Weights& after,
                                        const Json& golden, const Json& groups, int64_t samples) {
  std::map<std::string, double> result;
  for (const auto& [group, names] : groups.items()) {
    double difference = 0, change = 0;
    for (const auto& name : names.get<std::vector<std::string>>()) {
      const int64_t n = before.at(name).numel();
      const Tensor places =
          (hashed_uniform(name_seed(name), {std::min(n, samples)}) * n).floor().to(at::kLong);
      const auto at_places = [&](const Weights& weights) {
        return weights.at(name).reshape(-1).index({places}).to(at::kDouble);
      };
      const Tensor expected = at::tensor(golden.at(name).get<std::vector<double>>(), at::kDouble);
      difference += (at_places(after) - at_places(before) - expected).square().sum().item<double>();
      change += expected.square().sum().item<double>();
    }
    result[group] = std::sqrt(difference / change);
  }
  return result;
}

/// Frozen as the configuration says; weights and, of L, running statistics as
/// tests/golden/make_trajectory.py sets them.
std::shared_ptr<DFine> make_model(const Config& config, const Json& setting) {
  const ModelSize size = model_variant(setting.at("size").get<std::string>()).size;
  std::vector<Category> categories;
  for (int64_t c = 0; c < kFormulaClasses; ++c) categories.push_back({c, str_cat("class ", c)});
  auto model = build_model(model_options(config, categories), /*read_weights=*/false);
  if (size != ModelSize::kL) {
    set_formula_parameters(*model);
    return model;
  }
  set_formula_weights(*model);
  set_measured_statistics(*model, size);
  return model;
}

class Trajectory : public testing::TestWithParam<const char*> {};

TEST_P(Trajectory, FollowsTheOfficialTrainerAsCloselyAsRoundingAllows) {
  std::ifstream file(std::string(std::getenv("DFINE_SOURCE_DIR")) +
                     "/tests/golden/trajectory.json");
  const Json golden = Json::parse(file).at(GetParam());
  const Json& setting = golden.at("setting");
  const Json& spread = golden.at("spread");
  const int64_t res = setting.at("res");
  const auto steps = static_cast<int64_t>(golden.at("norms").size());
  const auto counts = setting.at("batches").get<std::vector<std::vector<int64_t>>>();

  int64_t tokens = 0;
  for (const int64_t stride : model_spec(model_variant(GetParam()).size, kFormulaClasses).strides())
    tokens += (res / stride) * (res / stride);
  const Config config = make_config(setting, tokens);
  const auto model = make_model(config, setting);
  const Recipe recipe = make_recipe(config, {.steps_per_epoch = steps, .global_batch = 2});
  Learner learner(model, learner_options(config, recipe, /*cuda=*/false), Communicator());
  const Weights before = copies(named_tensors(*model));

  for (int64_t step = 0; step < steps; ++step) {
    const auto index = static_cast<size_t>(step), batch = index % counts.size();
    const StepResult result =
        learner.step({make_batch(counts[batch], res, 1000 * (batch + 1))}, {res, res}, step);
    ASSERT_EQ(result.outcome, StepOutcome::kUpdated);
    ASSERT_EQ(result.losses.size(), golden.at("losses").size());
    double total = 0, worst = 0;
    for (const auto& [name, value] : result.losses) {
      const double expected = golden.at("losses").at(name)[index];
      total += expected;
      worst = std::max(worst, std::abs(value - expected));
    }
    EXPECT_LE(worst / total, kSpreads * spread.at("terms")[index].get<double>()) << "step " << step;
    const double norm = golden.at("norms")[index];
    EXPECT_LE(std::abs(result.grad_norm / norm - 1),
              kSpreads * spread.at("norms")[index].get<double>())
        << "step " << step;
  }

  const std::pair<const char*, Weights> found[] = {{"raw", named_tensors(*model)},
                                                   {"ema", learner.ema()->averages()}};
  for (const auto& [which, after] : found) {
    for (const auto& [group, distance] :
         distances(before, after, golden.at(which), golden.at("groups"), setting.at("samples")))
      EXPECT_LE(distance, kSpreads * spread.at(which).at(group).get<double>())
          << which << " weights, " << group;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Trajectory, testing::Values("n", "l"),
                         [](const auto& size) { return size.param; });

}  // namespace
}  // namespace dfine
