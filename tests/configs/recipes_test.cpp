// The shipped recipes hold the official values, which tests/golden/make_recipes.py reads from the
// official configuration files.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>

#include "config/keys.h"
#include "config/load.h"
#include "core/error.h"
#include "golden_recipes.h"

namespace dfine {
namespace {

nlohmann::json value_of(const ConfigKey& key, const Config& config) {
  return std::visit([](const auto& value) -> nlohmann::json { return value; }, key.get(config));
}

const ConfigKey& find(const std::vector<ConfigKey>& keys, const std::string& name) {
  for (const ConfigKey& key : keys)
    if (key.name == name) return key;
  throw Error(ErrorCode::kInternal, "no key " + name);
}

/// Compares every number of the official recipe with the file's, but for those in `other`, whose
/// values are given.
void expect_figures(const RecipeFile& file, const std::map<std::string, nlohmann::json>& other) {
  const Config config = load_config(file.path());
  const auto keys = config_keys();
  const auto numbers = file.golden().at("keys");
  ASSERT_FALSE(numbers.empty());
  std::set<std::string> differing;
  for (const auto& [name, official] : numbers.items()) {
    if (name == "train.stage2_epoch") {  // a share of train.epochs, there and here
      EXPECT_EQ(stage2_epoch(config), official) << file;
      continue;
    }
    const bool changed = other.contains(name);
    EXPECT_EQ(value_of(find(keys, name), config), changed ? other.at(name) : official)
        << file << " " << name;
    if (changed && other.at(name) != official) differing.insert(name);
  }
  for (const auto& item : other)
    EXPECT_TRUE(differing.contains(item.first))
        << item.first << " is the official value in " << file;
}

class OfficialRecipe : public testing::TestWithParam<RecipeFile> {};

TEST_P(OfficialRecipe, EveryFigureIsTheOfficialOne) {
  expect_figures(GetParam(), {});
}

INSTANTIATE_TEST_SUITE_P(Files, OfficialRecipe,
                         testing::ValuesIn(recipe_files({"coco", "objects365_to_coco"})),
                         test_name);

class CustomRecipe : public testing::TestWithParam<RecipeFile> {};

/// Small data: learning rates follow the batch, warm-ups and EMA the length of the run, and either
/// weights may be the best.
TEST_P(CustomRecipe, DiffersFromTheOfficialOneWhereSmallDataNeedsIt) {
  std::map<std::string, nlohmann::json> other{{"optim.scale_lr", "sqrt"},
                                              {"optim.schedule", "constant"},
                                              {"optim.milestones", nlohmann::json::array()},
                                              {"optim.warmup_steps", "auto"},
                                              {"ema.decay", "auto"},
                                              {"ema.warmup_steps", "auto"},
                                              {"ema.restart", "none"},
                                              {"validate.weights", "both"},
                                              {"validate.batch_size", "auto"},
                                              {"model.backbone_weights", ""},
                                              {"model.num_queries", "auto"}};
  const auto official = GetParam().golden().at("keys");
  if (official.at("optim.base_batch") == 128) other["optim.base_batch"] = 32;
  if (official.at("data.batch_size") != 8) other["data.batch_size"] = 8;
  if (official.at("ema.restart_decay") != 0.9999) other["ema.restart_decay"] = 0.9999;
  expect_figures(GetParam(), other);
  // The file says itself where it is not the official one.
  std::ifstream in(GetParam().path());
  const std::string text(std::istreambuf_iterator<char>(in), {});
  for (const auto& item : other) {
    const std::string key = item.first.substr(item.first.find('.') + 1);
    const std::regex said("\\b" + key + "\\b.*official: |official: .*\\b" + key +
                          "\\b");  // on one line
    EXPECT_TRUE(std::regex_search(text, said)) << item.first;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, CustomRecipe, testing::ValuesIn(recipe_files({"custom"})),
                         test_name);

/// Of these values each key takes one that it does not have already. They are near what it has, of
/// any kind, or words of its description.
std::vector<ConfigValue> candidates(const ConfigKey& key, const ConfigValue& now) {
  std::vector<ConfigValue> all;
  if (const auto* x = std::get_if<int64_t>(&now)) all = {*x + 1, *x - 1, *x + 32};
  if (const auto* x = std::get_if<double>(&now)) all = {*x / 2, *x + 0.25};
  all.insert(all.end(), {true, false, int64_t{3}, 0.125, std::vector<double>{0.5, 1},
                         std::vector<double>{-0.25, 0.25}, std::vector<double>{1, 2},
                         std::vector<std::string>{"other"}});
  const std::regex word("\\w+");
  for (auto i = std::sregex_iterator(key.allowed.begin(), key.allowed.end(), word);
       i != std::sregex_iterator(); ++i)
    all.emplace_back(i->str());
  return all;
}

/// The value that `key` has after --set of one of the candidates; nothing if none of them is taken.
std::optional<std::string> override_key(const RecipeFile& file, const ConfigKey& key,
                                        std::vector<std::string> settings) {
  const ConfigValue now = key.get(load_config(file.path()));
  settings.emplace_back();
  for (const ConfigValue& candidate : candidates(key, now)) {
    settings.back() = key.name + "=" + to_toml(candidate);
    try {
      const ConfigValue then = key.get(load_config(file.path(), settings));
      if (then != now) return to_toml(then);
    } catch (const Error&) {
      continue;
    }
  }
  return std::nullopt;
}

class AnyRecipe : public testing::TestWithParam<RecipeFile> {};

/// Also a run of another length ends without strong augmentation, for the official share of it.
TEST_P(AnyRecipe, AnotherNumberOfEpochsKeepsTheOfficialShare) {
  const auto official = GetParam().golden().at("keys");
  const double share =
      official.at("train.stage2_epoch").get<double>() / official.at("train.epochs").get<double>();
  for (const int64_t epochs : {12, 60, 300}) {
    const Config config =
        load_config(GetParam().path(), {"train.epochs=" + std::to_string(epochs)});
    EXPECT_NEAR(static_cast<double>(stage2_epoch(config)), share * static_cast<double>(epochs),
                0.61)
        << epochs;
    EXPECT_LT(stage2_epoch(config), epochs);
  }
}

TEST_P(AnyRecipe, EveryKeyCanBeOverridden) {
  // Keys that change only together with another.
  const std::map<std::string, std::vector<std::string>> companions{
      {"optim.schedule", {"optim.milestones=[]"}},
      {"optim.milestones", {"optim.schedule='multistep'"}},
      {"optim.warmup_epochs", {"optim.warmup_steps='auto'"}},
      {"ema.enabled", {"validate.weights='raw'"}},
      {"validate.every_epochs", {"train.stage2_from_best=false"}},
      {"model.max_denoising_queries", {"model.num_denoising=0"}},
      {"model.freeze_backbone", {"optim.backbone_lr='auto'", "model.freeze_norm='auto'"}},
  };
  for (const ConfigKey& key : config_keys()) {
    const auto with = companions.find(key.name);
    EXPECT_TRUE(override_key(GetParam(), key,
                             with == companions.end() ? std::vector<std::string>{} : with->second))
        << key.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, AnyRecipe,
                         testing::ValuesIn(recipe_files({"coco", "objects365_to_coco", "custom"})),
                         test_name);

}  // namespace
}  // namespace dfine
