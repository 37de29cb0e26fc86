#include "train/checkpoint/checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/text.h"
#include "files/atomic_path.h"
#include "model/dfine.h"
#include "optim/ema.h"
#include "support/file_size_limit.h"
#include "support/python.h"
#include "support/raises.h"
#include "train/checkpoint/busy_run.h"
#include "train/checkpoint/checkpoint_store.h"
#include "train/checkpoint/old_checkpoint.h"
#include "train/checkpoint/small_checkpoint.h"
#include "weights/folder_manifest.h"
#include "weights/pth.h"
#include "weights/safetensors.h"
#include "weights/weights.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

Caught error_of(const fs::path& dir) {
  return catch_error([&] { load_checkpoint(dir); });
}

void expect_same(const std::map<std::string, Tensor>& a, const std::map<std::string, Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
}

/// As many as there are names in `folder`, hidden ones too.
int64_t entries_of(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

/// Another bit in the byte at `offset`.
void damage(const fs::path& file, size_t offset) {
  std::string bytes = read_file(file);
  bytes.at(offset) ^= 1;
  fs::remove(file);  // another checkpoint may have a link to it
  write_file(file, bytes);
}

TEST(Checkpoint, ComesBackAsSaved) {
  const TemporaryFolder folder;
  Checkpoint saved = small_checkpoint(7);
  saved.run = busy_run(7);
  save_checkpoint(folder / "a/b/step-7", saved);
  const Checkpoint loaded = load_checkpoint(folder / "a/b/step-7");
  expect_same(loaded.run, saved.run);
  expect_same(loaded.learner.model, saved.learner.model);
  ASSERT_TRUE(loaded.learner.ema);
  expect_same(loaded.learner.ema->tensors, saved.learner.ema->tensors);
  EXPECT_EQ(loaded.learner.ema->updates, 7);
  EXPECT_EQ(loaded.description.class_names, saved.description.class_names);
  EXPECT_EQ(loaded.description.category_ids, saved.description.category_ids);
  ASSERT_EQ(loaded.learner.optimizer.groups.size(), 1u);
  EXPECT_EQ(loaded.learner.optimizer.groups[0].names, saved.learner.optimizer.groups[0].names);
  EXPECT_EQ(loaded.learner.optimizer.groups[0].indices, saved.learner.optimizer.groups[0].indices);
  EXPECT_EQ(loaded.learner.optimizer.groups[0].hyper.lr,
            saved.learner.optimizer.groups[0].hyper.lr);
  EXPECT_TRUE(at::equal(loaded.learner.optimizer.moments.at(0).exp_avg,
                        saved.learner.optimizer.moments.at(0).exp_avg));
}

TEST(Checkpoint, WhatIsUnknownComesBackAsUnknown) {
  const TemporaryFolder folder;
  Checkpoint saved = small_checkpoint(0);
  save_checkpoint(folder / "a", saved);
  const RunState loaded = load_checkpoint(folder / "a").run;
  EXPECT_TRUE(std::isnan(loaded.val_loss));
  EXPECT_FALSE(loaded.best);
  EXPECT_FALSE(loaded.best_stage1);
  saved.run.best = RunState::Best{.monitor = Monitor::kAp, .value = NAN, .epoch = 0, .step = 0};
  save_checkpoint(folder / "b", saved);
  const auto best = load_checkpoint(folder / "b").run.best;
  ASSERT_TRUE(best);
  EXPECT_TRUE(std::isnan(best->value));
  EXPECT_TRUE(std::isnan(best->val_loss));
}

// state.pth has what a learner needs; what the run counts stands in manifest.json.
TEST(Checkpoint, StateHoldsTheLearnerOnly) {
  const TemporaryFolder folder;
  Checkpoint saved = small_checkpoint(7);
  saved.run.epoch = 3;
  save_checkpoint(folder / "a", saved);
  std::vector<std::string> keys;
  const PthValue::Dict state = read_pth(folder / "a/state.pth");
  for (const auto& [key, value] : state) keys.push_back(std::get<std::string>(key));
  EXPECT_EQ(keys, (std::vector<std::string>{"ema", "epoch", "format_version", "model_state_dict",
                                            "optimizer_state_dict", "scaler", "step", "val_loss"}));
  EXPECT_EQ(state.at("format_version").as_int(), 2);
  EXPECT_EQ(state.at("step").as_int(), 7);
  EXPECT_EQ(state.at("epoch").as_int(), 3);
  const auto manifest = nlohmann::json::parse(read_file(folder / "a/manifest.json"));
  EXPECT_EQ(manifest.at("run").at("step"), 7);
  EXPECT_EQ(manifest.at("written_by").at("process"), static_cast<int64_t>(::getpid()));
  for (const char* name : {"config.json", "preprocessor_config.json", "model.safetensors",
                           "state.pth", "metrics.json"})
    EXPECT_EQ(manifest.at("files").at(name).at("size"),
              fs::file_size(fs::path(folder / "a") / name));
  EXPECT_EQ(manifest.at("files").size(), 5U);
}

TEST(Checkpoint, ReplacesNothing) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "a", small_checkpoint(1));
  EXPECT_TRUE(raises(
      kFileChanged, [&] { save_checkpoint(folder / "a", small_checkpoint(2)); }, folder / "a"));
  EXPECT_EQ(load_checkpoint(folder / "a").run.step, 1);
  EXPECT_EQ(entries_of(folder / ""), 1);
}

