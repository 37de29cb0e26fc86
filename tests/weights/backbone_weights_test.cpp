#include "weights/backbone_weights.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "model/dfine.h"
#include "support/files.h"
#include "support/raises.h"
#include "weights/official_names.h"
#include "weights/pth.h"
#include "weights/safetensors.h"
#include "weights/weights.h"

namespace dfine {
using enum ErrorCode;
namespace {

using Tensors = std::map<std::string, Tensor>;

/// The backbone of a model of this size as the official code names it, with new values.
Tensors official_backbone(ModelSize size) {
  const at::NoGradGuard no_grad;
  const DFine model(model_spec(size, 4), 1);
  Tensors backbone;
  for (const auto& [name, tensor] : named_tensors(model))
    if (name.starts_with("model.backbone."))
      backbone.emplace(official_name(name).substr(std::string("backbone.").size()),
                       tensor.detach() + 1);
  return backbone;
}

class BackboneWeights : public testing::Test {
 protected:
  Caught error_of(const Tensors& weights) {
    write_pth(folder_ / "b.pth", to_pth(weights));
    return catch_error([&] { load_backbone_weights(folder_ / "b.pth", own_); });
  }

  const TemporaryFolder folder_;
  const DFine model_{model_spec(ModelSize::kS, 4), 2};
  const Tensors own_ = named_tensors(model_);
};

TEST_F(BackboneWeights, FillTheBackboneAndNothingElse) {
  Tensors weights = official_backbone(ModelSize::kN);  // the network of S
  const Tensor bias = own_.at("model.enc_score_head.bias").detach().clone();
  weights["stem.stem1.bn.num_batches_tracked"] = at::zeros({}, at::kLong);
  weights["head.fc.weight"] = at::zeros({10, 4});
  weights["last_conv.weight"] = at::zeros({10, 4});
  write_safetensors(folder_ / "b.safetensors", weights);
  load_backbone_weights(folder_ / "b.safetensors", own_);
  for (const auto& [name, tensor] : weights) {
    const std::string published = published_backbone_name(name);
    if (published.empty() || name.ends_with("num_batches_tracked")) continue;
    EXPECT_TRUE(at::equal(own_.at(published), tensor)) << name;
  }
  EXPECT_TRUE(at::equal(own_.at("model.enc_score_head.bias"), bias));
}

TEST_F(BackboneWeights, WhatDoesNotFitIsListedAndNothingIsChanged) {
  const Tensor before =
      own_.at("model.backbone.model.embedder.stem1.convolution.weight").detach().clone();
  Tensors weights = official_backbone(ModelSize::kN);
  weights.erase("stem.stem2a.bn.bias");
  weights["stages.0.more"] = at::zeros({1});
  weights["stem.stem3.bn.bias"] = at::zeros({3});
  weights["stem.stem4.bn.bias"] = weights["stem.stem4.bn.bias"].to(at::kHalf);
  EXPECT_TRUE(error_of(weights).is(
      kWeightsMismatch, "4", "embedder.stem2a.normalization.bias: missing", "stages.0.more",
      "stem3.normalization.bias: shape [3]", "stem4.normalization.bias: type"));
  EXPECT_TRUE(at::equal(own_.at("model.backbone.model.embedder.stem1.convolution.weight"), before));
}

TEST_F(BackboneWeights, AnotherNetworkIsNamed) {
  EXPECT_TRUE(error_of(official_backbone(ModelSize::kL))
                  .is(kWeightsMismatch, "HGNetv2-B0", "HGNetv2-B4", "D-FINE-l"));
  Tensors detector = official_backbone(ModelSize::kN);
  detector["model.decoder.up"] = at::zeros({1});
  EXPECT_TRUE(error_of(detector).is(kWeightsUnsupported, "model.weights"));
}

TEST(PublishedBackboneName, OfficialTimmAndTransformers) {
  const std::string layer = "model.backbone.model.encoder.stages.2.blocks.1.layers.0.conv1.";
  EXPECT_EQ(published_backbone_name("stages.2.blocks.1.layers.0.conv1.bn.weight"),
            layer + "normalization.weight");
  EXPECT_EQ(published_backbone_name(
                "hgnet_v2.encoder.stages.2.blocks.1.layers.0.conv1.convolution.weight"),
            layer + "convolution.weight");
  EXPECT_EQ(published_backbone_name("embedder.stem1.lab.scale"),
            "model.backbone.model.embedder.stem1.lab.scale");
  EXPECT_EQ(published_backbone_name("head.last_conv.0.weight"), "");
  EXPECT_EQ(published_backbone_name("fc.bias"), "");
}

}  // namespace
}  // namespace dfine
