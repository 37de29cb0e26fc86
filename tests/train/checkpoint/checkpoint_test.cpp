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
#include "model/dfine.h"
#include "optim/ema.h"
#include "support/file_size_limit.h"
#include "support/python.h"
#include "support/raises.h"
#include "train/checkpoint/small_checkpoint.h"
#include "weights/pth.h"
#include "weights/safetensors.h"
#include "weights/weights.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

Caught error_of(const std::string& dir) {
  return catch_error([&] { load_checkpoint(dir); });
}

void expect_same(const std::map<std::string, Tensor>& a, const std::map<std::string, Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
}

TEST(Checkpoint, ComesBackAsSaved) {
  const TemporaryFolder folder;
  Checkpoint saved = small_checkpoint(7);
  saved.run.epoch = 3;
  saved.run.epoch_step = 2;
  saved.run.best = RunState::Best{Monitor::kAp, 0.25, 2, 5};
  saved.run.world_size = 4;
  saved.run.config = "[run]\nseed = 11\n";
  save_checkpoint(folder / "a/b/last", saved);
  const Checkpoint loaded = load_checkpoint(folder / "a/b/last");
  EXPECT_EQ(loaded.run.step, 7);
  EXPECT_EQ(loaded.run.epoch, 3);
  EXPECT_EQ(loaded.run.epoch_step, 2);
  EXPECT_EQ(loaded.run.world_size, 4);
  EXPECT_EQ(loaded.run.config, saved.run.config);
  EXPECT_TRUE(std::isnan(loaded.run.val_loss));
  ASSERT_TRUE(loaded.run.best);
  EXPECT_EQ(loaded.run.best->monitor, Monitor::kAp);
  EXPECT_EQ(loaded.run.best->value, 0.25);
  EXPECT_EQ(loaded.run.best->epoch, 2);
  EXPECT_EQ(loaded.run.best->step, 5);
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

TEST(Checkpoint, TheWeightsToUseAreTheAverages) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint(1);
  save_checkpoint(folder / "a", checkpoint);
  expect_same(read_safetensors(folder / "a/model.safetensors"), checkpoint.learner.ema->tensors);
  checkpoint.learner.ema.reset();
  save_checkpoint(folder / "a", checkpoint);
  expect_same(read_safetensors(folder / "a/model.safetensors"), checkpoint.learner.model);
  EXPECT_FALSE(load_checkpoint(folder / "a").learner.ema);
}

TEST(Checkpoint, OrTheRawWeightsWhereTheyAreBetter) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint(1);
  EXPECT_EQ((save_checkpoint(folder / "a", checkpoint), load_checkpoint(folder / "a").run.weights),
            WeightsKind::kEma);
  checkpoint.run.weights = WeightsKind::kRaw;
  save_checkpoint(folder / "a", checkpoint);
  expect_same(read_safetensors(folder / "a/model.safetensors"), checkpoint.learner.model);
  const Checkpoint loaded = load_checkpoint(folder / "a");
  EXPECT_EQ(loaded.run.weights, WeightsKind::kRaw);
  expect_same(loaded.learner.ema->tensors, checkpoint.learner.ema->tensors);
  EXPECT_EQ(read_pth(folder / "a/state.pth").at("weights").as_string(), "raw");
}

TEST(Checkpoint, TheAveragesRestartIsPartOfIt) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint(1);
  save_checkpoint(folder / "a", checkpoint);
  EXPECT_EQ(load_checkpoint(folder / "a").learner.ema->restarted_decay, std::nullopt);
  checkpoint.learner.ema->restarted_decay = 0.9997;
  save_checkpoint(folder / "a", checkpoint);
  EXPECT_EQ(load_checkpoint(folder / "a").learner.ema->restarted_decay, 0.9997);
}