TEST(Checkpoint, TheWeightsToUseAreTheAverages) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint(1);
  save_checkpoint(folder / "a", checkpoint);
  expect_same(read_safetensors(folder / "a/model.safetensors"), checkpoint.learner.ema->tensors);
  checkpoint.learner.ema.reset();
  save_checkpoint(folder / "b", checkpoint);
  expect_same(read_safetensors(folder / "b/model.safetensors"), checkpoint.learner.model);
  const Checkpoint loaded = load_checkpoint(folder / "b");
  EXPECT_FALSE(loaded.learner.ema);
  EXPECT_EQ(loaded.run.weights, WeightsKind::kRaw);
  EXPECT_EQ(nlohmann::json::parse(read_file(folder / "b/manifest.json")).at("run").at("weights"),
            "raw");
}

TEST(Checkpoint, OrTheRawWeightsWhereTheyAreBetter) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint(1);
  save_checkpoint(folder / "a", checkpoint);
  EXPECT_EQ(load_checkpoint(folder / "a").run.weights, WeightsKind::kEma);
  checkpoint.run.weights = WeightsKind::kRaw;
  save_checkpoint(folder / "b", checkpoint);
  expect_same(read_safetensors(folder / "b/model.safetensors"), checkpoint.learner.model);
  const Checkpoint loaded = load_checkpoint(folder / "b");
  EXPECT_EQ(loaded.run.weights, WeightsKind::kRaw);
  expect_same(loaded.learner.ema->tensors, checkpoint.learner.ema->tensors);
  EXPECT_EQ(nlohmann::json::parse(read_file(folder / "b/manifest.json")).at("run").at("weights"),
            "raw");
}

TEST(Checkpoint, TheAveragesRestartIsPartOfIt) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint(1);
  save_checkpoint(folder / "a", checkpoint);
  EXPECT_EQ(load_checkpoint(folder / "a").learner.ema->restarted_decay, std::nullopt);
  checkpoint.learner.ema->restarted_decay = 0.9997;
  save_checkpoint(folder / "b", checkpoint);
  EXPECT_EQ(load_checkpoint(folder / "b").learner.ema->restarted_decay, 0.9997);
}

