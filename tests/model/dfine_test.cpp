// What the network promises beyond its arithmetic, which transformers_test.py, heads_test.py
// and tests/loss compare with references.
#include "model/dfine.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "model/freezing.h"
#include "small_spec.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

Tensor some_images(int64_t height, int64_t width, int64_t batch = 2) {
  return at::rand({batch, 3, height, width}, at::make_generator<at::CPUGeneratorImpl>(1),
                  at::kFloat);
}

DenoisingQueries some_denoising(const ModelSpec& spec) {
  DenoisingQueries queries;
  queries.meta = {.groups = 2, .max_boxes = 3};
  queries.labels = at::arange(24, at::kLong).remainder(spec.num_classes + 1).view({2, 12});
  queries.boxes_unact = at::linspace(-2, 2, 96).view({2, 12, 4});
  return queries;
}

Tensor sum_of_all(const ModelOutput& out) {
  return out.decoder.logits.sum() + out.decoder.boxes.sum() + out.decoder.corners.square().sum() +
         out.enc.logits.sum() + out.enc.boxes.sum();
}

std::set<std::string> names_of(const DFine& model) {
  std::set<std::string> names;
  for (const auto& item : model.named_parameters())
    EXPECT_TRUE(names.insert(item.key()).second) << item.key();
  for (const auto& item : model.named_buffers())
    EXPECT_TRUE(names.insert(item.key()).second) << item.key();
  return names;
}

Caught error_of(DFine& model, const Tensor& images) {
  return catch_error([&] { model.forward(images); });
}

TEST(DFine, TrainingFillsEveryHead) {
  const ModelSpec spec = small_spec();
  DFine model(spec);
  const DenoisingQueries denoising = some_denoising(spec);
  const ModelOutput out = model.forward(some_images(96, 64), &denoising);
  // Two layers and `pre`; 12 denoising and 12 normal queries.
  EXPECT_EQ(out.decoder.logits.sizes(), at::IntArrayRef({3, 2, 24, 5}));
  EXPECT_EQ(out.decoder.boxes.sizes(), at::IntArrayRef({3, 2, 24, 4}));
  EXPECT_EQ(out.decoder.corners.sizes(), at::IntArrayRef({2, 2, 24, 36}));
  EXPECT_EQ(out.decoder.ref_points.sizes(), at::IntArrayRef({2, 24, 4}));
  EXPECT_FALSE(out.decoder.ref_points.requires_grad());
  EXPECT_TRUE(out.prediction().boxes.equal(out.decoder.boxes[1].slice(1, 12)));
  EXPECT_EQ(out.enc.logits.sizes(), at::IntArrayRef({2, 12, 5}));
  EXPECT_EQ(out.dn.num_queries(), 12);
  EXPECT_EQ(out.reg_scale.item<float>(), 4);
  EXPECT_EQ(out.up.item<float>(), 0.5);
}

/// Weights for which every part of a folded layer matters.
void shake(DFine& model) {
  const at::NoGradGuard no_grad;
  const auto random = at::make_generator<at::CPUGeneratorImpl>(3);
  const auto like = [&](const Tensor& t) { return at::randn(t.sizes(), random, t.options()); };
  for (auto& item : model.named_parameters())
    if (item.value().dim() == 1) item.value().add_(like(item.value()), 0.3);
  for (auto& item : model.named_buffers()) {
    if (item.key().ends_with("running_mean")) item.value().add_(like(item.value()), 0.3);
    if (item.key().ends_with("running_var")) item.value().add_(like(item.value()).abs());
  }
  bool negative = true;  // every second scale of an affine block
  for (auto& item : model.named_parameters()) {
    if (!item.key().ends_with("lab.scale")) continue;
    if (negative) item.value().neg_();
    negative = !negative;
  }
}

TEST(DFine, PreparedForInferenceGivesTheSameOutput) {
  for (const auto type : {at::kDouble, at::kFloat}) {
    DFine plain(small_spec()), prepared(small_spec());
    for (DFine* model : {&plain, &prepared}) {
      shake(*model);
      model->to(type);
    }
    plain.eval();
    prepared.prepare_for_inference();
    const at::NoGradGuard no_grad;
    // The weights are rearranged for the first of the sizes.
    for (const auto& [height, width] : {std::pair{64, 96}, {128, 64}}) {
      const Tensor images = some_images(height, width).to(type);
      const ModelOutput want = plain.forward(images), got = prepared.forward(images);
      const double bound = type == at::kDouble ? 1e-10 : 1e-4;
      EXPECT_TRUE(got.decoder.logits.allclose(want.decoder.logits, bound, bound)) << type;
      EXPECT_TRUE(got.decoder.boxes.allclose(want.decoder.boxes, bound, bound)) << type;
    }
  }
}

