// The official code's state dicts: names, types and shapes are those of
// tests/golden/official_state.json.
#include "weights/official_state.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "model/dfine.h"
#include "support/python.h"
#include "support/raises.h"
#include "weights/batch_counters.h"
#include "weights/convert.h"
#include "weights/official_names.h"
#include "weights/pth.h"
#include "weights/safetensors.h"
#include "weights/tensor_file.h"
#include "weights/weights.h"

namespace dfine {
using enum ErrorCode;
namespace {

using Tensors = std::map<std::string, Tensor>;

const nlohmann::json& golden() {
  static const nlohmann::json values =
      nlohmann::json::parse(std::ifstream(source_file("tests/golden/official_state.json")));
  return values;
}

ModelDescription description_of(char letter) {
  const ModelSize size = model_variant(std::string_view(&letter, 1)).size;
  return {model_spec(size, golden().at("classes").get<int64_t>()), {}, {}};
}

/// "f32 16 3 3 3", as the file has it.
std::string text_of(const Tensor& tensor) {
  std::string text = tensor.scalar_type() == at::kFloat  ? "f32"
                     : tensor.scalar_type() == at::kLong ? "i64"
                     : tensor.scalar_type() == at::kBool ? "bool"
                                                         : "other";
  for (const int64_t side : tensor.sizes()) text += " " + std::to_string(side);
  return text;
}

/// A model's tensors by published name, all different.
Tensors random_tensors(const ModelDescription& description) {
  const DFine model(description.spec, 3);
  Tensors tensors;
  double next = 0;
  for (const auto& [name, tensor] : named_tensors(model)) {
    const bool constant = name.ends_with("decoder.up") || name.ends_with("reg_scale");
    const Tensor copy = tensor.detach().clone();
    if (!constant && copy.is_floating_point()) copy.add_(next += 0.001);
    if (!copy.is_floating_point()) copy.fill_(12);
    tensors.emplace(name, copy);
  }
  return tensors;
}

void expect_same(const Tensors& found, const Tensors& expected) {
  for (const auto& [name, tensor] : expected) {
    const auto place = found.find(name);
    ASSERT_NE(place, found.end()) << name;
    EXPECT_EQ(place->second.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(place->second, tensor)) << name;
  }
  EXPECT_EQ(found.size(), expected.size());
}

class OfficialState : public testing::TestWithParam<char> {};

TEST_P(OfficialState, HasTheNamesTypesAndShapesOfTheOfficialModel) {
  const at::NoGradGuard no_grad;
  const ModelDescription description = description_of(GetParam());
  const Tensors ours = random_tensors(description);
  const Tensors state = to_official(ours, description);
  std::map<std::string, std::string> found;
  for (const auto& [name, tensor] : state) found.emplace(name, text_of(tensor));
  const auto& official = golden().at("sizes").at(std::string(1, GetParam()));
  EXPECT_EQ(found, (official.at("tensors").get<std::map<std::string, std::string>>()));
  EXPECT_EQ(state.at("decoder.valid_mask").sum().item<int64_t>(), official.at("valid"));
  for (const auto& [row, values] : official.at("anchors").items())
    for (int64_t i = 0; i < 4; ++i)
      EXPECT_NEAR(state.at("decoder.anchors")[0][std::stol(row)][i].item<float>(),
                  values.at(static_cast<size_t>(i)).get<double>(), 1e-6)
          << row;
  Tensors back = from_official(state);
  std::erase_if(back, [](const auto& item) { return is_backbone_counter(item.first); });
  expect_same(back, ours);
}

INSTANTIATE_TEST_SUITE_P(Sizes, OfficialState, testing::Values('n', 's', 'm', 'l', 'x'),
                         [](const auto& param) { return std::string(1, param.param); });

TEST(OfficialNames, JoinedAndDerivedTensors) {
  EXPECT_EQ(published_names("decoder.decoder.layers.10.self_attn.in_proj_bias"),
            (std::vector<std::string>{"model.decoder.layers.10.self_attn.q_proj.bias",
                                      "model.decoder.layers.10.self_attn.k_proj.bias",
                                      "model.decoder.layers.10.self_attn.v_proj.bias"}));
  EXPECT_TRUE(published_names("decoder.anchors").empty());
  EXPECT_TRUE(published_names("decoder.decoder.up").empty());
  EXPECT_EQ(published_names("something.else"), std::vector<std::string>{"something.else"});
  EXPECT_EQ(official_name("something.else"), "something.else");
}

TEST(OfficialState, AnchorsTellTheImageSize) {
  ModelDescription description = description_of('n');
  for (const auto& [height, width] :
       {std::pair<int64_t, int64_t>{640, 640}, {320, 480}, {96, 32}, {1280, 736}}) {
    description.image_height = height;
    description.image_width = width;
    const Tensor anchors = to_official({{"model.decoder.up", at::full({1}, 0.5)},
                                        {"model.decoder.reg_scale", at::full({1}, 4.)}},
                                       description)
                               .at("decoder.anchors");
    const auto size = anchor_size(anchors, description.spec.strides());
    ASSERT_TRUE(size) << height << "x" << width;
    EXPECT_EQ(size->height, height);
    EXPECT_EQ(size->width, width);
  }
  EXPECT_FALSE(anchor_size(at::zeros({1, 7, 4}), {16, 32}));
  EXPECT_FALSE(anchor_size(at::zeros({3}), {16, 32}));
}

// An official checkpoint of N, as the trainer saves it, is converted to the hub's layout and back.
TEST(Convert, BothWaysBitForBit) {
  const TemporaryFolder folder;
  ModelDescription description = description_of('n');
  description.image_height = 320;
  Tensors state = to_official(random_tensors(description), description);
  int64_t batches = 0;
  for (auto& [name, tensor] : state)
    if (name.ends_with("num_batches_tracked")) tensor = at::full({}, ++batches, at::kLong);
  Tensors raw = state;
  raw["encoder.input_proj.0.conv.weight"] = state.at("encoder.input_proj.0.conv.weight") + 1;
  write_pth(folder / "best.pth",
            {{"date", "2024-10-01T12:00:00"},
             {"last_epoch", 3},
             {"model", to_pth(raw)},
             {"ema", PthValue::Dict{{"module", to_pth(state)}, {"updates", 9}}}});
  convert_weights(folder / "best.pth", folder / "hub", WeightsLayout::kHub);
  const ModelDescription hub = describe_weights(folder / "hub");
  EXPECT_EQ(architecture_size(hub.spec), "n");
  EXPECT_EQ(hub.image_height, 320);
  EXPECT_EQ(hub.image_width, 640);
  EXPECT_EQ(hub.class_names.at(79), "toothbrush");
  EXPECT_EQ(hub.category_ids.at(79), 90);
  for (const auto& [name, shape] : read_safetensors_shapes(folder / "hub/model.safetensors"))
    EXPECT_FALSE(is_backbone_counter(name)) << name;  // as published
  convert_weights(folder / "hub", folder / "back.pth", WeightsLayout::kOfficial);
  const PthValue::Dict back = read_pth(folder / "back.pth");
  expect_same(to_tensors(back.at("ema").at("module")), state);
  expect_same(to_tensors(back.at("model")), state);
  // Directly from one .pth into the other.
  convert_weights(folder / "best.pth", folder / "direct.pth", WeightsLayout::kOfficial);
  expect_same(read_tensor_file(folder / "direct.pth"), state);

  EXPECT_TRUE(raises(
      kFileExists,
      [&] { convert_weights(folder / "best.pth", folder / "hub", WeightsLayout::kHub); }, "hub"));
  EXPECT_TRUE(raises(
      kUsage, [&] { convert_weights(folder / "hub", folder / "out", WeightsLayout::kOfficial); },
      ".pth"));
  state.erase("decoder.dec_score_head.1.bias");
  write_pth(folder / "less.pth", {{"model", to_pth(state)}});
  EXPECT_TRUE(raises(
      kWeightsMismatch,
      [&] { convert_weights(folder / "less.pth", folder / "less", WeightsLayout::kHub); },
      "model.decoder.class_embed.1.bias: missing"));
  EXPECT_FALSE(std::filesystem::exists(folder / "less"));
}

TEST(ReadDFineTensors, OtherArchitecturesAreNamed) {
  const TemporaryFolder folder;
  const auto error_of = [&](const char* name) {
    write_pth(folder / "a.pth", {{"model", to_pth({{name, at::zeros({2, 2})}})}});
    return catch_error([&] { describe_weights(folder / "a.pth"); });
  };
  EXPECT_TRUE(error_of("backbone.res_layers.0.blocks.0.conv.weight")
                  .is(kWeightsUnsupported, "a.pth", "RT-DETR", "D-FINE"));
  EXPECT_TRUE(error_of("transformer.encoder.layers.0.linear1.weight")
                  .is(kWeightsUnsupported, "a.pth", "DETR"));
  EXPECT_TRUE(error_of("backbone.stem.stem1.conv.weight").is(kWeightsUnsupported, "RT-DETR"));
  EXPECT_TRUE(error_of("stem.stem1.conv.weight").is(kWeightsUnsupported, "model.backbone_weights"));
  EXPECT_TRUE(error_of("layer.weight").is(kWeightsUnsupported, "a.pth"));
}

}  // namespace
}  // namespace dfine