TEST(Checkpoint, MetricsLieBesideTheWeights) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint(7);
  checkpoint.run.epoch = 3;  // of the last step: 2
  checkpoint.run.weights = WeightsKind::kRaw;
  checkpoint.run.validations = {{WeightsKind::kEma, 2, 6, {{"val_loss", 3.5}, {"ap", -1}}},
                                {WeightsKind::kRaw, 2, 6, {{"val_loss", NAN}, {"ap", 0.1}}}};
  save_checkpoint(folder / "a", checkpoint);
  std::ifstream in(folder / "a/metrics.json");
  EXPECT_EQ(nlohmann::json::parse(in),
            nlohmann::json::parse(R"({"step": 7, "epoch": 2, "weights": "raw", "validations": [
      {"weights": "ema", "step": 6, "epoch": 2, "metrics": {"val_loss": 3.5, "ap": -1}},
      {"weights": "raw", "step": 6, "epoch": 2, "metrics": {"val_loss": null, "ap": 0.1}}]})"));
  const auto loaded = load_checkpoint(folder / "a").run.validations;
  ASSERT_EQ(loaded.size(), 2U);
  EXPECT_EQ(loaded[0].metrics, checkpoint.run.validations[0].metrics);
  EXPECT_EQ(loaded[1].weights, WeightsKind::kRaw);
  EXPECT_EQ(loaded[1].step, 6);
  EXPECT_TRUE(std::isnan(loaded[1].metrics[0].second));
  checkpoint.run.epoch_samples = 1;  // of the last step: 3
  save_checkpoint(folder / "b", checkpoint);
  EXPECT_EQ(nlohmann::json::parse(read_file(folder / "b/metrics.json")).at("epoch"), 3);
}

TEST(OldCheckpoint, ComesBackAsSaved) {
  const TemporaryFolder folder;
  Checkpoint saved = small_checkpoint(7);
  saved.run.validations = {{WeightsKind::kRaw, 2, 6, {{"val_loss", 3.5}}}};
  const OldRun run{.step = 7,
                   .epoch = 3,
                   .epoch_step = 2,
                   .val_loss = 12.5,
                   .best = RunState::Best{Monitor::kAp, 0.25, 2, 5, 2.5},
                   .weights = "raw",
                   .world_size = 4,
                   .config = "[run]\nseed = 11\n"};
  save_old_checkpoint(folder / "last", saved, run);
  const Checkpoint loaded = load_checkpoint(folder / "last");
  RunState expected;
  expected.step = 7;
  expected.epoch = 3;
  expected.epoch_samples = 2;  // still steps
  expected.val_loss = 12.5;
  expected.best = run.best;
  expected.weights = WeightsKind::kRaw;
  expected.world_size = 4;
  expected.config = run.config;
  expect_same(loaded.run, expected);
  ASSERT_EQ(loaded.run.validations.size(), 1U);
  EXPECT_EQ(loaded.run.validations[0].metrics, saved.run.validations[0].metrics);
  expect_same(loaded.learner.model, saved.learner.model);
  expect_same(loaded.learner.ema->tensors, saved.learner.ema->tensors);
  EXPECT_EQ(loaded.learner.optimizer.groups.at(0).names,
            saved.learner.optimizer.groups.at(0).names);
}

// As its first builds wrote them.
TEST(OldCheckpoint, WithoutTheNewerEntries) {
  const TemporaryFolder folder;
  for (const bool average : {true, false}) {
    const fs::path old = folder / (average ? "average" : "raw");
    Checkpoint checkpoint = small_checkpoint(1);
    if (!average) checkpoint.learner.ema.reset();
    save_old_checkpoint(old, checkpoint,
                        {.step = 1, .best = RunState::Best{Monitor::kValLoss, 2.5, 0, 1, 2.5}},
                        {"weights", "scaler"});
    PthValue::Dict state = read_pth(old / "state.pth");
    if (average)
      state["ema"] =
          PthValue::Dict{{"state_dict", state.at("ema").at("state_dict")}, {"updates", 1}};
    PthValue::Dict best = state.at("best").as_dict();
    best.erase("val_loss");
    state["best"] = best;
    write_pth(old / "state.pth", state);
    fs::remove(old / "metrics.json");
    const Checkpoint loaded = load_checkpoint(old);
    EXPECT_EQ(loaded.run.weights, average ? WeightsKind::kEma : WeightsKind::kRaw);
    EXPECT_TRUE(loaded.run.validations.empty());
    ASSERT_TRUE(loaded.run.best);
    EXPECT_TRUE(std::isnan(loaded.run.best->val_loss));
    EXPECT_EQ(loaded.learner.ema ? loaded.learner.ema->restarted_decay : std::nullopt,
              std::nullopt);
  }
}

