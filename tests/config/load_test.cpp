#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "config/keys.h"
#include "config/synonyms.h"
#include "core/error.h"
#include "core/nearest.h"
#include "core/text.h"

namespace dfine {
namespace {

namespace fs = std::filesystem;

const std::string kData = "[data]\ntrain='a'\nval='b'\n";

std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse_config(text, "f.toml", overrides);
  } catch (const UsageError& e) {
    return e.message();
  }
  return "no error";
}

void expect_error(const std::string& text, const std::vector<std::string>& overrides,
                  const std::string& part) {
  const std::string message = error_of(text, overrides);
  EXPECT_NE(message.find(part), std::string::npos) << message;
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
  expect_error(kData + "\nbatchsize = 2\n", {},
               "f.toml:5: unknown key data.batchsize; did you mean data.batch_size?");
  expect_error(kData + "[optim]\nbatch_size = 2\n", {},
               "f.toml:5: unknown key optim.batch_size; did you mean data.batch_size or "
               "validate.batch_size?");
  expect_error(kData + "[optimizer]\nlr = 2\n", {},
               "f.toml:4: unknown table [optimizer]; did you mean [optim]?");
  expect_error("[dat]\ntrain = 'a'\n", {}, "f.toml:1: unknown table [dat]; did you mean [data]?");
  expect_error("[zzz]\ntrain = 'a'\n", {}, "f.toml:1: unknown table [zzz]");
  expect_error(kData + "[train]\nlr = 2\n", {},
               "f.toml:5: unknown key train.lr; did you mean optim.lr?");
  expect_error("seed = 2\n" + kData, {}, "f.toml:1: unknown key seed; did you mean run.seed?");
  expect_error(kData + "[data.train]\n", {}, "f.toml:4");
  expect_error(kData + "[run]\nzzz = 2\n", {}, "unknown key run.zzz");
  EXPECT_EQ(error_of(kData + "[run]\nzzz = 2\n").find("did you mean"), std::string::npos);
  expect_error("data = 3\n", {}, "f.toml:1: data is a table: its keys stand below a line [data]");
}

