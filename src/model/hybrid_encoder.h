#pragma once
// The hybrid encoder: attention inside the coarsest level, convolutions between levels (RT-DETR,
// Zhao et al. 2024, section 4.2).
#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <torch/nn/module.h>

#include "model/last_value.h"
#include "model/layers.h"
#include "tensor.h"
#include "variants/model_spec.h"

namespace dfine::inline model {

class ConvNorm;
class ScDown;
class EncoderLayer;
class RepNcspElan;

class HybridEncoder : public torch::nn::Module {
 public:
  HybridEncoder(const ModelSpec& spec, Initializer& init);
  ~HybridEncoder() override;

  /// Levels of [B, encoder_dim, H, W], finest first, each half the size of the one before; the same
  /// shapes come out.
  std::vector<Tensor> forward(std::vector<Tensor> features);

 private:
  Tensor attend(const Tensor& feature);

  double temperature_;
  LastValue<std::tuple<int64_t, int64_t, at::Device, at::ScalarType>, Tensor> position_;
  std::shared_ptr<ModuleList<EncoderLayer>> layers_;
  std::shared_ptr<ModuleList<ConvNorm>> lateral_convs_;
  std::shared_ptr<ModuleList<RepNcspElan>> fpn_blocks_, pan_blocks_;
  std::shared_ptr<ModuleList<ScDown>> downsample_convs_;
};

}  // namespace dfine::inline model
