#pragma once
// The five published models N, S, M, L and X: the one place that knows how their networks and
// their official recipes differ.
#include <array>
#include <cstdint>
#include <string_view>

namespace dfine::inline variants {

enum class ModelSize { kN, kS, kM, kL, kX };

/// HGNetv2 B0, B2, B4 or B5; strides, light blocks and kernels are the same for all.
struct BackboneWidths {
  std::string_view name;  // "B0"
  int64_t stem_mid, stem_out;
  std::array<int64_t, 4> mid, out, blocks;  // channels inside and after a stage; its blocks
  int64_t layers;                           // of a block
};

/// Sources: architecture and recipe: the official configs/dfine/dfine_hgnetv2_{n,s,m,l,x}_coco.yml
/// and include/dfine_hgnetv2.yml; backbones: arch_configs in nn/backbone/hgnetv2.py
/// (Peterande/D-FINE 4a1f73a).
struct ModelVariant {
  ModelSize size;
  std::string_view name;      // of model.size
  double million_parameters;  // at 80 classes; other numbers of classes change little

  // The official recipe.
  double lr;                  // learning rate of encoder and decoder
  int64_t global_batch;       // that it is stated for
  double stage2_share;        // of the epochs, before the last ones without strong augmentation
  int64_t multiscale_repeat;  // see generate_scales(); n has multi-scale off there, and takes s's
  bool freeze_norm;           // the backbone's batch norms are frozen

  // The network; see ModelSpec.
  const BackboneWidths* backbone;
  int64_t first_output;
  bool affine_blocks;
  int64_t encoder_dim, encoder_ffn_dim;
  double expansion, depth_mult;
  int64_t decoder_dim, decoder_ffn_dim, decoder_layers;
  double reg_scale;
};

/// In ascending order.
const std::array<ModelVariant, 5>& model_variants();
const ModelVariant& model_variant(ModelSize size);
/// Of "n" ... "x", upper or lower case; throws Error for anything else.
const ModelVariant& model_variant(std::string_view name);

}  // namespace dfine::inline variants
