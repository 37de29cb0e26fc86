#include "config/config.h"

#include <gtest/gtest.h>

#include <cmath>

#include "config/by_size.h"
#include "config/keys.h"
#include "config/load.h"
#include "core/error.h"

namespace dfine {
namespace {

const std::string kData = "[data]\ntrain='a'\nval='b'\n";

TEST(Config, NormsAreFrozenAsInTheOfficialModels) {
  // HGNetv2 section of the official yml files: freeze_norm false for n s m, true for l x.
  ModelConfig model;
  for (const auto& [size, frozen] :
       {std::pair{"n", false}, {"s", false}, {"m", false}, {"l", true}, {"x", true}}) {
    model.size = size;
    EXPECT_EQ(freezes_norm(model), frozen) << size;
  }
  model.freeze_norm = false;  // x
  EXPECT_FALSE(freezes_norm(model));
  model.size = "n";
  model.freeze_norm = true;
  EXPECT_TRUE(freezes_norm(model));
  model.freeze_norm.reset();
  model.freeze_backbone = true;
  EXPECT_TRUE(freezes_norm(model));
}

TEST(Config, AugmentationByName) {
  Config config = parse_config(
      kData + "augment = 'dfine'\n[augment]\nzoom_out = 0.25\nmosaic = 1\nflip = 0.75\n", "a");
  EXPECT_EQ(effective_augment(config).zoom_out, 0.25);
  EXPECT_EQ(effective_augment(config).iou_crop, 0.8);  // official
  EXPECT_EQ(effective_augment(config).mosaic, 1);
  for (const auto& [name, flip] : {std::pair{Augment::kFlip, 0.75}, {Augment::kNone, 0.0}}) {
    config.data.augment = name;
    const AugmentConfig augment = effective_augment(config);
    for (const double off : {augment.photometric, augment.zoom_out, augment.iou_crop,
                             augment.rotate, augment.mosaic, augment.mixup})
      EXPECT_EQ(off, 0);
    EXPECT_EQ(augment.min_box_size, 0);
    EXPECT_EQ(augment.flip, flip);
  }
}

/// One row per augmentation, by number, whose probability has a key.
TEST(Config, EveryAugmentationHasARow) {
  uint32_t number = 0;
  for (const Augmentation& each : kAugmentations) {
    EXPECT_EQ(static_cast<uint32_t>(each.op), number++);
    int64_t found = 0;
    for (const ConfigKey& key : config_keys()) {
      if (key.table() != "augment" || key.key() != each.key) continue;
      Config config;
      config.augment.*each.probability = 0;
      key.set(config, 0.625);
      found += config.augment.*each.probability == 0.625;
    }
    EXPECT_EQ(found, 1) << each.key;
  }
}

// github.com/Peterande/D-FINE, configs/dfine/include/dataloader.yml, and the defaults of
// torchvision 0.29's transforms it names.
TEST(Config, AugmentationIsTheOfficialOneByDefault) {
  const AugmentConfig augment;
  using Interval = AugmentConfig::Interval;
  EXPECT_EQ(augment.photometric, 0.5);
  EXPECT_EQ(augment.brightness, (Interval{0.875, 1.125}));
  EXPECT_EQ(augment.contrast, (Interval{0.5, 1.5}));
  EXPECT_EQ(augment.saturation, (Interval{0.5, 1.5}));
  EXPECT_EQ(augment.hue, (Interval{-0.05, 0.05}));
  EXPECT_EQ(augment.zoom_out, 0.5);
  EXPECT_EQ(augment.zoom_out_side, (Interval{1, 4}));
  EXPECT_EQ(augment.fill, 0);
  EXPECT_EQ(augment.iou_crop, 0.8);
  EXPECT_EQ(augment.iou_crop_scale, (Interval{0.3, 1}));
  EXPECT_EQ(augment.iou_crop_aspect, (Interval{0.5, 2}));
  EXPECT_EQ(augment.iou_crop_overlaps, (std::vector<double>{0, 0.1, 0.3, 0.5, 0.7, 0.9, 1}));
  EXPECT_EQ(augment.iou_crop_trials, 40);
  EXPECT_EQ(augment.flip, 0.5);
  EXPECT_EQ(augment.min_box_size, 1);
  for (const double off : {augment.rotate, augment.mosaic, augment.mixup}) EXPECT_EQ(off, 0);
}

// Shares: github.com/Peterande/D-FINE, configs/dfine/dfine_hgnetv2_*_coco.yml, policy.epoch of
// epoches.
TEST(Config, StopEpochIsTheOfficialShareOfTheRun) {
  Config config;
  EXPECT_EQ(stage2_epoch(config), 0);  // the default: never
  config.train.stage2_epoch.reset();
  const auto at = [&](const char* size, int64_t epochs) {
    config.model.size = size;
    config.train.epochs = epochs;
    return stage2_epoch(config);
  };
  EXPECT_EQ(at("n", 160), 148);
  EXPECT_EQ(at("s", 132), 120);
  EXPECT_EQ(at("m", 132), 120);
  EXPECT_EQ(at("l", 80), 72);
  EXPECT_EQ(at("x", 80), 72);
  // Nearest whole epoch: 55.5 halves up, 54.545..., 54.
  EXPECT_EQ(at("n", 60), 56);
  EXPECT_EQ(at("s", 60), 55);
  EXPECT_EQ(at("x", 60), 54);
  // At least the last epoch is without strong augmentation, and at least one is with it.
  EXPECT_EQ(at("n", 5), 4);  // 4.6
  EXPECT_EQ(at("n", 2), 1);
  EXPECT_EQ(at("n", 1), 0);
  config.train.stage2_epoch = 0.1;
  EXPECT_EQ(at("n", 3), 1);
  config.train.stage2_epoch = 0.5;
  EXPECT_EQ(at("n", 7), 4);
  config.train.stage2_epoch = 30;  // an epoch stays what it is
  EXPECT_EQ(at("n", 7), 30);
}

TEST(Config, StopEpochIsAnEpochAShareOrAuto) {
  for (const auto& [written, printed] :
       {std::pair{"148", "148"}, {"0", "0"}, {"0.875", "0.875"}, {"auto", "\"auto\""}}) {
    const std::string line = std::string("train.stage2_epoch=") + written;
    EXPECT_NE(print_config(parse_config(kData, "a", {line}))
                  .find(std::string("\nstage2_epoch = ") + printed + "\n"),
              std::string::npos);
  }
  for (const char* wrong : {"-1", "1.5", "1.0", "0.0", "never", "[1]", "true"})
    EXPECT_THROW(parse_config(kData, "a", {std::string("train.stage2_epoch=") + wrong}), UsageError)
        << wrong;
}

// github.com/Peterande/D-FINE, configs/dfine/dfine_hgnetv2_{n,s,m,l,x}_coco.yml.
TEST(BySize, SizesWithTheSameFigureShareIt) {
  EXPECT_EQ(by_size(&ModelVariant::multiscale_repeat), "n and s 20; m 6; l 4; x 3");
  EXPECT_EQ(by_size(&ModelVariant::global_batch), "n 128; s, m, l and x 32");
  EXPECT_EQ(by_size(&ModelVariant::freeze_norm), "n, s and m false; l and x true");
  EXPECT_EQ(by_size(&ModelVariant::stage2_share), "n 0.925; s and m 0.909; l and x 0.9");
}

TEST(Config, ThreadsShareTheCores) {
  RunConfig run;
  EXPECT_EQ(compute_threads(run, 16, 2), 8);
  EXPECT_EQ(compute_threads(run, 16, 1), 16);
  EXPECT_EQ(compute_threads(run, 1, 4), 1);
  run.threads = 3;
  EXPECT_EQ(compute_threads(run, 2, 2), 3);
}

}  // namespace
}  // namespace dfine
