#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <regex>

#include "config/keys.h"
#include "config/synonyms.h"
#include "core/nearest.h"
#include "core/text.h"
#include "support/files.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

const std::string kData = "[data]\ntrain='a'\nval='b'\n";

using Values = std::vector<std::string>;

Caught error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return catch_error<UsageError>([&] { parse_config(text, "f.toml", overrides); });
}

void expect_error(ErrorCode code, const std::string& text,
                  const std::vector<std::string>& overrides, const Values& values) {
  EXPECT_TRUE(error_of(text, overrides).is(code, values));
}

TEST(LoadConfig, ReadsEveryTypeOfValue) {
  const Config config = parse_config(
      "run.seed = 7\nrun.device = 'cpu'\n[model]\nsize='x'\nfreeze_norm = "
      "false\n[data]\ntrain='a'\nval='b'\nimage_size=[320, 480]\n"
      "augment='none'\n[optim]\nlr = 1\nweight_decay = 1e-2\n[ema]\nenabled = "
      "false\n[checkpoint]\nmonitor='ap'\n",
      "f.toml");
  EXPECT_EQ(config.run.seed, 7);
  EXPECT_EQ(config.run.device, DeviceChoice::kCpu);
  EXPECT_EQ(config.model.size, "x");
  EXPECT_EQ(config.model.freeze_norm, std::optional(false));
  EXPECT_EQ(config.data.image_size, (ImageSize{320, 480}));
  EXPECT_EQ(config.data.augment, Augment::kNone);
  EXPECT_EQ(config.optim.lr, 1.0);
  EXPECT_EQ(config.optim.weight_decay, 1e-2);
  EXPECT_FALSE(config.ema.enabled);
  EXPECT_EQ(config.checkpoint.monitor, Monitor::kAp);
  EXPECT_EQ(config.train.epochs, TrainConfig{}.epochs);
}

TEST(LoadConfig, UnknownKeysAreErrorsWithASuggestion) {
  expect_error(kUnknownKey, kData + "\nbatchsize = 2\n", {},
               {"f.toml:5", "data.batchsize", "data.batch_size"});
  expect_error(kUnknownKey, kData + "[optim]\nbatch_size = 2\n", {},
               {"f.toml:5", "optim.batch_size", "data.batch_size", "validate.batch_size"});
  expect_error(kUnknownKey, kData + "[optimizer]\nlr = 2\n", {},
               {"f.toml:4", "[optimizer]", "[optim]"});
  expect_error(kUnknownKey, "[dat]\ntrain = 'a'\n", {}, {"f.toml:1", "[dat]", "[data]"});
  expect_error(kUnknownKey, "[zzz]\ntrain = 'a'\n", {}, {"f.toml:1", "[zzz]"});
  expect_error(kUnknownKey, kData + "[train]\nlr = 2\n", {}, {"f.toml:5", "train.lr", "optim.lr"});
  expect_error(kUnknownKey, "seed = 2\n" + kData, {}, {"f.toml:1", "run.seed"});
  expect_error(kFormatInvalid, kData + "[data.train]\n", {}, {"f.toml:4"});
  expect_error(kUnknownKey, kData + "[run]\nzzz = 2\n", {}, {"run.zzz"});
  EXPECT_EQ(error_of(kData + "[run]\nzzz = 2\n").text.find('?'), std::string::npos);
  expect_error(kUnknownKey, "data = 3\n", {}, {"f.toml:1", "[data]"});
}

TEST(LoadConfig, TheNearestKeyIsNamed) {
  const auto suggests = [](const std::string& key, const std::string& ours) {
    expect_error(kUnknownKey, kData, {key + "=1"}, {key, ours});
  };
  suggests("data.trian", "data.train");  // neighbours swapped: one edit
  suggests("optim.rl", "optim.lr");
  suggests("dat.train", "data.train");
  suggests("Optim.LR", "optim.lr");
  suggests("data.batch-size", "data.batch_size");
  suggests("validate.batchsize", "validate.batch_size");
  suggests("optim.epochs", "train.epochs");
  // Names of other trainers.
  suggests("imgsz", "data.image_size");
  suggests("batch", "data.batch_size");
  suggests("bs", "data.batch_size");
  suggests("optim.learning_rate", "optim.lr");
  suggests("lr0", "optim.lr");
  suggests("train.num_epochs", "train.epochs");
  suggests("num_workers", "data.workers");
  suggests("amp", "run.precision");
  suggests("gradient_accumulation_steps", "train.gradient_accumulation_steps");
  suggests("ema_decay", "ema.decay");
  suggests("warmup", "optim.warmup_steps");
  suggests("clip_max_norm", "optim.clip_norm");
  suggests("output_dir", "run.dir");
}

