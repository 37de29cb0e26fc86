#pragma once
// The backbone, PP-HGNetV2: plain and light convolution blocks that aggregate all of their layers'
// outputs.
#include <memory>
#include <vector>

#include <torch/nn/module.h>

#include "model/initializer.h"
#include "tensor.h"
#include "variants/model_spec.h"

namespace dfine::inline model {

class HgStem;
class HgStages;

class HgNetV2 : public torch::nn::Module {
 public:
  HgNetV2(const BackboneSpec& spec, Initializer& init);

  /// [B, 3, H, W] -> features of the stages from spec.first_output on, [B, C, H / stride, W /
  /// stride], finest first.
  std::vector<Tensor> forward(const Tensor& images);

 private:
  int64_t first_output_;
  std::shared_ptr<HgStem> stem_;
  std::shared_ptr<HgStages> stages_;
};

}  // namespace dfine::inline model
