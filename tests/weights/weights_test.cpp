#include "weights/weights.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "support/python.h"
#include "support/raises.h"
#include "weights/safetensors.h"

namespace dfine {
using enum ErrorCode;
namespace {

using Tensors = std::map<std::string, Tensor>;

Tensor numbers(at::IntArrayRef shape, double start) {
  return (at::arange(c10::multiply_integers(shape)) + start).to(at::kFloat).reshape(shape);
}

/// A few tensors with the names of a model of `classes` classes.
Tensors small_model(int64_t classes, double start) {
  return {{"model.backbone.model.embedder.stem1.convolution.weight", numbers({4, 3, 2, 2}, start)},
          {"model.encoder.lateral_convs.0.norm.num_batches_tracked",
           at::full({}, static_cast<int64_t>(start), at::kLong)},
          {"model.enc_score_head.weight", numbers({classes, 6}, start)},
          {"model.enc_score_head.bias", numbers({classes}, start)},
          {"model.decoder.class_embed.0.weight", numbers({classes, 6}, start)},
          {"model.decoder.class_embed.0.bias", numbers({classes}, start)},
          {"model.denoising_class_embed.weight", numbers({classes + 1, 6}, start)},
          {"model.decoder.layers.0.fc1.weight", numbers({8, 6}, start)}};
}

Caught error_of(const std::string& path, const Tensors& model) {
  return catch_error([&] { load_weights(path, model); });
}

// The spellings of transformers' models in memory and of its files.
TEST(PublishedName, OtherSpellings) {
  EXPECT_EQ(published_name("class_embed.2.weight"), "model.decoder.class_embed.2.weight");
  EXPECT_EQ(published_name("bbox_embed.0.layers.1.bias"),
            "model.decoder.bbox_embed.0.layers.1.bias");
  EXPECT_EQ(published_name("model.decoder.layers.1.self_attn.o_proj.bias"),
            "model.decoder.layers.1.self_attn.out_proj.bias");
  EXPECT_EQ(published_name("model.encoder.aifi.0.layers.0.mlp.layers.1.bias"),
            "model.encoder.encoder.0.layers.0.fc2.bias");
  EXPECT_EQ(published_name("model.decoder.layers.11.mlp.layers.0.weight"),
            "model.decoder.layers.11.fc1.weight");
  for (const char* published :
       {"model.decoder.class_embed.0.bias", "model.decoder.layers.0.fc1.weight",
        "model.enc_bbox_head.layers.0.weight",
        "model.encoder.encoder.0.layers.0.self_attn.out_proj.weight"})
    EXPECT_EQ(published_name(published), published);
}

TEST(LoadWeights, FromFileAndFolder) {
  const TemporaryFolder folder;
  write_safetensors(folder / "model.safetensors", small_model(5, 100));
  for (const std::string& path : {folder / "model.safetensors", folder / ""}) {
    const Tensors model = small_model(5, 0);
    load_weights(path, model);
    for (const auto& [name, tensor] : small_model(5, 100))
      EXPECT_TRUE(at::equal(model.at(name), tensor)) << name;
  }
}

TEST(LoadWeights, KeepsTheModelsMemoryFormat) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", small_model(5, 100));
  Tensors model = small_model(5, 0);
  Tensor& weight = model["model.backbone.model.embedder.stem1.convolution.weight"];
  weight = weight.contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  load_weights(folder / "a.safetensors", model);
  EXPECT_TRUE(weight.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(at::equal(weight, numbers({4, 3, 2, 2}, 100)));
}

TEST(LoadWeights, OtherSpellingsAndTwins) {
  const TemporaryFolder folder;
  Tensors given = small_model(5, 100);
  given["class_embed.0.weight"] = given["model.decoder.class_embed.0.weight"].clone();
  auto renamed = given.extract("model.decoder.layers.0.fc1.weight");
  renamed.key() = "model.decoder.layers.0.mlp.layers.0.weight";
  given.insert(std::move(renamed));
  write_safetensors(folder / "a.safetensors", given);
  const Tensors model = small_model(5, 0);
  load_weights(folder / "a.safetensors", model);
  EXPECT_TRUE(at::equal(model.at("model.decoder.layers.0.fc1.weight"), numbers({8, 6}, 100)));
  given["class_embed.0.weight"].add_(1);
  write_safetensors(folder / "a.safetensors", given);
  EXPECT_TRUE(
      error_of(folder / "a.safetensors", model)
          .is(kWeightsMismatch, "model.decoder.class_embed.0.weight", " class_embed.0.weight"));
}

TEST(LoadWeights, ModelsMadeWithoutDenoising) {
  const TemporaryFolder folder;
  Tensors given = small_model(5, 100);
  given.erase("model.denoising_class_embed.weight");
  write_safetensors(folder / "a.safetensors", given);
  const Tensors model = small_model(5, 0);
  load_weights(folder / "a.safetensors", model);
  EXPECT_TRUE(
      at::equal(model.at("model.denoising_class_embed.weight"), numbers({6, 6}, 0)));  // as it was
  EXPECT_TRUE(at::equal(model.at("model.enc_score_head.weight"), numbers({5, 6}, 100)));
}

TEST(LoadWeights, ModelsWithoutDenoisingTakeNoClassEmbedding) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", small_model(5, 100));
  Tensors model = small_model(5, 0);
  model.erase("model.denoising_class_embed.weight");
  load_weights(folder / "a.safetensors", model);
  EXPECT_TRUE(at::equal(model.at("model.enc_score_head.weight"), numbers({5, 6}, 100)));
}

TEST(LoadWeights, BatchCountersMayDiffer) {
  const TemporaryFolder folder;
  Tensors given = small_model(5, 100);
  given.erase("model.encoder.lateral_convs.0.norm.num_batches_tracked");
  given["model.backbone.model.embedder.stem1.normalization.num_batches_tracked"] =
      at::full({}, int64_t{3}, at::kLong);
  write_safetensors(folder / "a.safetensors", given);
  const Tensors model = small_model(5, 7);
  load_weights(folder / "a.safetensors", model);
  EXPECT_EQ(model.at("model.encoder.lateral_convs.0.norm.num_batches_tracked").item<int64_t>(), 7);
}

TEST(LoadWeights, OtherPrecisionsAreConverted) {
  const TemporaryFolder folder;
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16, at::kDouble}) {
    Tensors given = small_model(5, 100);
    given["model.enc_score_head.weight"] = at::full({5, 6}, 1.5).to(type);
    write_safetensors(folder / "a.safetensors", given);
    const Tensors model = small_model(5, 0);
    load_weights(folder / "a.safetensors", model);
    EXPECT_TRUE(at::equal(model.at("model.enc_score_head.weight"), at::full({5, 6}, 1.5)));
  }
}

