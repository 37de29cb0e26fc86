#include "model/spec.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline model {
namespace {

/// Stages of B0, B2, B4, B5 differ in these alone; strides, light blocks and kernels are the same
/// for all.
struct Widths {
  int64_t stem_mid, stem_out;
  int64_t mid[4], out[4], blocks[4];
  int64_t layers;
};

constexpr Widths kB0{16, 16, {16, 32, 64, 128}, {64, 256, 512, 1024}, {1, 1, 2, 1}, 3};
constexpr Widths kB2{24, 32, {32, 64, 128, 256}, {96, 384, 768, 1536}, {1, 1, 3, 1}, 4};
constexpr Widths kB4{32, 48, {48, 96, 192, 384}, {128, 512, 1024, 2048}, {1, 1, 3, 1}, 6};
constexpr Widths kB5{32, 64, {64, 128, 256, 512}, {128, 512, 1024, 2048}, {1, 2, 5, 2}, 6};

BackboneSpec backbone(const Widths& w, int64_t first_output, bool affine_blocks) {
  BackboneSpec spec{w.stem_mid, w.stem_out, {}, first_output, affine_blocks};
  for (int i = 0; i < 4; ++i) {
    const bool late = i >= 2;
    spec.stages.push_back({.in = i == 0 ? w.stem_out : w.out[i - 1],
                           .mid = w.mid[i],
                           .out = w.out[i],
                           .blocks = w.blocks[i],
                           .layers = w.layers,
                           .downsample = i > 0,
                           .light = late,
                           .kernel = late ? 5 : 3});
  }
  return spec;
}

/// As Python's round(): half to even, independent of the floating-point environment.
int64_t round_half_even(double x) {
  const double below = std::floor(x);
  const double fraction = x - below;
  const auto n = static_cast<int64_t>(below);
  if (fraction != 0.5) return fraction < 0.5 ? n : n + 1;
  return n % 2 == 0 ? n : n + 1;
}

constexpr std::string_view kNames = "nsmlx";

}  // namespace

ModelSize parse_model_size(std::string_view text) {
  const auto at =
      text.size() == 1
          ? kNames.find(static_cast<char>(std::tolower(static_cast<unsigned char>(text[0]))))
          : kNames.npos;
  if (at == kNames.npos)
    throw Error(str_cat("unknown model size \"", text, "\""), "the sizes are n, s, m, l and x");
  return static_cast<ModelSize>(at);
}

std::string model_size_name(ModelSize size) {
  return std::string(1, kNames[static_cast<size_t>(size)]);
}

std::vector<int64_t> ModelSpec::strides() const {
  std::vector<int64_t> result;
  int64_t stride = 4;
  for (size_t i = 0; i < backbone.stages.size(); ++i) {
    if (backbone.stages[i].downsample) stride *= 2;
    if (static_cast<int64_t>(i) >= backbone.first_output) result.push_back(stride);
  }
  return result;
}

std::vector<int64_t> ModelSpec::backbone_channels() const {
  std::vector<int64_t> result;
  for (size_t i = static_cast<size_t>(backbone.first_output); i < backbone.stages.size(); ++i)
    result.push_back(backbone.stages[i].out);
  return result;
}

int64_t ModelSpec::fusion_dim() const {
  return static_cast<int64_t>(std::floor(expansion * static_cast<double>(encoder_dim) / 2));
}

int64_t ModelSpec::fusion_depth() const {
  return round_half_even(3 * depth_mult);
}

ModelSpec model_spec(ModelSize size, int64_t num_classes) {
  ModelSpec spec{.backbone = {},
                 .encoder_dim = 256,
                 .encoder_ffn_dim = 1024,
                 .expansion = 1.0,
                 .depth_mult = 1.0,
                 .decoder_dim = 256,
                 .decoder_ffn_dim = 1024,
                 .decoder_layers = 6,
                 .num_points = {3, 6, 3},
                 .num_classes = num_classes,
                 .reg_scale = 4,
                 .freeze_norm = false};
  switch (size) {
    case ModelSize::kN:
      spec.backbone = backbone(kB0, 2, true);
      spec.encoder_dim = spec.decoder_dim = 128;
      spec.encoder_ffn_dim = spec.decoder_ffn_dim = 512;
      spec.expansion = 0.34;
      spec.depth_mult = 0.5;
      spec.decoder_layers = 3;
      spec.num_points = {6, 6};
      break;
    case ModelSize::kS:
      spec.backbone = backbone(kB0, 1, true);
      spec.expansion = 0.5;
      spec.depth_mult = 0.34;
      spec.decoder_layers = 3;
      break;
    case ModelSize::kM:
      spec.backbone = backbone(kB2, 1, true);
      spec.depth_mult = 0.67;
      spec.decoder_layers = 4;
      break;
    case ModelSize::kL:
      spec.backbone = backbone(kB4, 1, false);
      spec.freeze_norm = true;
      break;
    case ModelSize::kX:
      spec.backbone = backbone(kB5, 1, false);
      spec.encoder_dim = 384;
      spec.encoder_ffn_dim = 2048;
      spec.reg_scale = 8;
      spec.freeze_norm = true;
      break;
  }
  return spec;
}

void validate(const ModelSpec& spec) {
  const auto require = [](bool ok, const auto&... what) {
    if (!ok) throw Error(str_cat("model specification: ", what...));
  };
  const auto& stages = spec.backbone.stages;
  require(!stages.empty(), "backbone.stages is empty");
  require(spec.backbone.stem_mid > 0 && spec.backbone.stem_mid % 2 == 0,
          "backbone.stem_mid = ", spec.backbone.stem_mid, " is not even");
  int64_t channels = spec.backbone.stem_out;
  for (size_t i = 0; i < stages.size(); ++i) {
    require(stages[i].in == channels, "backbone.stages[", i, "].in = ", stages[i].in,
            ", but the layer before gives ", channels);
    require(stages[i].out % 2 == 0, "backbone.stages[", i, "].out = ", stages[i].out,
            " is not even");
    require(stages[i].kernel % 2 == 1, "backbone.stages[", i, "].kernel = ", stages[i].kernel,
            " is not odd");
    channels = stages[i].out;
  }
  const auto levels = static_cast<int64_t>(spec.backbone_channels().size());
  require(spec.backbone.first_output >= 0 && levels > 0,
          "backbone.first_output = ", spec.backbone.first_output, " leaves no level");
  require(levels == spec.num_levels(), "num_points has ", spec.num_levels(), " entries for ",
          levels, " levels");
  require(std::ranges::all_of(spec.num_points, [](int64_t n) { return n > 0; }),
          "num_points has an entry below 1");
  require(spec.encoder_dim % 4 == 0, "encoder_dim = ", spec.encoder_dim,
          " is not a multiple of 4 (position embedding)");
  for (const auto& [name, dim] :
       {std::pair{"encoder_dim", spec.encoder_dim}, std::pair{"decoder_dim", spec.decoder_dim}}) {
    require(spec.num_heads > 0 && dim % spec.num_heads == 0, name, " = ", dim,
            " is not a multiple of num_heads = ", spec.num_heads);
  }
  require(spec.fusion_dim() > 0, "expansion = ", spec.expansion,
          " leaves no channels in the fusion blocks");
  require(spec.decoder_layers > 0 && spec.num_queries > 0 && spec.num_classes > 0,
          "decoder_layers, num_queries and num_classes must be positive");
  require(spec.reg_max >= 4 && spec.reg_max % 2 == 0, "reg_max = ", spec.reg_max,
          " is not an even number from 4 on");
}

}  // namespace dfine::inline model