TEST(Checkpoint, MetricsLieBesideTheWeights) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint(7);
  checkpoint.run.epoch = 3;
  checkpoint.run.weights = WeightsKind::kRaw;
  checkpoint.run.validations = {{WeightsKind::kEma, 2, 6, {{"val_loss", 3.5}, {"ap", -1}}},
                                {WeightsKind::kRaw, 2, 6, {{"val_loss", NAN}, {"ap", 0.1}}}};
  save_checkpoint(folder / "a", checkpoint);
  std::ifstream in(folder / "a/metrics.json");
  EXPECT_EQ(nlohmann::json::parse(in),
            nlohmann::json::parse(R"({"step": 7, "epoch": 3, "weights": "raw", "validations": [
      {"weights": "ema", "step": 6, "epoch": 2, "metrics": {"val_loss": 3.5, "ap": -1}},
      {"weights": "raw", "step": 6, "epoch": 2, "metrics": {"val_loss": null, "ap": 0.1}}]})"));
  const auto loaded = load_checkpoint(folder / "a").run.validations;
  ASSERT_EQ(loaded.size(), 2U);
  EXPECT_EQ(loaded[0].metrics, checkpoint.run.validations[0].metrics);
  EXPECT_EQ(loaded[1].weights, WeightsKind::kRaw);
  EXPECT_EQ(loaded[1].step, 6);
  EXPECT_TRUE(std::isnan(loaded[1].metrics[0].second));
  // As earlier versions wrote them.
  std::ofstream(folder / "a/metrics.json")
      << R"({"step": 7, "validations": [{"weights": "raw", "step": 6, "epoch": 2,)"
      << R"( "figures": {"ap": 0.5}}]})";
  EXPECT_EQ(load_checkpoint(folder / "a").run.validations.at(0).metrics,
            (std::vector<std::pair<std::string, double>>{{"ap", 0.5}}));
  std::ofstream(folder / "a/metrics.json") << R"({"validations": [{"weights": "both"}]})";
  EXPECT_TRUE(error_of(folder / "a").is(kFileDamaged, "metrics.json"));
}

// As the first versions wrote them.
TEST(Checkpoint, FoldersWithoutTheNewerEntries) {
  const TemporaryFolder folder;
  for (const bool average : {true, false}) {
    Checkpoint checkpoint = small_checkpoint(1);
    if (!average) checkpoint.learner.ema.reset();
    save_checkpoint(folder / "a", checkpoint);
    PthValue::Dict state = read_pth(folder / "a/state.pth");
    state.erase("weights");
    if (average)
      state["ema"] =
          PthValue::Dict{{"state_dict", state.at("ema").at("state_dict")}, {"updates", 1}};
    write_pth(folder / "a/state.pth", state);
    fs::remove(folder / "a/metrics.json");
    const Checkpoint loaded = load_checkpoint(folder / "a");
    EXPECT_EQ(loaded.run.weights, average ? WeightsKind::kEma : WeightsKind::kRaw);
    EXPECT_TRUE(loaded.run.validations.empty());
    EXPECT_EQ(loaded.learner.ema ? loaded.learner.ema->restarted_decay : std::nullopt,
              std::nullopt);
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

  PthValue::Dict tensors = state.at("model_state_dict").as_dict();
  tensors["class_embed.0.weight"] = at::full({3, 8}, 4.5f);
  state["model_state_dict"] = tensors;
  write_pth(folder / "a/state.pth", state);
  EXPECT_TRUE(error_of(folder / "a")
                  .is(kFileDamaged, "class_embed.0.weight", "model.decoder.class_embed.0.weight"));
  state["model_state_dict"] = to_pth(saved.learner.model);  // as it was before
  state["ema"] = PthValue::Dict{{"state_dict", to_pth(saved.learner.ema->tensors)}, {"updates", 1}};
  write_pth(folder / "a/state.pth", state);
  expect_same(load_checkpoint(folder / "a").learner.model, saved.learner.model);
  expect_same(load_checkpoint(folder / "a").learner.ema->tensors, saved.learner.ema->tensors);
}

// Training without denoising once saved a class embedding that nothing used.
TEST(Checkpoint, WithoutDenoisingAnOldClassEmbeddingIsDropped) {
  const TemporaryFolder folder;
  for (const int64_t num_denoising : {0, 100}) {
    Checkpoint checkpoint = small_checkpoint(1);
    checkpoint.description.spec.num_denoising = num_denoising;
    for (auto* tensors : {&checkpoint.learner.model, &checkpoint.learner.ema->tensors})
      (*tensors)["model.denoising_class_embed.weight"] = at::zeros({4, 128});
    save_checkpoint(folder / "a", checkpoint);
    const Checkpoint loaded = load_checkpoint(folder / "a");
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
  for (const char* name :
       {"config.json", "preprocessor_config.json", "model.safetensors", "state.pth"}) {
    save_checkpoint(folder / "a", small_checkpoint(1));
    EXPECT_FALSE(error_of(folder / "a").code);
    fs::resize_file(fs::path(folder / "a") / name,
                    fs::file_size(fs::path(folder / "a") / name) / 2);
    const auto damaged = error_of(folder / "a");
    EXPECT_TRUE(damaged.code == kFileDamaged || damaged.code == kFormatInvalid) << damaged.text;
    EXPECT_TRUE(names(damaged.text, name));
    fs::remove(fs::path(folder / "a") / name);
    EXPECT_TRUE(error_of(folder / "a").is(kFileMissing, name));
  }
}

TEST(Checkpoint, AFailedSaveKeepsTheOldOne) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "last", small_checkpoint(1));
  Checkpoint wrong = small_checkpoint(2);
  wrong.learner.model["complex"] = at::zeros({1}, at::kComplexFloat);
  wrong.learner.ema.reset();
  EXPECT_THROW(save_checkpoint(folder / "last", wrong), Error);
  EXPECT_EQ(load_checkpoint(folder / "last").run.step, 1);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / ""), fs::directory_iterator()), 1);
}