TEST(LoadWeights, ValuesThatAreNotFiniteAreRefused) {
  const TemporaryFolder folder;
  for (const float value : {NAN, INFINITY}) {
    Tensors given = small_model(5, 100);
    given["model.enc_score_head.weight"][2][3] = value;
    write_safetensors(folder / "a.safetensors", given);
    EXPECT_TRUE(error_of(folder / "a.safetensors", small_model(5, 0))
                    .is(kNotFinite, "a.safetensors", "model.enc_score_head.weight"));
  }
}

TEST(LoadWeights, EveryMismatchIsListedAndNothingLoaded) {
  const TemporaryFolder folder;
  Tensors given = small_model(5, 100);
  given["model.decoder.layers.0.fc1.weight"] = at::zeros({9, 6});
  given["model.backbone.model.embedder.stem1.convolution.weight"] =
      at::zeros({4, 3, 2, 2}, at::kLong);
  given["model.enc_score_head.weight"] =
      at::zeros({80, 6});  // other classes: not without a plan for the rows
  given["model.extra"] = at::zeros({1});
  given.erase("model.enc_score_head.bias");
  write_safetensors(folder / "a.safetensors", given);
  const Tensors model = small_model(5, 0);
  EXPECT_TRUE(error_of(folder / "a.safetensors", model)
                  .is(kWeightsMismatch, "a.safetensors", "5", "model.decoder.layers.0.fc1.weight",
                      "[9, 6]", "[8, 6]", "stem1.convolution.weight", "long", "float",
                      "model.enc_score_head.weight", "[80, 6]", "model.extra",
                      "model.enc_score_head.bias", "[5]"));
  for (const auto& [name, tensor] : small_model(5, 0))
    EXPECT_TRUE(at::equal(model.at(name), tensor)) << name;
}

TEST(LoadWeights, PathsThatAreNoWeights) {
  const TemporaryFolder folder;
  EXPECT_TRUE(error_of(folder / "none", {}).is(kFileMissing, folder / "none"));
  EXPECT_TRUE(error_of(folder / "", {}).is(kFileMissing, folder / "", "model.safetensors"));
  std::ofstream(folder / "x.onnx") << "x";
  EXPECT_TRUE(error_of(folder / "x.onnx", {}).is(kFormatInvalid, "x.onnx", ".safetensors"));
}

TEST(LoadWeights, FolderOfARunNamesItsCheckpoints) {
  const TemporaryFolder folder;
  const auto expect_hint = [&](const std::string& path, const std::string& checkpoints) {
    EXPECT_TRUE(raises(kFileMissing, [&] { weights_file(path); }, checkpoints));
  };
  const auto add = [&](const std::string& checkpoint) {
    std::filesystem::create_directories(folder / checkpoint);
    write_safetensors(folder / (checkpoint + "/model.safetensors"), small_model(5, 100));
  };
  const std::string run = folder / "run", best = run + "/checkpoints/best",
                    last = run + "/checkpoints/last";
  std::filesystem::create_directories(run + "/checkpoints");
  expect_hint(run, "RUN_DIR/checkpoints/best");
  add("run/checkpoints/last");
  expect_hint(run, "give " + last);
  add("run/checkpoints/best");
  expect_hint(run, best + " or " + last);
  expect_hint(run + "/checkpoints", best + " or " + last);
}

}  // namespace
}  // namespace dfine