/// A synonym must lead to something, and must not hide a key of its own.
TEST(LoadConfig, EverySynonymLeadsToAKey) {
  std::vector<std::string> keys, parts, tables;
  for (const ConfigKey& key : config_keys()) {
    keys.push_back(key.name);
    parts.push_back(key.key());
    tables.push_back("[" + key.table() + "]");
  }
  using testing::Contains;
  for (const Synonym& synonym : key_synonyms()) {
    const std::string ours = synonym.ours;
    EXPECT_THAT(keys, Contains(ours.substr(0, ours.find(" or ")))) << synonym.name;
    EXPECT_THAT(parts, testing::Not(Contains(synonym.name)));
    EXPECT_EQ(plain_name(synonym.name), synonym.name);
  }
  for (const Synonym& synonym : table_synonyms()) {
    EXPECT_THAT(tables, Contains(synonym.ours));
    EXPECT_THAT(tables, testing::Not(Contains("[" + std::string(synonym.name) + "]")));
  }
}

TEST(LoadConfig, WrongTypesAndRangesAreErrors) {
  expect_error(kBadValue, kData + "[optim]\nlr = 'fast'\n", {},
               {"f.toml:5", "optim.lr", "\"fast\"", "0"});
  expect_error(kBadValue, kData + "[optim]\nlr = 0\n", {}, {"optim.lr", "0"});
  expect_error(kBadValue, kData + "[optim]\nlr = nan\n", {}, {"optim.lr", "nan"});
  expect_error(kBadValue, kData + "[optim]\nlr = inf\n", {}, {"optim.lr", "inf"});
  expect_error(kBadValue, kData + "[optim]\nlr = [1]\n", {}, {"optim.lr", "[1]"});
  expect_error(kBadValue, kData + "[optim]\nlr = {a = 1}\n", {}, {"optim.lr", "{ a = 1 }", "0"});
  expect_error(kBadValue, kData + "[optim]\nlr = 2026-01-31\n", {},
               {"optim.lr", "2026-01-31", "0"});
  expect_error(kBadValue, kData + "[optim]\nbeta1 = 1\n", {}, {"optim.beta1", "1", "0"});
  expect_error(kBadValue, kData + "batch_size = 0\n", {}, {"data.batch_size", "0", "1", "4096"});
  expect_error(kBadValue, kData + "batch_size = 2.0\n", {}, {"data.batch_size", "2.0"});
  expect_error(kBadValue, kData + "shuffle = 1\n", {}, {"data.shuffle", "1"});
  expect_error(kBadValue, kData + "[run]\ndir = 5\n", {}, {"run.dir", "5"});
  expect_error(kBadValue, kData + "[run]\nseed = -1\n", {}, {"run.seed", "-1"});
  expect_error(kBadValue, kData + "[model]\nsize = 'XL'\n", {},
               {"model.size", "\"XL\"", "\"n\"", "\"s\"", "\"m\"", "\"l\"", "\"x\""});
  expect_error(kBadValue, kData + "[model]\nfreeze_norm = 'yes'\n", {},
               {"model.freeze_norm", "\"yes\"", "\"auto\""});
  for (const char* size : {"650", "0", "-32", "[640]", "[640, 641]", "[640, 640, 640]", "640.0",
                           "'640'", "[640.0, 640.0]", "8192"})
    expect_error(kBadValue, kData + "image_size = " + size + "\n", {},
                 {"f.toml:4", "data.image_size"});
}