TEST(DFine, EvaluationFillsTheLastLayerAlone) {
  const ModelSpec spec = small_spec();
  DFine model(spec);
  model.eval();
  at::NoGradGuard no_grad;
  const DenoisingQueries denoising = some_denoising(spec);
  const ModelOutput out = model.forward(some_images(64, 96), &denoising);
  EXPECT_EQ(out.decoder.logits.sizes(), at::IntArrayRef({1, 2, 12, 5}));
  EXPECT_EQ(out.dn.groups, 0);
  EXPECT_FALSE(out.decoder.corners.defined());
  EXPECT_FALSE(out.enc.logits.defined());
}

TEST(DFine, DenoisingQueriesDoNotChangeTheNormalOnes) {
  const ModelSpec spec = small_spec();
  DFine model(spec);
  model.to(at::kDouble);
  const Tensor images = some_images(96, 96).to(at::kDouble);
  const DenoisingQueries denoising = some_denoising(spec);
  const ModelOutput with = model.forward(images, &denoising), without = model.forward(images);
  const auto equal = [](const Tensor& a, const Tensor& b) {
    return at::allclose(a.slice(2, 12), b, 1e-12, 1e-12);  // after 12 denoising queries
  };
  EXPECT_TRUE(equal(with.decoder.logits, without.decoder.logits));
  EXPECT_TRUE(equal(with.decoder.boxes, without.decoder.boxes));
}

TEST(DFine, EveryTrainableParameterGetsAGradient) {
  for (const bool with_boxes : {true, false}) {
    const ModelSpec spec = small_spec();
    DFine model(spec);
    const DenoisingQueries denoising = some_denoising(spec);
    DenoisingQueries nothing;  // no boxes anywhere: no groups
    sum_of_all(model.forward(some_images(96, 96), with_boxes ? &denoising : &nothing)).backward();
    for (const auto& item : model.named_parameters()) {
      EXPECT_EQ(item.value().requires_grad(), item.value().grad().defined()) << item.key();
    }
    const Tensor embedding = model.named_parameters()["model.denoising_class_embed.weight"].grad();
    EXPECT_EQ(embedding.any().item<bool>(), with_boxes);
    EXPECT_FALSE(embedding[spec.num_classes].any().item<bool>())
        << "the padding row does not train";
  }
}

// As DFineModel of transformers, and the official decoder.
TEST(DFine, WithoutDenoisingThereIsNoClassEmbedding) {
  ModelSpec spec = small_spec();
  auto names = names_of(DFine(spec));
  spec.num_denoising = 0;
  DFine model(spec);
  EXPECT_EQ(names.erase("model.denoising_class_embed.weight"), 1U);
  EXPECT_EQ(names_of(model), names);
  const DenoisingQueries denoising = some_denoising(small_spec());
  EXPECT_THROW(model.forward(some_images(96, 96), &denoising), Error);
  sum_of_all(model.forward(some_images(96, 96))).backward();
}

TEST(DFine, FreezingChangesNeitherNamesNorValues) {
  const DFine live(small_spec());
  for (const auto part :
       {&FreezeOptions::backbone_norms, &FreezeOptions::stem, &FreezeOptions::backbone}) {
    FreezeOptions options;
    options.*part = true;
    DFine frozen(small_spec());
    freeze(frozen, options);
    EXPECT_EQ(names_of(frozen), names_of(live));
    EXPECT_LT(count_parameters(frozen, true), count_parameters(live, true));
    const auto parameters = live.named_parameters();
    for (const auto& item : frozen.named_parameters())
      EXPECT_TRUE(item.value().equal(parameters[item.key()])) << item.key();
  }
}

TEST(DFine, AFrozenBackboneIsLeftAlone) {
  DFine model(small_spec());
  freeze(model, {.backbone = true});
  const auto buffers = [&] {
    std::vector<Tensor> values;
    for (const auto& item : model.named_buffers()) {
      if (item.key().starts_with("model.backbone.")) values.push_back(item.value().clone());
    }
    return values;
  };
  const auto before = buffers();
  sum_of_all(model.forward(some_images(96, 96))).backward();
  const auto after = buffers();
  ASSERT_FALSE(before.empty());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(before[i].equal(after[i]));
  for (const auto& item : model.named_parameters()) {
    if (item.key().starts_with("model.backbone.")) {
      EXPECT_FALSE(item.value().grad().defined()) << item.key();
    }
  }
}