TEST(OldCheckpoint, ItsMetricsHadAnotherName) {
  const TemporaryFolder folder;
  save_old_checkpoint(folder / "a", small_checkpoint(7), {.step = 7});
  write_file(folder / "a/metrics.json",
             R"({"step": 7, "validations": [{"weights": "raw", "step": 6, "epoch": 2,)"
             R"( "figures": {"ap": 0.5}}]})");
  EXPECT_EQ(load_checkpoint(folder / "a").run.validations.at(0).metrics,
            (std::vector<std::pair<std::string, double>>{{"ap", 0.5}}));
  write_file(folder / "a/metrics.json", R"({"validations": [{"weights": "both"}]})");
  EXPECT_TRUE(error_of(folder / "a").is(kFileDamaged, "metrics.json"));
}

TEST(OldCheckpoint, WhatIsWrongIsNamed) {
  const TemporaryFolder folder;
  int n = 0;
  for (const char* entry : {"step", "epoch", "epoch_step", "val_loss", "best", "world_size",
                            "config", "model_state_dict", "optimizer_state_dict", "ema"}) {
    const std::string old = folder / str_cat("lacks-", ++n);
    save_old_checkpoint(old, small_checkpoint(1), {}, {entry});
    EXPECT_TRUE(error_of(old).is(kFileDamaged, old + "/state.pth", entry));
  }
  for (const auto& [entry, code] :
       {std::pair{"weights", kFileDamaged}, std::pair{"format_version", kVersionMismatch}}) {
    const std::string old = folder / str_cat("wrong-", ++n);
    save_old_checkpoint(old, small_checkpoint(1), {});
    PthValue::Dict state = read_pth(old + "/state.pth");
    state[entry] = entry == std::string("weights") ? PthValue("both") : PthValue(3);
    write_pth(old + "/state.pth", state);
    EXPECT_TRUE(error_of(old).is(code, old + "/state.pth"));
  }
  for (const char* name :
       {"config.json", "preprocessor_config.json", "model.safetensors", "state.pth"}) {
    const fs::path old = folder / str_cat("cut-", ++n);
    save_old_checkpoint(old, small_checkpoint(1), {});
    EXPECT_FALSE(error_of(old).code);
    fs::resize_file(old / name, fs::file_size(old / name) / 2);
    const auto damaged = error_of(old);
    EXPECT_TRUE(damaged.code == kFileDamaged || damaged.code == kFormatInvalid) << damaged.text;
    EXPECT_TRUE(names(damaged.text, name));
    fs::remove(old / name);
    EXPECT_TRUE(error_of(old).is(kFileMissing, name));
  }
}

const std::string kHead = "decoder.class_embed.0.weight";

Checkpoint checkpoint_with_heads() {
  Checkpoint checkpoint = small_checkpoint(1);
  checkpoint.learner.model["model." + kHead] = at::full({3, 8}, 4.f);
  checkpoint.learner.model["model.decoder.bbox_embed.1.layers.2.bias"] = at::full({4}, 5.f);
  for (const char* part : {"class_embed.0.weight", "bbox_embed.1.layers.2.bias"})
    checkpoint.learner.ema->tensors[str_cat("model.decoder.", part)] =
        checkpoint.learner.model.at(str_cat("model.decoder.", part)) + 1;
  return checkpoint;
}