TEST(LoadConfig, ListsOfNumbers) {
  const Config config = parse_config(
      kData + "[augment]\nhue = [-0.1, 0]\nzoom_out_side = [1, 2]\niou_crop_overlaps = [0.5, 1]\n",
      "f.toml");
  EXPECT_EQ(config.augment.hue, (AugmentConfig::Interval{-0.1, 0}));
  EXPECT_EQ(config.augment.zoom_out_side, (AugmentConfig::Interval{1, 2}));
  EXPECT_EQ(config.augment.iou_crop_overlaps, (std::vector<double>{0.5, 1}));
  for (const char* wrong :
       {"hue = 0.1", "hue = []", "hue = [0.1]", "hue = [0.1, 0.0]", "hue = [0, 0.6]",
        "hue = [0, nan]", "contrast = [0, inf]", "zoom_out_side = [0.5, 2]",
        "zoom_out_side = [1, 101]", "mosaic_scale = [0.001, 1]", "mosaic_scale = [1, 1e9]",
        "brightness = [0, 101]", "iou_crop_overlaps = []", "iou_crop_overlaps = [0.5]",
        "iou_crop_overlaps = [-0.1, 1]", "photometric = 1.5", "fill = 256",
        "iou_crop_scale = [0, 1]"})
    expect_error(kBadValue, kData + "[augment]\n" + wrong + "\n", {},
                 {str_cat("augment.",
                          std::string_view(wrong).substr(0, std::string_view(wrong).find(' ')))});
  expect_error(kBadValue, kData + "[augment]\nhue = ['a', 'b']\n", {},
               {"augment.hue", "[\"a\", \"b\"]", "[from, to]", "-0.5", "0.5"});
  expect_error(kBadValue, kData + "[augment]\nhue = [0, 'b']\n", {},
               {"augment.hue", "[ 0, 'b' ]", "[from, to]"});
}

TEST(LoadConfig, ListsOfPatterns) {
  using List = std::vector<std::string>;
  EXPECT_EQ(
      parse_config(kData + "[optim]\nno_decay = ['norm\\.', \"bias\"]\n", "a.toml").optim.no_decay,
      (List{"norm\\.", "bias"}));
  EXPECT_EQ(parse_config(kData, "a.toml", {R"(optim.no_decay=["norm"])"}).optim.no_decay,
            List{"norm"});
  EXPECT_EQ(parse_config(kData, "a.toml", {R"(optim.no_decay="norm")"}).optim.no_decay,
            List{"norm"});
  EXPECT_EQ(parse_config(kData + "[optim]\nno_decay = ['a']\n", "a.toml", {"optim.no_decay=[]"})
                .optim.no_decay,
            List{});
  expect_error(kBadValue, kData + "[optim]\nno_decay = ['(']\n", {}, {"optim.no_decay", "\"(\""});
  expect_error(kBadValue, kData + "[optim]\nno_decay = [1, 2]\n", {}, {"optim.no_decay", "[1, 2]"});
}