// The disk is full at one byte after another: within config.json, model.safetensors, state.pth's
// tensors and the end of its archive.
TEST(Checkpoint, AFullDiskNamesTheFileAndLeavesTheOldOneAlone) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "last", small_checkpoint(1));
  const auto bytes_of = [&](const char* name) {
    return fs::file_size(fs::path(folder / "last") / name);
  };
  const auto config = bytes_of("config.json"), model = bytes_of("model.safetensors"),
             state = bytes_of("state.pth");
  ASSERT_LT(config, model);
  ASSERT_LT(2 * model, state);
  const std::vector<std::pair<uintmax_t, std::string>> limits{
      {config - 1, "config.json"}, {config, "model.safetensors"}, {model - 1, "model.safetensors"},
      {model, "state.pth"},        {state / 2, "state.pth"},      {state - 200, "state.pth"},
      {state - 1, "state.pth"}};
  for (const auto& [limit, file] : limits) {
    Caught error;
    {
      const FileSizeLimit full(limit);
      error = catch_error([&] { save_checkpoint(folder / "last", small_checkpoint(2)); });
    }
    EXPECT_TRUE(error.is(kWriteFailed, "/" + file, std::strerror(EFBIG), folder / "last", "hint"))
        << limit;
    EXPECT_EQ(std::distance(fs::directory_iterator(folder / ""), fs::directory_iterator()), 1)
        << limit;
  }
  EXPECT_EQ(load_checkpoint(folder / "last").run.step, 1);
  save_checkpoint(folder / "last", small_checkpoint(2));
  EXPECT_EQ(load_checkpoint(folder / "last").run.step, 2);
}

// A program that replaces `last` without end is killed at many moments; what it leaves must always
// be one whole checkpoint.
TEST(Checkpoint, KilledWhileSavingLeavesAWholeOne) {
  const TemporaryFolder folder;
  const auto begin = std::chrono::steady_clock::now();
  save_checkpoint(folder / "last", small_checkpoint(0));
  const auto one_save = std::chrono::steady_clock::now() - begin;
  const std::string program = std::string(std::getenv("DFINE_BINARY_DIR")) + "/checkpoint_writer",
                    last = folder / "last";
  constexpr int kRounds = 8;
  int64_t newest = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string first = std::to_string(newest + 1);
    std::vector<char*> arguments{const_cast<char*>(program.c_str()),
                                 const_cast<char*>(last.c_str()), first.data(), nullptr};
    pid_t child = 0;
    ASSERT_EQ(posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ), 0);
    for (int waited = 0; waited < 30000 && !fs::exists(folder / "last.started"); ++waited)
      ::usleep(1000);
    std::this_thread::sleep_for(one_save * round /
                                (kRounds / 2));  // at another moment of a later save each time
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    fs::remove(folder / "last.started");
    const Checkpoint loaded = load_checkpoint(folder / "last");
    EXPECT_GT(loaded.run.step, newest);
    newest = loaded.run.step;
    expect_same(loaded.learner.model, small_checkpoint(loaded.run.step).learner.model);
    expect_same(read_safetensors(folder / "last/model.safetensors"),
                small_checkpoint(loaded.run.step).learner.ema->tensors);
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
  checkpoint.run.val_loss = 12.5;
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