// transformers 4.57 wants both names of a tied tensor (tests/e2e/state_dict_test.py); here each
// tensor has one.
TEST(Checkpoint, TiedTensorsStandUnderBothNames) {
  const TemporaryFolder folder;
  const Checkpoint saved = checkpoint_with_heads();
  save_checkpoint(folder / "a", saved);
  PthValue::Dict state = read_pth(folder / "a/state.pth");
  for (const PthValue& dict : {state.at("model_state_dict"), state.at("ema").at("state_dict")}) {
    EXPECT_EQ(dict.as_dict().size(), saved.learner.model.size() + 2);
    for (const char* name : {"class_embed.0.weight", "bbox_embed.1.layers.2.bias"})
      EXPECT_TRUE(at::equal(dict.at(name).as_tensor(),
                            dict.at(str_cat("model.decoder.", name)).as_tensor()))
          << name;
  }
  const Checkpoint loaded = load_checkpoint(folder / "a");
  expect_same(loaded.learner.model, saved.learner.model);
  expect_same(loaded.learner.ema->tensors, saved.learner.ema->tensors);
  expect_same(read_safetensors(folder / "a/model.safetensors"), saved.learner.ema->tensors);

  // Only of folders without checksums could one of the two be changed.
  save_old_checkpoint(folder / "old", saved, {.step = 1});
  state = read_pth(folder / "old/state.pth");
  PthValue::Dict tensors = state.at("model_state_dict").as_dict();
  tensors["class_embed.0.weight"] = at::full({3, 8}, 4.5f);
  state["model_state_dict"] = tensors;
  write_pth(folder / "old/state.pth", state);
  EXPECT_TRUE(error_of(folder / "old")
                  .is(kFileDamaged, "class_embed.0.weight", "model.decoder.class_embed.0.weight"));
  state["model_state_dict"] = to_pth(saved.learner.model);  // as it was before
  state["ema"] = PthValue::Dict{{"state_dict", to_pth(saved.learner.ema->tensors)}, {"updates", 1}};
  write_pth(folder / "old/state.pth", state);
  expect_same(load_checkpoint(folder / "old").learner.model, saved.learner.model);
  expect_same(load_checkpoint(folder / "old").learner.ema->tensors, saved.learner.ema->tensors);
}

// Training without denoising once saved a class embedding that nothing used.
TEST(OldCheckpoint, WithoutDenoisingAnOldClassEmbeddingIsDropped) {
  const TemporaryFolder folder;
  for (const int64_t num_denoising : {0, 100}) {
    Checkpoint checkpoint = small_checkpoint(1);
    checkpoint.description.spec.num_denoising = num_denoising;
    for (auto* tensors : {&checkpoint.learner.model, &checkpoint.learner.ema->tensors})
      (*tensors)["model.denoising_class_embed.weight"] = at::zeros({4, 128});
    const std::string old = folder / str_cat(num_denoising);
    save_old_checkpoint(old, checkpoint, {.step = 1});
    const Checkpoint loaded = load_checkpoint(old);
    EXPECT_EQ(loaded.description.spec.num_denoising, num_denoising);
    EXPECT_EQ(loaded.learner.model.contains("model.denoising_class_embed.weight"),
              num_denoising > 0);
    EXPECT_EQ(loaded.learner.ema->tensors.contains("model.denoising_class_embed.weight"),
              num_denoising > 0);
  }
}

TEST(Checkpoint, WhatIsMissingOrDamagedIsNamed) {
  const TemporaryFolder folder;
  EXPECT_TRUE(error_of(folder / "none").is(kFileMissing, folder / "none"));
  for (const char* name : {"config.json", "preprocessor_config.json", "model.safetensors",
                           "state.pth", "metrics.json"}) {
    const fs::path saved = folder / str_cat("of-", name), file = saved / name;
    save_checkpoint(saved, small_checkpoint(1));
    EXPECT_FALSE(error_of(saved).code);
    const std::string bytes = read_file(file);
    for (const size_t offset : {size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
      damage(file, offset);
      EXPECT_TRUE(error_of(saved).is(kFileDamaged, file.string())) << offset;
      write_file(file, bytes);
    }
    fs::resize_file(file, bytes.size() - 1);
    EXPECT_TRUE(error_of(saved).is(kFileDamaged, file.string(), str_cat(bytes.size() - 1),
                                   str_cat(bytes.size())));
    write_file(file, bytes + " ");
    EXPECT_TRUE(error_of(saved).is(kFileDamaged, file.string()));
    fs::remove(file);
    EXPECT_TRUE(error_of(saved).is(kFileMissing, name));
  }
}

// A folder of version 0.1 has none, and is read without checksums.
TEST(Checkpoint, ItsManifestMayNotBeMissing) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "a", small_checkpoint(1));
  fs::remove(folder / "a/manifest.json");
  EXPECT_TRUE(error_of(folder / "a").is(kFileMissing, "manifest.json"));
}