/// The error names the invalid pattern. It suggests no other value: the text of the whole list,
/// with its brackets, would be a pattern too, and mean something else.
TEST(LoadConfig, APatternThatCannotBeReadIsNamed) {
  for (const char* key : {"model.freeze", "optim.no_decay"}) {
    for (const char* list : {R"(["norm", "("])", R"(['('])", R"("(")"}) {
      const std::string setting = str_cat(key, "=", list);
      const Caught error = error_of(kData, {setting});
      EXPECT_TRUE(error.is(kBadValue, str_cat("--set ", setting, ": ", key), "\"(\""));
      EXPECT_EQ(error.text.find("\"["), std::string::npos) << error.text;
    }
  }
  // The reason is the library's own.
  try {
    static_cast<void>(std::regex("("));
    FAIL();
  } catch (const std::regex_error& reason) {
    expect_error(kBadValue, kData, {"model.freeze=['(']"}, {reason.what()});
  }
}

TEST(LoadConfig, MultiScale) {
  // Official: configs/dfine/dfine_hgnetv2_{s,m,l,x}_coco.yml, base_size_repeat.
  for (const auto& [size, repeat] : {std::pair("s", 20), {"m", 6}, {"l", 4}, {"x", 3}}) {
    Config config;
    config.model.size = size;
    EXPECT_EQ(multiscale_repeat(config), repeat) << size;
    config.data.multiscale_repeat = 7;
    EXPECT_EQ(multiscale_repeat(config), 7);
  }
  expect_error(kConflictingSettings, kData + "multiscale = true\nimage_size = 32\n", {},
               {"data.multiscale", "data.image_size", "64"});
  EXPECT_FALSE(error_of(kData + "multiscale = true\nimage_size = [32, 64]\n").code);
}

TEST(LoadConfig, AutoOrAValue) {
  const Config unset = parse_config(kData + "[ema]\ndecay = 'auto'\n", "f.toml",
                                    {"ema.warmup_steps=auto", "optim.warmup_steps=auto"});
  EXPECT_FALSE(unset.ema.decay || unset.ema.warmup_steps || unset.optim.warmup_steps);
  const Config set = parse_config(kData + "[ema]\ndecay = 0.5\n", "f.toml",
                                  {"ema.warmup_steps=0", "model.freeze_norm=true"});
  EXPECT_EQ(set.ema.decay, 0.5);
  EXPECT_EQ(set.ema.warmup_steps, 0);
  EXPECT_EQ(set.model.freeze_norm, true);
  expect_error(kBadValue, kData + "[ema]\ndecay = 1\n", {}, {"ema.decay", "1", "0", "\"auto\""});
  expect_error(kBadValue, kData + "[ema]\nwarmup_steps = -1\n", {}, {"ema.warmup_steps", "-1"});
  expect_error(kBadValue, kData + "[optim]\nwarmup_steps = 'all'\n", {},
               {"optim.warmup_steps", "\"all\""});
}

/// Earlier versions wrote 0 for "decide for me": in files of users and in saved runs.
TEST(LoadConfig, ZeroIsStillReadAsAutoWhereItWas) {
  for (const char* name :
       {"run.threads", "model.num_queries", "data.multiscale_repeat", "optim.backbone_lr",
        "optim.base_batch", "optim.flat_epochs", "optim.warmup_epochs", "validate.batch_size"}) {
    const auto printed = [&](const char* value) {
      return print_config(parse_config(kData, "f.toml", {str_cat(name, '=', value)}));
    };
    EXPECT_EQ(printed("0"), print_config(parse_config(kData, "f.toml"))) << name;
    EXPECT_EQ(printed("auto"), printed("0")) << name;
    EXPECT_NE(printed("3"), printed("0")) << name;
    expect_error(kBadValue, kData, {str_cat(name, "=-1")}, {name, "-1", "\"auto\""});
  }
  // Numbers of any kind were written with a point in saved runs.
  const Config saved = parse_saved_config(
      kData + "[optim]\nbackbone_lr = 0.0\nflat_epochs = 0.0\nwarmup_epochs = 0.0\n", "saved");
  EXPECT_FALSE(saved.optim.backbone_lr || saved.optim.flat_epochs || saved.optim.warmup_epochs);
  expect_error(kBadValue, kData, {"run.threads=0.0"}, {"run.threads", "0.0"});
  // There 0 is a value of its own.
  const Config off = parse_config(
      kData, "f.toml",
      {"optim.warmup_steps=0", "ema.warmup_steps=0", "ema.decay=0", "train.stage2_epoch=0"});
  EXPECT_EQ(off.optim.warmup_steps, 0);
  EXPECT_EQ(off.ema.warmup_steps, 0);
  EXPECT_EQ(off.ema.decay, 0);
  EXPECT_EQ(off.train.stage2_epoch, 0);
}

TEST(LoadConfig, DeviceAndPrecisionAreAutoOrAValue) {
  const Config unset = parse_config(kData, "f.toml", {"run.device=auto", "run.precision=auto"});
  EXPECT_FALSE(unset.run.device || unset.run.precision);
  EXPECT_EQ(effective_precision(unset.run, /*cuda=*/true), Precision::kBf16);
  EXPECT_EQ(effective_precision(unset.run, /*cuda=*/false), Precision::kFp32);
  const Config set = parse_config(kData, "f.toml", {"run.device=cuda", "run.precision=fp16"});
  EXPECT_EQ(set.run.device, DeviceChoice::kCuda);
  EXPECT_EQ(effective_precision(set.run, /*cuda=*/false), Precision::kFp16);
  expect_error(kBadValue, kData, {"run.device=0"},
               {"run.device", "\"cpu\"", "\"cuda\"", "\"auto\""});
}

TEST(LoadConfig, Milestones) {
  EXPECT_EQ(parse_config(kData + "[optim]\nschedule = 'multistep'\nmilestones = [30, 40.5]\n", "f")
                .optim.milestones,
            (std::vector<double>{30, 40.5}));
  expect_error(kBadValue, kData + "[optim]\nschedule = 'multistep'\nmilestones = [40, 30]\n", {},
               {"optim.milestones", "[40, 30]"});
  expect_error(kBadValue, kData + "[optim]\nschedule = 'multistep'\nmilestones = [0, 30]\n", {},
               {"optim.milestones", "[0, 30]"});
}

TEST(LoadConfig, WhatDoesNotGoTogether) {
  const auto refused = [](const std::string& tables, const Values& keys) {
    expect_error(kConflictingSettings, kData + tables, {}, keys);
  };
  refused("[optim]\nscale_lr = 'sqrt'\n", {"optim.scale_lr", "optim.base_batch"});
  refused("[optim]\nscale_schedule = true\n", {"optim.scale_schedule", "optim.base_batch"});
  refused("[optim]\nwarmup_epochs = 1\nwarmup_steps = 5\n",
          {"optim.warmup_epochs", "optim.warmup_steps"});
  refused("[optim]\nschedule = 'multistep'\n", {"optim.milestones"});
  refused("[optim]\nmilestones = [3]\n", {"optim.milestones"});
  refused("[optim]\nschedule = 'flat_cosine'\nflat_epochs = 60\n", {"optim.schedule"});
  refused("[train]\nstage2_from_best = true\n", {"train.stage2_from_best", "train.stage2_epoch"});
  refused("[train]\npatience = 3\n[validate]\nevery_epochs = 0\n", {"train.patience"});
  refused("[ema]\nrestart = 'intended'\n", {"ema.restart = \"intended\"", "train.stage2_epoch"});
  refused("[ema]\nenabled = false\n[validate]\nweights = 'ema'\n",
          {"validate.weights = \"ema\"", "ema.enabled = false"});
  EXPECT_FALSE(
      error_of(kData +
               "[train]\nstage2_epoch = 20\n[optim]\nschedule = 'flat_cosine'\nflat_epochs = 20\n")
          .code);
}

TEST(LoadConfig, AllErrorsComeAtOnce) {
  // The code is that of the first.
  expect_error(
      kBadValue, kData + "batch_size = 0\nfoo = 1\n", {"optim.lr=-1"},
      {"3", "f.toml:4: data.batch_size", "f.toml:5", "data.foo", "--set optim.lr=-1: optim.lr"});
}

TEST(LoadConfig, CombinationsThatCannotWork) {
  expect_error(kMissingKey, "[run]\nseed = 1\n", {}, {"f.toml", "data.train"});
  expect_error(kMissingKey, "[data]\ntrain = 'a'\n", {}, {"f.toml", "data.val"});
  EXPECT_FALSE(error_of("[data]\ntrain = 'a'\n[validate]\nevery_epochs = 0\n").code);
  expect_error(kConflictingSettings,
               kData + "[model]\nfreeze_backbone = true\n[optim]\nbackbone_lr = 1e-5\n", {},
               {"f.toml:7", "optim.backbone_lr"});
  expect_error(kConflictingSettings,
               kData + "[model]\nfreeze_backbone = true\nfreeze_norm = false\n", {},
               {"f.toml:6", "model.freeze_norm = false"});
  expect_error(kConflictingSettings, kData + "[model]\nfreeze_backbone = true\n",
               {"model.freeze_norm=false"}, {"--set model.freeze_norm=false", "model.freeze_norm"});
  expect_error(kConflictingSettings, kData + "max_images = 3\n", {},
               {"f.toml:4", "data.max_images = 3", "data.batch_size = 4"});
  expect_error(kBadValue, kData, {"run.dir="}, {"run.dir"});
  expect_error(
      kConflictingSettings, kData + "[model]\nmax_denoising_queries = 199\n", {},
      {"f.toml:5", "model.max_denoising_queries = 199", "200", "model.num_denoising = 100"});
  EXPECT_FALSE(error_of(kData + "[model]\nmax_denoising_queries = 200\n").code);
  EXPECT_FALSE(error_of(kData + "[model]\nmax_denoising_queries = 20\nnum_denoising = 10\n").code);
  EXPECT_FALSE(error_of(kData + "[model]\nnum_denoising = 1000\n").code);  // no limit
}

TEST(LoadConfig, BrokenToml) {
  expect_error(kFormatInvalid, "[data\n", {}, {"f.toml:1"});
  expect_error(kBadValue, kData + "batch_size = = 3\n", {}, {"f.toml:4", "data.batch_size", "3"});
  expect_error(kFormatInvalid, kData + "batch_size = 3\nbatch_size = 4\n", {},
               {"TOML", "key-value", "'batch_size'"});
  EXPECT_THROW(load_config("/nowhere/a.toml"), UsageError);
  EXPECT_THROW(load_config(std::filesystem::temp_directory_path().string()), UsageError);
}

class Extends : public testing::Test {
 protected:
  /// Writes a file of the folder; gives its path.
  std::string file(const std::string& name, const std::string& text) const {
    const fs::path path(folder_ / name);
    fs::create_directories(path.parent_path());
    write_file(path, text);
    return path.string();
  }
  static void expect_error(ErrorCode code, const std::string& path, const Values& values,
                           const std::vector<std::string>& overrides = {}) {
    EXPECT_TRUE(raises<UsageError>(code, [&] { load_config(path, overrides); }, values));
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Extends, AFileChangesWhatItExtends) {
  file("all.toml", kData + "[optim]\nlr = 1\nweight_decay = 0.5\n[model]\nfreeze = ['a', 'b']\n");
  file("base/size.toml", "extends = '../all.toml'\n[model]\nsize = 'x'\n[optim]\nlr = 2\n");
  const std::string path =
      file("mine.toml", "extends = 'base/size.toml'\n[optim]\nlr = 3\n[model]\nfreeze = ['c']\n");
  const Config config = load_config(path, {"train.epochs=7"});
  EXPECT_EQ(config.data.train, "a");
  EXPECT_EQ(config.model.size, "x");
  EXPECT_EQ(config.optim.lr, 3);
  EXPECT_EQ(config.optim.weight_decay, 0.5);
  EXPECT_EQ(config.model.freeze, std::vector<std::string>{"c"});
  EXPECT_EQ(config.train.epochs, 7);
  const std::string whole = print_config(config);
  EXPECT_EQ(whole.find("extends"), std::string::npos);
  EXPECT_EQ(print_config(parse_config(whole, "whole.toml")), whole);
}

TEST_F(Extends, ErrorsNameTheFileInWhichTheKeyStands) {
  const std::string base = file("base.toml", kData + "batchsize = 3\n[optim]\nlr = 0\n");
  const std::string path = file("a.toml", "extends = 'base.toml'\n[ema]\ndecay = 2\n");
  expect_error(kUnknownKey, path, {base + ":4", "data.batchsize"});
  expect_error(kUnknownKey, path, {base + ":6: optim.lr", "0"});
  expect_error(kUnknownKey, path, {path + ":3: ema.decay", "2"});
  // Of a conflict, too.
  file("base.toml", kData + "[optim]\nscale_lr = 'sqrt'\n");
  expect_error(kConflictingSettings, file("a.toml", "extends = 'base.toml'\n"),
               {base + ":5: optim.scale_lr"});
}

TEST_F(Extends, BasesThatCannotBeRead) {
  const std::string path = file("a.toml", "extends = 'no/where.toml'\n");
  const std::string folder = fs::path(path).parent_path().string();
  expect_error(kFileMissing, path, {path + ":1: extends", folder + "/no/where.toml"});
  file("sub/b.toml", "");
  expect_error(kFileUnreadable, file("a.toml", "extends = 'sub'\n"), {"/sub"});
  expect_error(kBadValue, file("a.toml", "\nextends = 3\n"), {path + ":2: extends", "3"});
  expect_error(kBadValue, file("a.toml", "extends = base.toml\n"),
               {path + ":1: extends", "base.toml", "\"base.toml\""});
  expect_error(kUnknownKey, file("a.toml", kData + "extends = 'b.toml'\n"), {path + ":4: extends"});
  expect_error(kUnknownKey, file("a.toml", kData), {"--set extends=b.toml: extends"},
               {"extends=b.toml"});
}

TEST_F(Extends, Circles) {
  const std::string self = file("self.toml", "extends = './self.toml'\n" + kData);
  expect_error(kBadValue, self, {self + ":1: extends"});
  const std::string a = file("a.toml", "extends = 'b.toml'\n" + kData);
  const std::string b = file("b.toml", "extends = 'a.toml'\n");
  expect_error(kBadValue, a, {str_cat(b, ":1: extends ", a)});
}

/// A checkpoint's configuration is whole: it makes no program read another file.
TEST_F(Extends, NotInACheckpoint) {
  const std::string base = file("base.toml", "[optim]\nlr = 3\n");
  EXPECT_THROW(parse_saved_config(str_cat("extends = '", base, "'\n", kData), "saved"), UsageError);
}

TEST(LoadConfig, OverridesWinInTheirOrder) {
  const Config config = parse_config(
      kData + "batch_size = 2\n", "f.toml",
      {"data.batch_size=3", "data.batch_size=5", "data.image_size=[320, 480]", "run.dir=runs/a b",
       "model.size=s", "model.freeze_norm=true", "data.train=2024", "data.val=\"quoted = x\"",
       "optim.lr=1e-3", "data.shuffle=false", "model.weights="});
  EXPECT_EQ(config.data.batch_size, 5);
  EXPECT_EQ(config.data.image_size, (ImageSize{320, 480}));
  EXPECT_EQ(config.run.dir, "runs/a b");
  EXPECT_EQ(config.model.size, "s");
  EXPECT_EQ(config.model.freeze_norm, std::optional(true));
  EXPECT_EQ(config.data.train, "2024");
  EXPECT_EQ(config.data.val, "quoted = x");
  EXPECT_EQ(config.optim.lr, 1e-3);
  EXPECT_FALSE(config.data.shuffle);
  EXPECT_EQ(config.model.weights, "");
  EXPECT_FALSE(parse_config(kData, "f.toml", {"model.freeze_norm=true", "model.freeze_norm=auto"})
                   .model.freeze_norm.has_value());
}

TEST(LoadConfig, WrongOverridesAreNamed) {
  expect_error(kUsage, kData, {"data.batch_size"}, {"--set data.batch_size", "TABLE.KEY=VALUE"});
  expect_error(kUsage, kData, {"=3"}, {"--set =3", "TABLE.KEY=VALUE"});
  expect_error(kBadValue, kData, {"run.dir=gr\xfc\xdf"}, {"UTF-8"});
  expect_error(kBadValue, kData, {"run.seed=-3"}, {"--set run.seed=-3: run.seed", "-3", "0"});
  expect_error(kUnknownKey, kData, {"data.batchsize=3"},
               {"--set data.batchsize=3", "data.batchsize", "data.batch_size"});
  expect_error(kBadValue, kData, {"data.batch_size=many"},
               {"--set data.batch_size=many", "data.batch_size"});
  for (const char* missing : {"data.batch_size=", "data.batch_size= "})
    expect_error(kBadValue, kData, {missing}, {"data.batch_size", "1", "4096"});
  expect_error(kBadValue, kData, {"data.shuffle="}, {"data.shuffle", "true", "false"});
  expect_error(kBadValue, kData, {"model.size="}, {"model.size", "\"\""});
  expect_error(kBadValue, kData, {"data.batch_size=3\nw=4"}, {"data.batch_size", "3\nw=4"});
}

/// What TOML cannot read says what the key takes, not what the parser was looking for.
TEST(LoadConfig, ValuesThatAreNotToml) {
  // `allowed`: what stands behind "expected:", and what to write instead.
  const auto both = [](const std::string& table, const std::string& key, const std::string& value,
                       const Values& allowed) {
    const std::string name = table + "." + key;
    const auto expect = [&](const std::string& text, const Values& overrides,
                            const std::string& where) {
      Values values{where + ": " + name, value};
      values.insert(values.end(), allowed.begin(), allowed.end());
      expect_error(kBadValue, text, overrides, values);
    };
    expect(kData + "[" + table + "]\n" + key + " = " + value + "  # comment\n", {}, "f.toml:5");
    expect(kData, {name + "=" + value}, "--set " + name + "=" + value);
  };
  both("optim", "lr", "fast", {"number > 0"});
  both("optim", "lr", ".1", {"number > 0", "0.1"});
  both("optim", "beta1", "0,9", {"number >= 0", "< 1"});
  both("train", "epochs", "many", {"1"});
  both("train", "epochs", "050", {"1", "50"});
  both("run", "deterministic", "True", {"true", "false"});
  both("run", "deterministic", "yes", {"true", "false"});
  both("optim", "milestones", "30, 40", {"> 0", "[30, 40]"});
  both("augment", "hue", "0..1", {"[from, to]", "-0.5", "0.5"});
  expect_error(kBadValue, "[data]\ntrain = packs/train\n", {},
               {"f.toml:2", "data.train", "packs/train", "\"packs/train\""});
  expect_error(kBadValue, "[model]\nsize = s\n", {},
               {"f.toml:2", "model.size", "\"n\"", "\"s\"", "\"m\"", "\"l\"", "\"x\""});
  expect_error(kBadValue, "[data]\nimage_size = 320x320\n", {},
               {"f.toml:2", "data.image_size", "320x320", "[height, width]"});
  expect_error(kBadValue, "[ema]\ndecay = auto\n", {},
               {"f.toml:2", "ema.decay", "0", "1", "\"auto\""});
  expect_error(kBadValue, "data.train = packs/train\n", {},
               {"f.toml:1", "data.train", "packs/train"});
  expect_error(kFormatInvalid, "[data]\ntrain = \"C:\\data\"\n", {},
               {"f.toml:2", "data.train", "TOML"});
  expect_error(kUnknownKey, "[data]\nfoo = packs/train\n", {},
               {"f.toml:2", "data.foo", "packs/train", "TOML"});
  expect_error(kUnknownKey, "lr = fast\n" + kData, {}, {"f.toml:1", "optim.lr"});
  expect_error(kBadValue, kData + "[train]\nepochs = \"5\"\n", {}, {"train.epochs", "5"});
  expect_error(kBadValue, "", {"model.freeze=[abc, d]"}, {"[\"abc\", \"d\"]"});
  for (const char* none : {"None", "null"})
    expect_error(kBadValue, kData + "[model]\nweights = " + none + "\n", {},
                 {"model.weights", "\"\""});
}

TEST(LoadConfig, KeysOfEarlierVersionsNameTheirNewOnes) {
  expect_error(kUnknownKey, kData + "stop_epoch = 3\n", {},
               {"f.toml:4", "data.stop_epoch", "train.stage2_epoch"});
  expect_error(kUnknownKey, kData, {"data.on_bad=skip"},
               {"--set data.on_bad=skip", "data.on_bad", "data.on_corrupt"});
  const std::string saved = kData +
                            "on_bad = 'skip'\nmax_bad = 7\nstop_epoch = 0.5\n[train]\naccumulate = "
                            "2\nsecond_stage = true\n"
                            "epochs = 8\n[validate]\nevery_epochs = 1\n";
  const Config config = parse_saved_config(saved, "saved");
  EXPECT_EQ(config.data.on_corrupt, OnCorrupt::kSkip);
  EXPECT_EQ(config.data.max_corrupt, 7);
  EXPECT_EQ(config.train.stage2_epoch, std::optional(0.5));
  EXPECT_EQ(config.train.gradient_accumulation_steps, 2);
  EXPECT_TRUE(config.train.stage2_from_best);
  EXPECT_THROW(parse_saved_config(kData + "typo = 1\n", "saved"), UsageError);
}

TEST(LoadConfig, SeveralValuesThatAreNotTomlAreReportedAtOnce) {
  const std::string text = "[data]\ntrain = P/a\nval = P/b\ntrian = 1\n[optim]\nlr = 1.0.0\n";
  expect_error(
      kBadValue, text, {"train.epochs=many"},
      {"5", "f.toml:2: data.train", "P/a", "f.toml:3: data.val", "P/b", "f.toml:4", "data.trian",
       "f.toml:6: optim.lr", "1.0.0", "--set train.epochs=many: train.epochs"});
  expect_error(kFormatInvalid, "[data\ntrain = 'a'\n", {}, {"f.toml:1"});
}

TEST(LoadConfig, WhatIsOnlyLookedAtMayLackTheKeysOfARun) {
  EXPECT_EQ(parse_config("", "f.toml", {"optim.lr=3e-4"}, UnsetKeys::kAllowed).optim.lr, 3e-4);
  EXPECT_EQ(load_config("", {}, UnsetKeys::kAllowed).data.train, "");
  for (const char* wrong : {"[optim]\nlr = 'fast'\n", "[optim]\nrate = 1\n", "[run]\ndir = ''\n",
                            "[optim]\nscale_lr = 'sqrt'\n"})
    EXPECT_THROW(parse_config(wrong, "f.toml", {}, UnsetKeys::kAllowed), UsageError) << wrong;
}

TEST(LoadConfig, ConfigurationWithoutAFile) {
  EXPECT_EQ(load_config("", {"data.train=a", "data.val=b"}).data.train, "a");
  EXPECT_THROW(load_config(""), UsageError);
}

TEST(PrintConfig, LoadsAsTheSameConfiguration) {
  Config config;
  config.data.train = "a \"b\" \\ \n\t\x01 é # [x]";
  config.data.val = "v";
  config.optim.lr = 1.0 / 3;
  config.optim.eps = std::numeric_limits<double>::denorm_min();
  config.optim.weight_decay = 12345678.0;
  config.run.seed = std::numeric_limits<int64_t>::max();
  config.data.image_size = {320, 480};
  config.model.freeze_norm = false;
  config.checkpoint.monitor = Monitor::kAp;
  const std::string printed = print_config(config);
  const Config back = parse_config(printed, "printed");
  for (const ConfigKey& key : config_keys()) EXPECT_EQ(key.get(config), key.get(back)) << key.name;
  EXPECT_EQ(print_config(back), printed);
}

TEST(PrintConfig, HasEveryKeyWithItsDescription) {
  const std::string printed = print_config({});
  for (const ConfigKey& key : config_keys())
    EXPECT_NE(printed.find("\n" + key.key() + " = "), std::string::npos) << key.name;
  EXPECT_NE(printed.find("# Learning rate of AdamW, "), std::string::npos);
  EXPECT_NE(printed.find("Default: 1e-4."), std::string::npos);
}

}  // namespace
}  // namespace dfine
