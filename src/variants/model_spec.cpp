#include "variants/model_spec.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline variants {
namespace {

BackboneSpec backbone_spec(const ModelVariant& variant) {
  const BackboneWidths& w = *variant.backbone;
  BackboneSpec spec{w.stem_mid, w.stem_out, {}, variant.first_output, variant.affine_blocks};
  for (size_t i = 0; i < w.out.size(); ++i) {
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

}  // namespace

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
  const ModelVariant& variant = model_variant(size);
  ModelSpec spec{.backbone = backbone_spec(variant),
                 .encoder_dim = variant.encoder_dim,
                 .encoder_ffn_dim = variant.encoder_ffn_dim,
                 .expansion = variant.expansion,
                 .depth_mult = variant.depth_mult,
                 .decoder_dim = variant.decoder_dim,
                 .decoder_ffn_dim = variant.decoder_ffn_dim,
                 .decoder_layers = variant.decoder_layers,
                 .num_points = {3, 6, 3},
                 .num_classes = num_classes,
                 .reg_scale = variant.reg_scale};
  if (spec.backbone_channels().size() == 2) spec.num_points = {6, 6};
  return spec;
}

void validate(const ModelSpec& spec) {
  const auto require = [](bool ok, const auto&... what) {
    if (!ok) throw Error(ErrorCode::kBadValue, str_cat("model specification: ", what...));
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

}  // namespace dfine::inline variants