TEST(Checkpoint, EveryByteOfItsManifestCounts) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint(1);
  checkpoint.run = busy_run(1);
  save_checkpoint(folder / "a", checkpoint);
  const fs::path file = folder / "a/manifest.json";
  const std::string text = read_file(file);
  ASSERT_NE(text.find("\n  "), std::string::npos);  // whitespace counts too
  const auto expect_named = [&](const std::string& changed, size_t offset) {
    write_file(file, changed);
    const Caught error = error_of(folder / "a");
    EXPECT_TRUE(error.code == kFileDamaged || error.code == kFormatInvalid)
        << offset << ": " << error.text;
    EXPECT_TRUE(names(error.text, file.string())) << offset;
  };
  for (size_t offset = 0; offset < text.size(); ++offset) {
    std::string changed = text;
    changed[offset] ^= 1;
    expect_named(changed, offset);
  }
  expect_named(text.substr(0, text.size() - 1), text.size());
  expect_named(text + "\n", text.size());
  expect_named("", 0);
  write_file(file, text);
  EXPECT_FALSE(error_of(folder / "a").code);
}

TEST(Checkpoint, AFailedSaveLeavesNothing) {
  const TemporaryFolder folder;
  Checkpoint wrong = small_checkpoint(2);
  wrong.learner.model["complex"] = at::zeros({1}, at::kComplexFloat);
  wrong.learner.ema.reset();
  EXPECT_THROW(save_checkpoint(folder / "a/b", wrong), Error);
  EXPECT_TRUE(fs::is_empty(folder / ""));
  const SaveOptions options{
      .same_step = {}, .before_commit = [] { throw Error(kRunFolderBusy, "another job has it"); }};
  EXPECT_TRUE(raises(kRunFolderBusy,
                     [&] { save_checkpoint(folder / "a/b", small_checkpoint(1), options); }));
  EXPECT_TRUE(fs::is_empty(folder / ""));
  save_checkpoint(folder / "a/b", small_checkpoint(1));
  EXPECT_EQ(load_checkpoint(folder / "a/b").run.step, 1);
}

TEST(Checkpoint, BeforeItsNameAllIsWritten) {
  const TemporaryFolder folder;
  bool called = false;
  save_checkpoint(folder / "a", small_checkpoint(1),
                  {.same_step = {}, .before_commit = [&] {
                     called = true;
                     EXPECT_FALSE(fs::exists(folder / "a"));
                     const fs::path whole = fs::directory_iterator(folder / "")->path();
                     EXPECT_EQ(load_checkpoint(whole).run.step, 1);
                   }});
  EXPECT_TRUE(called);
}

// The disk is full at one byte after another: within config.json, model.safetensors, state.pth's
// tensors and the end of its archive.
TEST(Checkpoint, AFullDiskNamesTheFileAndLeavesNothing) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "before", small_checkpoint(1));
  const auto bytes_of = [&](const char* name) {
    return fs::file_size(fs::path(folder / "before") / name);
  };
  const auto expect_named = [&](uintmax_t limit, const std::string& file,
                                const SaveOptions& options) {
    Caught error;
    {
      const FileSizeLimit full(limit);
      error = catch_error([&] { save_checkpoint(folder / "next", small_checkpoint(1), options); });
    }
    EXPECT_TRUE(error.is(kWriteFailed, "/" + file, std::strerror(EFBIG), folder / "next", "hint"))
        << limit;
    EXPECT_EQ(entries_of(folder / ""), 1) << limit;
  };
  const auto config = bytes_of("config.json"), model = bytes_of("model.safetensors"),
             state = bytes_of("state.pth");
  ASSERT_LT(config, model);
  ASSERT_LT(2 * model, state);
  const std::vector<std::pair<uintmax_t, std::string>> limits{
      {config - 1, "config.json"}, {config, "model.safetensors"}, {model - 1, "model.safetensors"},
      {model, "state.pth"},        {state / 2, "state.pth"},      {state - 200, "state.pth"},
      {state - 1, "state.pth"}};
  for (const auto& [limit, file] : limits) expect_named(limit, file, {});
  // Nothing but the two small files is written beside a checkpoint of the same step.
  const SaveOptions linked{.same_step = folder / "before"};
  const auto metrics = bytes_of("metrics.json"), manifest = bytes_of("manifest.json");
  ASSERT_LT(metrics, manifest);
  expect_named(metrics - 1, "metrics.json", linked);
  expect_named(metrics, "manifest.json", linked);
  expect_named(manifest / 2, "manifest.json", linked);

  EXPECT_EQ(load_checkpoint(folder / "before").run.step, 1);
  save_checkpoint(folder / "next", small_checkpoint(2));
  EXPECT_EQ(load_checkpoint(folder / "next").run.step, 2);
}

