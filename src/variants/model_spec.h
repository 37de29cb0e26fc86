#pragma once
// Everything that defines a D-FINE network.
#include <cstdint>
#include <vector>

#include "variants/variants.h"

namespace dfine::inline variants {

/// One stage of HGNetv2: a strided depthwise convolution (if `downsample`), then `blocks` blocks of
/// `layers` convolutions each.
struct StageSpec {
  int64_t in, mid, out;  // channels at the input, inside a block, at the output
  int64_t blocks;
  int64_t layers;
  bool downsample;
  bool light;  // each layer is a 1x1 and a depthwise convolution instead of one full convolution
  int64_t kernel;
};

struct BackboneSpec {
  int64_t stem_mid, stem_out;     // channels; the stem's stride is 4
  std::vector<StageSpec> stages;  // strides 4, 8, 16, 32
  int64_t first_output;  // index of the lowest stage whose features the encoder gets; the later
                         // ones follow
  bool affine_blocks;    // learnable scale and bias after each activation
};

struct ModelSpec {
  BackboneSpec backbone;

  // Hybrid encoder: one attention layer over the last level, then top-down and bottom-up fusion.
  int64_t encoder_dim;
  int64_t encoder_ffn_dim;
  int64_t encoder_layers = 1;
  double expansion;   // of the fusion blocks' inner width
  double depth_mult;  // of the fusion blocks' depth, 3 at 1.0
  double position_temperature = 10000;

  // Decoder.
  int64_t decoder_dim;
  int64_t decoder_ffn_dim;
  int64_t decoder_layers;
  std::vector<int64_t> num_points;  // sampling points of a head on each level
  int64_t num_heads = 8;            // of every attention, the encoder's too
  int64_t num_queries = 300;
  int64_t num_classes;
  int64_t reg_max = 32;  // an edge's distribution has reg_max + 1 bins
  double reg_scale;      // curvature of the bins' spacing (FDR, paper section 4.1)
  double up = 0.5;       // the outermost bin is at 2 * up * reg_scale

  // Training.
  int64_t num_denoising = 100;        // 0: without denoising and its class embedding
  int64_t max_denoising_queries = 0;  // per image, positive and negative ones; 0: no limit

  int64_t num_levels() const { return static_cast<int64_t>(num_points.size()); }
  /// Stride of each level, finest first.
  std::vector<int64_t> strides() const;
  /// Channels that the backbone hands to each level.
  std::vector<int64_t> backbone_channels() const;
  /// Width of the fusion blocks' inner path and their depth, rounded as Python rounds (half to
  /// even).
  int64_t fusion_dim() const;
  int64_t fusion_depth() const;
};

/// The published network of a size.
ModelSpec model_spec(ModelSize size, int64_t num_classes);

/// Throws if the dimensions do not fit together, naming the field.
void validate(const ModelSpec& spec);

}  // namespace dfine::inline variants