// Anchors, positions and the attention mask are kept from pass to pass.
TEST(DFine, FormerSizesAndDenoisingQueriesDoNotMatter) {
  const ModelSpec spec = small_spec();
  DenoisingQueries denoising = some_denoising(spec), regrouped = denoising;
  regrouped.meta = {.groups = 3, .max_boxes = 2};
  DFine model(spec);
  for (const auto& [height, width, queries] : {std::tuple{96, 64, &denoising},
                                               {64, 96, &denoising},
                                               {64, 96, &regrouped},
                                               {96, 64, &regrouped},
                                               {96, 64, &denoising}}) {
    DFine fresh(spec);
    const Tensor images = some_images(height, width);
    EXPECT_TRUE(model.forward(images, queries)
                    .decoder.logits.equal(fresh.forward(images, queries).decoder.logits));
  }
}

TEST(DFine, SeedsDecideTheStart) {
  const DFine a(small_spec(), 3), b(small_spec(), 3), c(small_spec(), 4);
  bool differs = false;
  const auto of_b = b.named_parameters(), of_c = c.named_parameters();
  for (const auto& item : a.named_parameters()) {
    EXPECT_TRUE(item.value().equal(of_b[item.key()])) << item.key();
    differs |= !item.value().equal(of_c[item.key()]);
  }
  EXPECT_TRUE(differs);
}

TEST(DFine, StartsAsTheOfficialCode) {
  const DFine model(small_spec());
  const auto p = model.named_parameters();
  const auto constant = [&](const std::string& name) {
    EXPECT_EQ(p[name].min().item<float>(), p[name].max().item<float>()) << name;
    return p[name].view(-1)[0].item<double>();
  };
  // _reset_parameters in zoo/dfine/dfine_decoder.py: class biases log(0.01 / 0.99); last box
  // layers, quality and gate 0.
  for (const char* head : {"model.enc_score_head.bias", "model.decoder.class_embed.0.bias",
                           "model.decoder.class_embed.1.bias"}) {
    EXPECT_NEAR(constant(head), -4.59512, 1e-5);
  }
  for (const char* zero :
       {"model.decoder.bbox_embed.1.layers.2.weight", "model.decoder.bbox_embed.1.layers.2.bias",
        "model.decoder.pre_bbox_head.layers.2.weight", "model.enc_bbox_head.layers.2.weight",
        "model.decoder.lqe_layers.0.reg_conf.layers.1.weight",
        "model.decoder.layers.0.gateway.gate.weight", "model.decoder.layers.0.gateway.gate.bias",
        "model.decoder.layers.0.encoder_attn.sampling_offsets.weight",
        "model.decoder.layers.0.encoder_attn.attention_weights.weight",
        "model.decoder.layers.0.self_attn.q_proj.bias"}) {
    EXPECT_EQ(constant(zero), 0) << zero;
  }
  // Two heads look right and left; points 1..n of each level step outwards.
  const std::vector<float> ring{1, 0, 2, 0, 1, 0, 2, 0, 3, 0, -1, 0, -2, 0, -1, 0, -2, 0, -3, 0};
  EXPECT_TRUE(at::allclose(p["model.decoder.layers.1.encoder_attn.sampling_offsets.bias"],
                           at::tensor(ring), 0, 1e-6));
  // The decoder's layers start as copies of one, the heads do not.
  EXPECT_TRUE(p["model.decoder.layers.0.fc1.weight"].equal(p["model.decoder.layers.1.fc1.weight"]));
  EXPECT_FALSE(
      p["model.decoder.class_embed.0.weight"].equal(p["model.decoder.class_embed.1.weight"]));
  EXPECT_FALSE(p["model.denoising_class_embed.weight"][5].any().item<bool>());
  // Xavier bounds: the joined q, k, v matrix is [3 dim, dim].
  const double bound = std::sqrt(6.0 / (4 * 8));
  const double largest =
      p["model.decoder.layers.0.self_attn.q_proj.weight"].abs().max().item<double>();
  EXPECT_LE(largest, bound);
  EXPECT_GT(largest, 0.8 * bound);
}

TEST(DFine, WrongSizesAreNamed) {
  DFine model(small_spec());
  EXPECT_TRUE(error_of(model, some_images(96, 100)).is(kBadValue, "100x96", "32"));
  EXPECT_TRUE(error_of(model, at::zeros({2, 1, 96, 96})).is(kInternal, "[2, 1, 96, 96]"));
  // 2 * 4 + 1 * 2 tokens
  EXPECT_TRUE(error_of(model, some_images(32, 64))
                  .is(kConflictingSettings, "10 tokens", "12 queries", "64x32"));
}

}  // namespace
}  // namespace dfine
