// What the shipped recipes make of the model: the optimizer's groups, and numbers that no
// configuration key holds.
#include <zlib.h>

#include <numeric>

#include "config/load.h"
#include "golden_recipes.h"
#include "learner/parameter_groups.h"
#include "loss/criterion.h"
#include "model/denoising.h"
#include "train/plan/resolve.h"

namespace dfine {
namespace {

class RecipeGroups : public testing::TestWithParam<RecipeFile> {};

/// tests/golden/parameter_groups.json: the members, found by the official patterns; recipes.json:
/// their learning rates and weight decays.
TEST_P(RecipeGroups, AreTheOfficialOnes) {
  const RecipeFile& file = GetParam();
  const Config config =
      load_config(file.path(), {"model.weights=''", "model.allow_random_frozen=true"});
  const auto model =
      build_model(model_options(config, std::vector<Category>(80)), /*read_weights=*/false);
  const Recipe recipe =  // at the batch that the learning rates are stated for
      make_recipe(config, {.steps_per_epoch = 1, .global_batch = config.optim.base_batch.value()});
  const auto groups =
      parameter_groups(*model, learner_options(config, recipe, /*cuda=*/false).optimizer);
  const auto members = golden("parameter_groups.json").at("sizes").at(file.size);
  const auto rates = file.golden().at("groups");

  ASSERT_EQ(groups.size(), members.size());
  ASSERT_EQ(groups.size(), rates.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    EXPECT_EQ(groups[g].hyper.lr, rates[g][0].get<double>());
    EXPECT_EQ(groups[g].hyper.weight_decay, rates[g][1].get<double>());
    EXPECT_EQ(groups[g].names.size(), members[g].at("tensors").get<size_t>());
    uint64_t names = 0;
    for (const std::string& name : groups[g].names)
      names +=
          ::crc32(0, reinterpret_cast<const Bytef*>(name.data()), static_cast<uInt>(name.size()));
    EXPECT_EQ(names, members[g].at("names").get<uint64_t>());
    const auto elements =
        std::accumulate(groups[g].parameters.begin(), groups[g].parameters.end(), int64_t{0},
                        [](int64_t sum, const Tensor& p) { return sum + p.numel(); });
    EXPECT_EQ(elements, members[g].at("parameters").get<int64_t>());
  }
}

INSTANTIATE_TEST_SUITE_P(Files, RecipeGroups,
                         testing::ValuesIn(recipe_files({"coco", "objects365_to_coco", "custom"})),
                         test_name);

TEST(OfficialFigures, OfCriterionMatcherAndDenoising) {
  const auto official = golden("recipes.json").at("fixed");
  const CriterionOptions ours;
  const nlohmann::json weights{{"vfl", ours.vfl},
                               {"bbox", ours.bbox},
                               {"giou", ours.giou},
                               {"fgl", ours.fgl},
                               {"ddf", ours.ddf}};
  EXPECT_EQ(weights, official.at("weights"));
  EXPECT_EQ(ours.alpha, official.at("alpha"));
  EXPECT_EQ(ours.gamma, official.at("gamma"));
  EXPECT_EQ(ours.reg_max, official.at("reg_max"));
  const nlohmann::json matcher{{"class", ours.matcher.class_weight},
                               {"bbox", ours.matcher.bbox_weight},
                               {"giou", ours.matcher.giou_weight},
                               {"alpha", ours.matcher.alpha},
                               {"gamma", ours.matcher.gamma}};
  EXPECT_EQ(matcher, official.at("matcher"));
  EXPECT_EQ(kDenoisingLabelNoise, official.at("label_noise_ratio").get<double>() /
                                      2);  // the official code halves it where it draws
}

}  // namespace
}  // namespace dfine