TEST(SameStep, UnchangedFilesAreLinks) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint(3);
  save_checkpoint(folder / "step", checkpoint);
  checkpoint.run.validations = {{WeightsKind::kEma, 0, 3, {{"ap", 0.5}}}};
  checkpoint.run.val_loss = 1.5;
  const auto links = [&](const std::string& of, const char* name) {
    return fs::hard_link_count(fs::path(folder / of) / name);
  };
  save_checkpoint(folder / "same", checkpoint, {.same_step = folder / "step"});
  for (const char* name :
       {"config.json", "preprocessor_config.json", "model.safetensors", "state.pth"})
    EXPECT_EQ(links("same", name), 2U) << name;
  for (const char* name : {"metrics.json", "manifest.json"}) EXPECT_EQ(links("same", name), 1U);
  Checkpoint loaded = load_checkpoint(folder / "same");
  EXPECT_EQ(loaded.run.val_loss, 1.5);
  ASSERT_EQ(loaded.run.validations.size(), 1U);
  EXPECT_TRUE(std::isnan(load_checkpoint(folder / "step").run.val_loss));

  // The raw weights turned out better.
  checkpoint.run.weights = WeightsKind::kRaw;
  save_checkpoint(folder / "raw", checkpoint, {.same_step = folder / "step"});
  EXPECT_EQ(links("raw", "model.safetensors"), 1U);
  EXPECT_EQ(links("raw", "state.pth"), 3U);
  expect_same(read_safetensors(folder / "raw/model.safetensors"), checkpoint.learner.model);
  expect_same(read_safetensors(folder / "step/model.safetensors"), checkpoint.learner.ema->tensors);
  loaded = load_checkpoint(folder / "raw");
  EXPECT_EQ(loaded.run.weights, WeightsKind::kRaw);
  expect_same(loaded.learner.ema->tensors, checkpoint.learner.ema->tensors);

  // What is removed of one stays in the other.
  fs::remove_all(folder / "step");
  EXPECT_EQ(load_checkpoint(folder / "same").run.step, 3);
}

TEST(SameStep, OfAFolderWithoutAManifestNothingIsLinked) {
  const TemporaryFolder folder;
  save_old_checkpoint(folder / "old", small_checkpoint(3), {.step = 3});
  save_checkpoint(folder / "new", small_checkpoint(3), {.same_step = folder / "old"});
  EXPECT_EQ(fs::hard_link_count(folder / "new/state.pth"), 1U);
  EXPECT_EQ(load_checkpoint(folder / "new").run.step, 3);
}

// A program that writes checkpoints without end is killed at many moments: every folder that has
// its name must be whole.
TEST(Checkpoint, KilledWhileSavingLeavesWholeOnes) {
  const TemporaryFolder folder;
  const auto begin = std::chrono::steady_clock::now();
  save_checkpoint(folder / "timed", small_checkpoint(0));
  const auto one_save = std::chrono::steady_clock::now() - begin;
  const std::string program = std::string(std::getenv("DFINE_BINARY_DIR")) + "/checkpoint_writer";
  std::string run = folder / "run";
  const CheckpointStore store(run);
  constexpr int kRounds = 8;
  int64_t newest = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string first = std::to_string(newest + 1);
    std::vector<char*> arguments{const_cast<char*>(program.c_str()), run.data(), first.data(),
                                 nullptr};
    pid_t child = 0;
    ASSERT_EQ(posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ), 0);
    for (int waited = 0; waited < 30000 && !fs::exists(store.folder() / "started"); ++waited)
      ::usleep(1000);
    std::this_thread::sleep_for(one_save * round /
                                (kRounds / 2));  // at another moment of a later save each time
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    fs::remove(store.folder() / "started");
    const auto found = store.list();
    ASSERT_FALSE(found.empty());
    EXPECT_GT(found.front().step, newest);
    newest = found.front().step;
    for (const CheckpointName& name : found) {
      const Checkpoint loaded = load_checkpoint(store.path(name));
      EXPECT_EQ(loaded.run.step, name.step);
      expect_same(loaded.learner.model, small_checkpoint(name.step).learner.model);
      expect_same(read_safetensors((store.path(name) / "model.safetensors").string()),
                  small_checkpoint(name.step).learner.ema->tensors);
      fs::remove_all(store.path(name));
    }
    remove_leftovers_in(run);
    EXPECT_TRUE(fs::is_empty(run));
  }
}

