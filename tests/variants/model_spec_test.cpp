#include "variants/model_spec.h"

#include <gtest/gtest.h>

#include "model/dfine.h"
#include "model/freezing.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

struct Published {
  ModelSize size;
  std::vector<int64_t> strides, channels;
  int64_t fusion_dim, fusion_depth;
};

TEST(Spec, ParameterCountsAreTheOfficialOnes) {
  // In millions at 80 classes, counted on the official models as they train (frozen norms are
  // buffers there too).
  const std::vector<std::pair<ModelSize, double>> millions{{ModelSize::kN, 3.78},
                                                           {ModelSize::kS, 10.32},
                                                           {ModelSize::kM, 19.59},
                                                           {ModelSize::kL, 31.24},
                                                           {ModelSize::kX, 62.62}};
  for (const auto& [size, expected] : millions) {
    DFine model(model_spec(size, 80));
    freeze(model, {.backbone_norms = model_variant(size).freeze_norm});
    EXPECT_NEAR(static_cast<double>(count_parameters(model)) / 1e6, expected, 0.005)
        << model_variant(size).name;
    EXPECT_EQ(count_parameters(model) - count_parameters(model, true), 2)
        << "all but up and reg_scale train";
  }
}

TEST(Spec, DerivedDimensionsRoundAsPythonDoes) {
  // round(expansion * hidden_dim // 2) and round(3 * depth_mult) in Python, from the official yml
  // files.
  const std::vector<Published> sizes{{ModelSize::kN, {16, 32}, {512, 1024}, 21, 2},
                                     {ModelSize::kS, {8, 16, 32}, {256, 512, 1024}, 64, 1},
                                     {ModelSize::kM, {8, 16, 32}, {384, 768, 1536}, 128, 2},
                                     {ModelSize::kL, {8, 16, 32}, {512, 1024, 2048}, 128, 3},
                                     {ModelSize::kX, {8, 16, 32}, {512, 1024, 2048}, 192, 3}};
  for (const Published& p : sizes) {
    const ModelSpec spec = model_spec(p.size, 80);
    EXPECT_EQ(spec.strides(), p.strides);
    EXPECT_EQ(spec.backbone_channels(), p.channels);
    EXPECT_EQ(spec.fusion_dim(), p.fusion_dim);
    EXPECT_EQ(spec.fusion_depth(), p.fusion_depth);
  }
}

TEST(Spec, SizesByName) {
  EXPECT_EQ(model_variant("x").size, ModelSize::kX);
  EXPECT_EQ(model_variant("N").size, ModelSize::kN);
  EXPECT_EQ(model_variant(ModelSize::kM).name, "m");
  for (const char* wrong : {"", "xl", "a"}) EXPECT_THROW(model_variant(wrong).size, Error) << wrong;
}

TEST(Spec, DimensionsThatDoNotFitAreNamed) {
  const auto refused = [](auto change) {
    ModelSpec spec = model_spec(ModelSize::kN, 80);
    change(spec);
    return catch_error([&] { validate(spec); });
  };
  EXPECT_FALSE(refused([](ModelSpec&) {}).code);
  EXPECT_TRUE(refused([](ModelSpec& s) {
                s.num_points = {3, 6, 3};
              }).is(kBadValue, "num_points", "3", "2"));
  EXPECT_TRUE(
      refused([](ModelSpec& s) { s.decoder_dim = 100; }).is(kBadValue, "decoder_dim = 100"));
  EXPECT_TRUE(refused([](ModelSpec& s) {
                s.backbone.stages[1].in = 3;
              }).is(kBadValue, "backbone.stages[1].in = 3"));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.num_classes = 0; }).is(kBadValue, "num_classes"));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.reg_max = 31; }).is(kBadValue, "reg_max = 31"));
}

}  // namespace
}  // namespace dfine
