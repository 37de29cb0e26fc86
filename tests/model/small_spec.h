#pragma once
// A network with every part of the real ones but few channels, for tests in seconds.
#include "variants/model_spec.h"

namespace dfine {

/// Two levels (strides 16, 32), two decoder layers, 12 queries, 5 classes; unequal encoder and
/// decoder widths.
inline ModelSpec small_spec() {
  return {
      .backbone = {.stem_mid = 4,
                   .stem_out = 4,
                   .stages = {{4, 4, 8, 1, 1, false, false, 3},
                              {8, 4, 8, 1, 2, true, false, 3},
                              {8, 4, 16, 2, 1, true, true, 5},
                              {16, 4, 16, 1, 1, true, true, 5}},
                   .first_output = 2,
                   .affine_blocks = true},
      .encoder_dim = 16,
      .encoder_ffn_dim = 24,
      .expansion = 0.5,
      .depth_mult = 0.34,
      .decoder_dim = 8,
      .decoder_ffn_dim = 16,
      .decoder_layers = 2,
      .num_points = {2, 3},
      .num_heads = 2,
      .num_queries = 12,
      .num_classes = 5,
      .reg_max = 8,
      .reg_scale = 4,
      .num_denoising = 10,
  };
}

}  // namespace dfine