TEST(RestoreTensors, ListsEveryDifference) {
  const Tensor a = at::zeros({2}), b = at::zeros({3}), c = at::zeros({4});
  const std::map<std::string, Tensor> model{{"a", a}, {"b", b}, {"c", c}};
  try {
    restore_tensors({{"a", at::full({2}, 1.f)}, {"b", at::zeros({4})}, {"d", at::zeros({1})}},
                    model);
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    for (const char* part :
         {"b: float [4], the model has float [3]", "c: missing", "d: the model has no such tensor"})
      EXPECT_NE(e.message().find(part), std::string::npos) << e.message();
  }
  EXPECT_EQ(a.sum().item<float>(), 0);
  restore_tensors({{"a", at::full({2}, 1.f)}, {"b", at::full({3}, 1.f)}, {"c", at::full({4}, 1.f)}},
                  model);
  EXPECT_EQ((a.sum() + b.sum() + c.sum()).item<float>(), 9);
}

// A real model after one optimizer step and one update of the EMA, opened with transformers and
// PyTorch.
TEST(CheckpointPython, TransformersAndPyTorchOpenIt) {
  const TemporaryFolder folder;
  DFine model(model_spec(ModelSize::kN, 3), /*seed=*/1);
  const auto tensors = named_tensors(model);
  ParameterGroup group{{}, {}, {.lr = 1e-3, .weight_decay = 1e-4}};
  for (const auto& item : model.named_parameters()) {
    group.names.push_back(item.key());
    group.parameters.push_back(item.value());
  }
  AdamW optimizer({group});
  Ema ema(tensors, 0.9, 0);
  const auto set_gradients = [&](double phase) {
    for (const Tensor& parameter : group.parameters)
      if (parameter.requires_grad())
        Tensor(parameter).mutable_grad() =
            at::sin(at::arange(parameter.numel(), at::kFloat) + phase).reshape(parameter.sizes());
  };
  set_gradients(0);
  optimizer.step();
  ema.update();
  Checkpoint checkpoint;
  checkpoint.description = {model.spec(), {"red cell", "white cell", "platelet"}, {1, 2, 3}};
  checkpoint.learner.model = tensors;
  checkpoint.learner.optimizer = optimizer.state();
  checkpoint.learner.ema =
      LearnerState::EmaState{ema.averages(), ema.updates(), ema.restarted_decay()};
  checkpoint.run.epoch = 4;
  checkpoint.run.step = 9;
  save_checkpoint(folder / "last", checkpoint);

  std::map<std::string, Tensor> expected;
  for (const auto& [name, tensor] : tensors) expected["raw." + name] = tensor.detach().clone();
  for (const auto& [name, tensor] : ema.averages()) expected["ema." + name] = tensor;
  set_gradients(0.5);
  optimizer.step();
  for (size_t i = 0; i < group.parameters.size(); ++i) {
    if (group.parameters[i].grad().defined())
      expected[str_cat("grad.", i)] = group.parameters[i].grad();
    expected[str_cat("next.", i)] = group.parameters[i];
  }
  write_safetensors(folder / "expected.safetensors", expected);
  run_python_file_or_skip(source_file("tests/train/checkpoint/checkpoint_check.py"),
                          {folder / "last", folder / "expected.safetensors"});
  if (IsSkipped()) return;
  // And back: what transformers saved loads into a new model.
  DFine other(model_spec(ModelSize::kN, 3), /*seed=*/2);
  load_weights(folder / "last-again", named_tensors(other));
  expect_same(named_tensors(other), ema.averages());
}

}  // namespace
}  // namespace dfine