TEST(LoadConfig, TheNearestKeyIsNamed) {
  const auto suggests = [](const std::string& key, const std::string& ours) {
    expect_error(kData, {key + "=1"}, "unknown key " + key + "; did you mean " + ours + "?");
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
  expect_error(kData + "[optim]\nlr = 'fast'\n", {},
               "f.toml:5: optim.lr cannot be \"fast\" (expected: number > 0)");
  expect_error(kData + "[optim]\nlr = 0\n", {}, "optim.lr cannot be 0 ");
  expect_error(kData + "[optim]\nlr = nan\n", {}, "optim.lr cannot be nan");
  expect_error(kData + "[optim]\nlr = inf\n", {}, "optim.lr cannot be inf");
  expect_error(kData + "[optim]\nlr = [1]\n", {}, "optim.lr cannot be [1]");
  expect_error(kData + "[optim]\nlr = {a = 1}\n", {},
               "optim.lr cannot be { a = 1 } (expected: number > 0)");
  expect_error(kData + "[optim]\nlr = 2026-01-31\n", {},
               "optim.lr cannot be 2026-01-31 (expected: number > 0)");
  expect_error(kData + "[optim]\nbeta1 = 1\n", {},
               "optim.beta1 cannot be 1 (expected: number >= 0 and < 1)");
  expect_error(kData + "batch_size = 0\n", {},
               "data.batch_size cannot be 0 (expected: whole number from 1 to 4096)");
  expect_error(kData + "batch_size = 2.0\n", {}, "data.batch_size cannot be 2.0");
  expect_error(kData + "shuffle = 1\n", {}, "data.shuffle cannot be 1 (expected: true or false)");
  expect_error(kData + "[run]\ndir = 5\n", {}, "run.dir cannot be 5 (expected: text)");
  expect_error(kData + "[run]\nseed = -1\n", {}, "run.seed cannot be -1");
  expect_error(kData + "[model]\nsize = 'XL'\n", {},
               "model.size cannot be \"XL\" (expected: \"n\", \"s\", \"m\", \"l\" or \"x\")");
  expect_error(kData + "[model]\nfreeze_norm = 'yes'\n", {},
               "model.freeze_norm cannot be \"yes\" (expected: true, false or \"auto\")");
  for (const char* size : {"650", "0", "-32", "[640]", "[640, 641]", "[640, 640, 640]", "640.0",
                           "'640'", "[640.0, 640.0]", "8192"})
    expect_error(kData + "image_size = " + size + "\n", {}, "f.toml:4: data.image_size");
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
    expect_error(kData + "[augment]\n" + wrong + "\n", {}, " cannot be ");
  expect_error(
      kData + "[augment]\nhue = ['a', 'b']\n", {},
      "augment.hue cannot be [\"a\", \"b\"] (expected: [from, to], numbers from -0.5 to 0.5)");
  expect_error(kData + "[augment]\nhue = [0, 'b']\n", {},
               "augment.hue cannot be [ 0, 'b' ] (expected: [from, to]");
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
  expect_error(kData + "[optim]\nno_decay = ['(']\n", {}, "no regular expression");
  expect_error(kData + "[optim]\nno_decay = [1, 2]\n", {}, "list of regular expressions");
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
  expect_error(kData + "multiscale = true\nimage_size = 32\n", {},
               "data.multiscale needs a data.image_size of at least 64");
  EXPECT_EQ(error_of(kData + "multiscale = true\nimage_size = [32, 64]\n"), "no error");
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
  expect_error(kData + "[ema]\ndecay = 1\n", {},
               "ema.decay cannot be 1 (expected: number >= 0 and < 1 or \"auto\"");
  expect_error(kData + "[ema]\nwarmup_steps = -1\n", {}, "ema.warmup_steps cannot be -1");
  expect_error(kData + "[optim]\nwarmup_steps = 'all'\n", {},
               "optim.warmup_steps cannot be \"all\"");
}

TEST(LoadConfig, Milestones) {
  EXPECT_EQ(parse_config(kData + "[optim]\nschedule = 'multistep'\nmilestones = [30, 40.5]\n", "f")
                .optim.milestones,
            (std::vector<double>{30, 40.5}));
  expect_error(kData + "[optim]\nschedule = 'multistep'\nmilestones = [40, 30]\n", {},
               "optim.milestones cannot be [40, 30]");
  expect_error(kData + "[optim]\nschedule = 'multistep'\nmilestones = [0, 30]\n", {},
               "optim.milestones cannot be [0, 30]");
}

TEST(LoadConfig, WhatDoesNotGoTogether) {
  const auto refused = [](const std::string& tables, const std::string& message) {
    expect_error(kData + tables, {}, message);
  };
  refused("[optim]\nscale_lr = 'sqrt'\n", "optim.scale_lr needs optim.base_batch");
  refused("[optim]\nscale_schedule = true\n", "optim.scale_schedule needs optim.base_batch");
  refused("[optim]\nwarmup_epochs = 1\nwarmup_steps = 5\n",
          "optim.warmup_epochs and optim.warmup_steps are both set");
  refused("[optim]\nschedule = 'multistep'\n", "needs optim.milestones");
  refused("[optim]\nmilestones = [3]\n", "optim.milestones are set, but");
  refused("[optim]\nschedule = 'flat_cosine'\nflat_epochs = 60\n",
          "the flat part of optim.schedule");
  refused("[train]\nstage2_from_best = true\n", "train.stage2_from_best needs train.stage2_epoch");
  refused("[train]\npatience = 3\n[validate]\nevery_epochs = 0\n",
          "train.patience counts validations");
  refused("[ema]\nrestart = 'intended'\n", "ema.restart = \"intended\" needs train.stage2_epoch");
  refused("[ema]\nenabled = false\n[validate]\nweights = 'ema'\n",
          "validate.weights = \"ema\", but ema.enabled = false");
  EXPECT_EQ(
      error_of(kData +
               "[train]\nstage2_epoch = 20\n[optim]\nschedule = 'flat_cosine'\nflat_epochs = 20\n"),
      "no error");
}

TEST(LoadConfig, AllErrorsComeAtOnce) {
  const std::string message = error_of(kData + "batch_size = 0\nfoo = 1\n", {"optim.lr=-1"});
  for (const char* part :
       {"3 errors", "f.toml:4: data.batch_size", "f.toml:5: unknown key data.foo",
        "--set optim.lr=-1: optim.lr cannot be -1"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(LoadConfig, CombinationsThatCannotWork) {
  expect_error("[run]\nseed = 1\n", {}, "f.toml: data.train is not set");
  expect_error("[data]\ntrain = 'a'\n", {}, "f.toml: data.val is not set");
  EXPECT_EQ(error_of("[data]\ntrain = 'a'\n[validate]\nevery_epochs = 0\n"), "no error");
  expect_error(kData + "[model]\nfreeze_backbone = true\n[optim]\nbackbone_lr = 1e-5\n", {},
               "f.toml:7: optim.backbone_lr is set, but");
  expect_error(kData + "[model]\nfreeze_backbone = true\nfreeze_norm = false\n", {},
               "f.toml:6: model.freeze_norm = false, but");
  expect_error(kData + "[model]\nfreeze_backbone = true\n", {"model.freeze_norm=false"},
               "--set model.freeze_norm=false: model.freeze_norm");
  expect_error(kData + "max_images = 3\n", {},
               "f.toml:4: data.max_images = 3 does not fill one batch of data.batch_size = 4");
  expect_error(kData, {"run.dir="}, "run.dir is empty");
  expect_error(kData + "[model]\nmax_denoising_queries = 199\n", {},
               "f.toml:5: model.max_denoising_queries = 199 is less than the 200 queries that "
               "model.num_denoising = 100 makes");
  EXPECT_EQ(error_of(kData + "[model]\nmax_denoising_queries = 200\n"), "no error");
  EXPECT_EQ(error_of(kData + "[model]\nmax_denoising_queries = 20\nnum_denoising = 10\n"),
            "no error");
  EXPECT_EQ(error_of(kData + "[model]\nnum_denoising = 1000\n"), "no error");  // no limit
}

TEST(LoadConfig, BrokenToml) {
  expect_error("[data\n", {}, "f.toml:1:");
  expect_error(kData + "batch_size = = 3\n", {}, "f.toml:4: data.batch_size cannot be = 3");
  expect_error(kData + "batch_size = 3\nbatch_size = 4\n", {},
               "not TOML: Error while parsing key-value pair: cannot redefine existing integer "
               "'batch_size'");
  EXPECT_THROW(load_config("/nowhere/a.toml"), UsageError);
  EXPECT_THROW(load_config(std::filesystem::temp_directory_path().string()), UsageError);
}

class Extends : public testing::Test {
 protected:
  ~Extends() override { fs::remove_all(folder_); }

  /// Writes a file of the folder; gives its path.
  std::string file(const std::string& name, const std::string& text) const {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  std::string error(const std::string& path, const std::vector<std::string>& overrides = {}) const {
    try {
      load_config(path, overrides);
    } catch (const UsageError& e) {
      return e.message();
    }
    return "no error";
  }
  void expect_error(const std::string& path, const std::string& part) const {
    EXPECT_THAT(error(path), testing::HasSubstr(part));
  }

 private:
  fs::path folder_ = fs::temp_directory_path() / str_cat("dfine_extends_", getpid());
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
  expect_error(path, base + ":4: unknown key data.batchsize");
  expect_error(path, base + ":6: optim.lr cannot be 0");
  expect_error(path, path + ":3: ema.decay cannot be 2");
  // Of a conflict, too.
  file("base.toml", kData + "[optim]\nscale_lr = 'sqrt'\n");
  expect_error(file("a.toml", "extends = 'base.toml'\n"), base + ":5: optim.scale_lr needs");
}

TEST_F(Extends, BasesThatCannotBeRead) {
  const std::string path = file("a.toml", "extends = 'no/where.toml'\n");
  const std::string folder = fs::path(path).parent_path().string();
  expect_error(path, str_cat(path, ":1: extends: cannot read the configuration ", folder,
                             "/no/where.toml; its path starts at the folder of ", path));
  file("sub/b.toml", "");
  expect_error(file("a.toml", "extends = 'sub'\n"), "/sub is a folder");
  expect_error(file("a.toml", "\nextends = 3\n"), path + ":2: extends cannot be 3 (expected: ");
  expect_error(file("a.toml", "extends = base.toml\n"),
               path +
                   ":1: extends cannot be base.toml (expected: the path of a configuration file, "
                   "as text); write \"base.toml\"");
  expect_error(file("a.toml", kData + "extends = 'b.toml'\n"),
               path + ":4: extends stands in a configuration file, above its first table");
  EXPECT_THAT(error(file("a.toml", kData), {"extends=b.toml"}),
              testing::HasSubstr("--set extends=b.toml: extends stands in a configuration file"));
}

TEST_F(Extends, Circles) {
  const std::string self = file("self.toml", "extends = './self.toml'\n" + kData);
  expect_error(self, self + ":1: extends ");
  expect_error(self, "in turn: take one extends away");
  const std::string a = file("a.toml", "extends = 'b.toml'\n" + kData);
  const std::string b = file("b.toml", "extends = 'a.toml'\n");
  expect_error(a, str_cat(b, ":1: extends ", a, ", which extends this file in turn"));
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
  expect_error(kData, {"data.batch_size"}, "--set data.batch_size: a setting is TABLE.KEY=VALUE");
  expect_error(kData, {"=3"}, "--set =3: a setting is TABLE.KEY=VALUE");
  expect_error(kData, {"run.dir=gr\xfc\xdf"}, "is not UTF-8");
  expect_error(kData, {"data.batchsize=3"},
               "--set data.batchsize=3: unknown key data.batchsize; did you mean data.batch_size?");
  expect_error(kData, {"data.batch_size=many"}, "--set data.batch_size=many: data.batch_size");
  for (const char* missing : {"data.batch_size=", "data.batch_size= "})
    expect_error(kData, {missing},
                 "the value of data.batch_size is missing (expected: whole number from 1 to 4096)");
  expect_error(kData, {"data.shuffle="},
               "the value of data.shuffle is missing (expected: true or false)");
  expect_error(kData, {"model.size="}, "model.size cannot be \"\"");
  expect_error(kData, {"data.batch_size=3\nw=4"},
               "data.batch_size cannot be 3\nw=4 (expected: whole number");
}

/// What TOML cannot read says what the key takes, not what the parser was looking for.
TEST(LoadConfig, ValuesThatAreNotToml) {
  const auto both = [](const std::string& table, const std::string& key, const std::string& value,
                       const std::string& message) {
    const std::string wanted = table + "." + key + " cannot be " + value + " (expected: " + message;
    expect_error(kData + "[" + table + "]\n" + key + " = " + value + "  # comment\n", {},
                 "f.toml:5: " + wanted);
    expect_error(kData, {table + "." + key + "=" + value},
                 "--set " + table + "." + key + "=" + value + ": " + wanted);
  };
  both("optim", "lr", "fast", "number > 0)");
  both("optim", "lr", ".1", "number > 0); write 0.1");
  both("optim", "beta1", "0,9", "number >= 0 and < 1)");
  both("train", "epochs", "many", "whole number of at least 1)");
  both("train", "epochs", "050", "whole number of at least 1); write 50");
  both("run", "deterministic", "True", "true or false); write true");
  both("run", "deterministic", "yes", "true or false); write true");
  both("optim", "milestones", "30, 40",
       "list of numbers > 0, each larger than the one before); write [30, 40]");
  both("augment", "hue", "0..1", "[from, to], numbers from -0.5 to 0.5)");
  expect_error(
      "[data]\ntrain = packs/train\n", {},
      "f.toml:2: data.train cannot be packs/train (expected: text); write \"packs/train\"");
  expect_error("[model]\nsize = s\n", {},
               "f.toml:2: model.size cannot be s (expected: \"n\", \"s\", \"m\", \"l\" or \"x\"); "
               "write \"s\"");
  expect_error(
      "[data]\nimage_size = 320x320\n", {},
      "f.toml:2: data.image_size cannot be 320x320 (expected: a number, or [height, width];");
  expect_error("[ema]\ndecay = auto\n", {},
               "f.toml:2: ema.decay cannot be auto (expected: number >= 0 and < 1 or \"auto\"); "
               "write \"auto\"");
  expect_error("data.train = packs/train\n", {}, "f.toml:1: data.train cannot be packs/train");
  expect_error("[data]\ntrain = \"C:\\data\"\n", {}, "f.toml:2: data.train: not TOML: ");
  expect_error("[data]\ntrain = \"C:\\data\"\n", {},
               "text with backslashes stands in single quotes");
  expect_error("[data]\nfoo = packs/train\n", {},
               "f.toml:2: unknown key data.foo; its value packs/train is not TOML: ");
  expect_error("lr = fast\n" + kData, {}, "f.toml:1: unknown key lr; did you mean optim.lr?");
  expect_error(kData + "[train]\nepochs = \"5\"\n", {}, "write 5");
  expect_error("", {"model.freeze=[abc, d]"}, "write [\"abc\", \"d\"]");
  for (const char* none : {"None", "null"})
    expect_error(kData + "[model]\nweights = " + none + "\n", {}, "; write \"\"");
}

TEST(LoadConfig, KeysOfEarlierVersionsNameTheirNewOnes) {
  expect_error(kData + "stop_epoch = 3\n", {},
               "f.toml:4: data.stop_epoch is now called train.stage2_epoch");
  expect_error(kData, {"data.on_bad=skip"},
               "--set data.on_bad=skip: data.on_bad is now called data.on_corrupt");
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
  expect_error(text, {"train.epochs=many"}, "5 errors in the configuration:");
  for (const char* part : {"f.toml:2: data.train cannot be P/a", "f.toml:3: data.val cannot be P/b",
                           "f.toml:4: unknown key data.trian", "f.toml:6: optim.lr cannot be 1.0.0",
                           "--set train.epochs=many: train.epochs cannot be many"})
    expect_error(text, {"train.epochs=many"}, part);
  expect_error("[data\ntrain = 'a'\n", {}, "f.toml:1:");
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
