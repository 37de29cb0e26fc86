#include "model/freezing.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

#include "model/small_spec.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

std::set<std::string> frozen_names(const DFine& model) {
  std::set<std::string> names;
  for (const auto& item : model.named_parameters())
    if (!item.value().requires_grad()) names.insert(item.key());
  return names;
}

std::set<std::string> names_with(const DFine& model, const std::string& part) {
  std::set<std::string> names{"model.decoder.up", "model.decoder.reg_scale"};  // never trained
  for (const auto& item : model.named_parameters())
    if (item.key().find(part) != std::string::npos) names.insert(item.key());
  return names;
}

Caught error_of(const std::vector<std::string>& patterns) {
  DFine model(small_spec());
  return catch_error([&] { freeze(model, {.patterns = patterns}); });
}

std::map<std::string, Tensor> buffers_after_a_pass(DFine& model) {
  model.train();
  model.forward(at::sin(at::arange(2 * 3 * 64 * 64, at::kFloat)).reshape({2, 3, 64, 64}).abs());
  std::map<std::string, Tensor> buffers;
  for (const auto& item : model.named_buffers()) buffers[item.key()] = item.value().clone();
  return buffers;
}

TEST(Freeze, NothingWithoutPatterns) {
  DFine model(small_spec());
  freeze(model, {});
  EXPECT_EQ(frozen_names(model).size(), 2U);
  EXPECT_EQ(describe_frozen(model), "");
}

TEST(Freeze, EveryNameInWhichAPatternIsFound) {
  DFine model(small_spec());
  freeze(model, {.patterns = {"model.backbone.*"}});
  EXPECT_EQ(frozen_names(model), names_with(model, "model.backbone."));
  freeze(model, {.patterns = {R"(^model\.decoder\.class_embed\.\d\.bias$)", "enc_score_head"}});
  EXPECT_TRUE(frozen_names(model).contains("model.decoder.class_embed.1.bias"));
  EXPECT_FALSE(frozen_names(model).contains("model.decoder.class_embed.1.weight"));
  EXPECT_TRUE(frozen_names(model).contains("model.enc_score_head.weight"));
}

// Norms that are frozen whole keep their statistics, those of the stem here; the others follow the
// batch.
TEST(Freeze, StatisticsOfFrozenNormsStay) {
  DFine model(small_spec());
  freeze(model, {.patterns = {"embedder", R"(stages\..*normalization\.weight)"}});
  std::map<std::string, Tensor> before;
  for (const auto& item : model.named_buffers()) before[item.key()] = item.value().clone();
  int kept = 0, followed = 0;
  for (const auto& [name, after] : buffers_after_a_pass(model)) {
    if (!name.ends_with("running_mean")) continue;
    const bool stem = name.find("embedder") != std::string::npos;
    EXPECT_EQ(at::equal(after, before.at(name)), stem) << name;
    ++(stem ? kept : followed);
  }
  EXPECT_EQ(kept, 5);
  EXPECT_GT(followed, 10);
}

TEST(Freeze, AsTheFrozenBackbone) {
  DFine by_pattern(small_spec()), by_setting(small_spec());
  freeze(by_setting, {.backbone = true});
  freeze(by_pattern, {.patterns = {"^model.backbone"}});
  by_pattern.train();
  by_setting.train();
  const Tensor images =
      at::sin(at::arange(2 * 3 * 64 * 64, at::kFloat)).reshape({2, 3, 64, 64}).abs();
  const Tensor a = by_pattern.forward(images).prediction().logits,
               b = by_setting.forward(images).prediction().logits;
  EXPECT_TRUE(at::equal(a, b));
  EXPECT_EQ(count_parameters(by_pattern, true), count_parameters(by_setting, true));
  EXPECT_EQ(describe_frozen(by_pattern), describe_frozen(by_setting));
}

TEST(Freeze, WhatCannotBeMeantIsAnError) {
  EXPECT_TRUE(
      error_of({"model.backbone", "backbnoe"}).is(kBadValue, "model.freeze", "\"backbnoe\""));
  EXPECT_TRUE(error_of({"("}).is(kBadValue, "model.freeze", "\"(\""));
  EXPECT_TRUE(error_of({"."}).is(kBadValue, "model.freeze"));
  DFine model(small_spec());  // what another setting has frozen still has its name
  EXPECT_NO_THROW(freeze(model, {.backbone_norms = true, .patterns = {"backbone.*normalization"}}));
}

// small_spec has a stem of 5 layers, and four stages, of which the second has a layer before its
// blocks.
TEST(DescribeFrozen, JoinsWhatDiffersInNumbers) {
  DFine stem(small_spec());
  freeze(stem, {.patterns = {"embedder"}});
  int64_t tensors = 0, parameters = 0;
  for (const auto& item : stem.named_parameters()) {
    if (item.key().find("embedder") == std::string::npos) continue;
    ++tensors;
    parameters += item.value().numel();
  }
  EXPECT_EQ(tensors, 25);  // convolution, norm's two, affine block's two
  const std::string text = describe_frozen(stem);
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  EXPECT_TRUE(names(text, "model.backbone.model.embedder "));
  EXPECT_TRUE(names(text, "25 tensors"));
  EXPECT_TRUE(names(text, std::to_string(parameters)));

  DFine whole(small_spec());
  freeze(whole, {.patterns = {"model.backbone", "class_embed"}});
  const std::string lines = describe_frozen(whole);
  EXPECT_TRUE(names(lines, "model.backbone "));
  EXPECT_TRUE(names(lines, "model.decoder.class_embed "));
  EXPECT_TRUE(names(lines, "model.denoising_class_embed "));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2) << lines;

  DFine model(small_spec());
  freeze(model, {.backbone_norms = true});
  const std::string norms = describe_frozen(model);
  EXPECT_TRUE(
      names(norms, "model.backbone.model.encoder.stages.0-1.blocks.0.layers.0-1.normalization "));
  EXPECT_TRUE(names(norms, "model.backbone.model.embedder.stem2a.normalization "));
  EXPECT_LT(std::count(norms.begin(), norms.end(), '\n'), 12) << norms;
}

}  // namespace
}  // namespace dfine
