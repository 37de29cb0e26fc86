#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "config/keys.h"
#include "config/load.h"

namespace dfine {
namespace {

namespace fs = std::filesystem;

fs::path source() {
  const char* folder = std::getenv("DFINE_SOURCE_DIR");
  return folder ? folder : ".";
}

// Scripts and configuration files of users rely on these names.
TEST(ConfigKeys, KeepTheirNames) {
  std::set<std::string> names;
  for (const ConfigKey& key : config_keys())
    EXPECT_TRUE(names.insert(key.name).second) << key.name << " twice";
  for (const char* name : {"run.dir",
                           "run.seed",
                           "run.device",
                           "run.threads",
                           "run.precision",
                           "run.deterministic",
                           "model.size",
                           "model.weights",
                           "model.num_denoising",
                           "model.max_denoising_queries",
                           "model.freeze_backbone",
                           "model.freeze_norm",
                           "model.freeze_stem",
                           "data.train",
                           "data.val",
                           "data.image_size",
                           "data.batch_size",
                           "data.workers",
                           "data.shuffle",
                           "data.augment",
                           "data.multiscale",
                           "data.cache_dir",
                           "data.on_corrupt",
                           "data.max_corrupt",
                           "data.preview",
                           "train.stage2_epoch",
                           "augment.photometric",
                           "augment.zoom_out",
                           "augment.iou_crop",
                           "augment.flip",
                           "augment.mosaic",
                           "augment.mixup",
                           "optim.lr",
                           "optim.backbone_lr",
                           "optim.weight_decay",
                           "optim.clip_norm",
                           "optim.warmup_steps",
                           "train.epochs",
                           "train.max_steps",
                           "train.gradient_accumulation_steps",
                           "train.gradient_accumulation",
                           "train.gradient_compression",
                           "train.max_bad_steps",
                           "train.max_minutes",
                           "train.patience",
                           "train.stage2_from_best",
                           "train.preflight",
                           "model.freeze",
                           "model.class_heads",
                           "model.backbone_weights",
                           "model.allow_random_frozen",
                           "optim.base_batch",
                           "optim.scale_lr",
                           "optim.scale_schedule",
                           "optim.schedule",
                           "optim.warmup_epochs",
                           "ema.restart",
                           "validate.weights",
                           "ema.enabled",
                           "ema.decay",
                           "ema.warmup_steps",
                           "validate.every_epochs",
                           "validate.batch_size",
                           "checkpoint.monitor",
                           "checkpoint.every_steps"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST(ConfigKeys, DefaultsAreWithinTheirOwnLimits) {
  const Config defaults;
  for (const ConfigKey& key : config_keys()) {
    Config config;
    EXPECT_NO_THROW(key.set(config, key.get(defaults))) << key.name;
    EXPECT_EQ(key.get(config), key.get(defaults)) << key.name;
  }
}

TEST(ConfigKeys, EachKeyHasAPlaceOfItsOwn) {
  const Config defaults;
  for (const ConfigKey& key : config_keys()) {
    Config config;
    bool changed = false;
    for (const ConfigValue& other : {ConfigValue(true),
                                     ConfigValue(false),
                                     ConfigValue(int64_t{64}),
                                     ConfigValue(0.25),
                                     ConfigValue("x"),
                                     ConfigValue("cpu"),
                                     ConfigValue("none"),
                                     ConfigValue("ap"),
                                     ConfigValue("skip"),
                                     ConfigValue("fp16"),
                                     ConfigValue("bf16"),
                                     ConfigValue("new"),
                                     ConfigValue("sqrt"),
                                     ConfigValue("multistep"),
                                     ConfigValue("convolutions"),
                                     ConfigValue("published"),
                                     ConfigValue("raw"),
                                     ConfigValue("averaged"),
                                     ConfigValue(0.5),
                                     ConfigValue(std::vector<double>{0.25, 0.5}),
                                     ConfigValue(std::vector<double>{2.0, 3.0}),
                                     ConfigValue(std::vector<std::string>{"data"})}) {
      try {
        key.set(config, other);
      } catch (const std::exception&) {
        continue;
      }
      if (key.get(config) == key.get(defaults)) continue;
      changed = true;
      const auto differs = [&](const ConfigKey& k) { return k.get(config) != k.get(defaults); };
      EXPECT_EQ(std::ranges::count_if(config_keys(), differs), 1) << key.name;
      break;
    }
    EXPECT_TRUE(changed) << key.name;
  }
}

TEST(ConfigFiles, EveryShippedOneLoads) {
  std::set<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(source() / "configs")) {
    if (entry.path().extension() != ".toml") continue;
    EXPECT_NO_THROW(load_config(entry.path().string())) << entry.path();
    found.insert(entry.path().filename().string());
  }
  for (const char* name :
       {"n.toml", "s.toml", "m.toml", "l.toml", "xl.toml", "quickstart.toml", "debug.toml"})
    EXPECT_TRUE(found.contains(name)) << name;
}

TEST(ConfigFiles, TheSeedRecipe) {
  const Config xl = load_config((source() / "configs/xl.toml").string());
  EXPECT_EQ(xl.model.size, "x");
  EXPECT_EQ(xl.train.epochs, 50);
  EXPECT_EQ(xl.data.batch_size, 1);
  EXPECT_EQ(xl.optim.lr, 1e-4);
  EXPECT_FALSE(xl.optim.backbone_lr.has_value());
  EXPECT_EQ(xl.optim.weight_decay, 1e-4);
  EXPECT_EQ(xl.checkpoint.monitor, Monitor::kValLoss);
  EXPECT_TRUE(freezes_norm(xl.model));
  EXPECT_FALSE(xl.model.freeze_backbone || xl.model.freeze_stem || xl.ema.enabled);
}

// docs/configuration.md ends with the generated tables. When this fails, take the text that the
// message names.
TEST(ConfigReference, TheDocumentHasExactlyTheKeys) {
  std::ifstream in(source() / "docs/configuration.md");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const std::string marker = "<!-- keys -->\n";
  const size_t at = text.find(marker);
  ASSERT_NE(at, std::string::npos) << "docs/configuration.md lacks the line " << marker;
  const fs::path wanted = fs::temp_directory_path() / "configuration.md";
  if (text.substr(at + marker.size()) != config_reference()) {
    std::ofstream(wanted) << text.substr(0, at + marker.size()) << config_reference();
    FAIL() << "docs/configuration.md differs from the keys; what it should be: " << wanted;
  }
}

}  // namespace
}  // namespace dfine
