#include "variants/variants.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline variants {
namespace {

constexpr BackboneWidths kB0{"B0",         16, 16, {16, 32, 64, 128}, {64, 256, 512, 1024},
                             {1, 1, 2, 1}, 3};
constexpr BackboneWidths kB2{"B2",         24, 32, {32, 64, 128, 256}, {96, 384, 768, 1536},
                             {1, 1, 3, 1}, 4};
constexpr BackboneWidths kB4{"B4",         32, 48, {48, 96, 192, 384}, {128, 512, 1024, 2048},
                             {1, 1, 3, 1}, 6};
constexpr BackboneWidths kB5{"B5",         32, 64, {64, 128, 256, 512}, {128, 512, 1024, 2048},
                             {1, 2, 5, 2}, 6};

// clang-format off
constexpr std::array<ModelVariant, 5> kVariants{{
    {.size = ModelSize::kN, .name = "n", .million_parameters = 3.8,
     .lr = 8e-4, .global_batch = 128, .stage2_share = 148.0 / 160, .multiscale_repeat = 20,
     .freeze_norm = false, .backbone = &kB0, .first_output = 2, .affine_blocks = true,
     .encoder_dim = 128, .encoder_ffn_dim = 512, .expansion = 0.34, .depth_mult = 0.5,
     .decoder_dim = 128, .decoder_ffn_dim = 512, .decoder_layers = 3, .reg_scale = 4},
    {.size = ModelSize::kS, .name = "s", .million_parameters = 10.3,
     .lr = 2e-4, .global_batch = 32, .stage2_share = 120.0 / 132, .multiscale_repeat = 20,
     .freeze_norm = false, .backbone = &kB0, .first_output = 1, .affine_blocks = true,
     .encoder_dim = 256, .encoder_ffn_dim = 1024, .expansion = 0.5, .depth_mult = 0.34,
     .decoder_dim = 256, .decoder_ffn_dim = 1024, .decoder_layers = 3, .reg_scale = 4},
    {.size = ModelSize::kM, .name = "m", .million_parameters = 19.6,
     .lr = 2e-4, .global_batch = 32, .stage2_share = 120.0 / 132, .multiscale_repeat = 6,
     .freeze_norm = false, .backbone = &kB2, .first_output = 1, .affine_blocks = true,
     .encoder_dim = 256, .encoder_ffn_dim = 1024, .expansion = 1, .depth_mult = 0.67,
     .decoder_dim = 256, .decoder_ffn_dim = 1024, .decoder_layers = 4, .reg_scale = 4},
    {.size = ModelSize::kL, .name = "l", .million_parameters = 31.2,
     .lr = 2.5e-4, .global_batch = 32, .stage2_share = 72.0 / 80, .multiscale_repeat = 4,
     .freeze_norm = true, .backbone = &kB4, .first_output = 1, .affine_blocks = false,
     .encoder_dim = 256, .encoder_ffn_dim = 1024, .expansion = 1, .depth_mult = 1,
     .decoder_dim = 256, .decoder_ffn_dim = 1024, .decoder_layers = 6, .reg_scale = 4},
    {.size = ModelSize::kX, .name = "x", .million_parameters = 62.6,
     .lr = 2.5e-4, .global_batch = 32, .stage2_share = 72.0 / 80, .multiscale_repeat = 3,
     .freeze_norm = true, .backbone = &kB5, .first_output = 1, .affine_blocks = false,
     .encoder_dim = 384, .encoder_ffn_dim = 2048, .expansion = 1, .depth_mult = 1,
     .decoder_dim = 256, .decoder_ffn_dim = 1024, .decoder_layers = 6, .reg_scale = 8},
}};
// clang-format on

}  // namespace

const std::array<ModelVariant, 5>& model_variants() {
  return kVariants;
}

const ModelVariant& model_variant(ModelSize size) {
  return *std::ranges::find(kVariants, size, &ModelVariant::size);
}

const ModelVariant& model_variant(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto* found = std::ranges::find(kVariants, lower, &ModelVariant::name);
  if (found == kVariants.end()) {
    std::vector<std::string> names;
    for (const ModelVariant& variant : kVariants) names.emplace_back(variant.name);
    throw Error(ErrorCode::kBadValue, str_cat("unknown model size \"", name, "\""),
                "the sizes are " + listed(names));
  }
  return *found;
}

}  // namespace dfine::inline variants
