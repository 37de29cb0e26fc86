// backbone_tool SIZE WEIGHTS IN OUT: the features of all stages of the size's backbone with
// weights for model.backbone_weights, in double precision. IN: images [B, 3, H, W]; OUT: stage0 to
// stage3. Both are .safetensors files.
#include <ATen/ATen.h>

#include <iostream>

#include "core/error.h"
#include "model/hgnetv2.h"
#include "weights/backbone_weights.h"
#include "weights/safetensors.h"
#include "weights/weights.h"

namespace dfine {
namespace {

void run(const std::string& size, const std::string& weights, const std::string& in,
         const std::string& out) {
  const at::NoGradGuard no_grad;
  BackboneSpec spec = model_spec(model_variant(size).size, 1).backbone;
  spec.first_output = 0;
  Initializer init(0);
  HgNetV2 backbone(spec, init);
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : named_tensors(backbone))
    tensors.emplace("model.backbone.model." + name, tensor);
  load_backbone_weights(weights, tensors);
  backbone.eval();
  backbone.to(at::kDouble);
  std::map<std::string, Tensor> features;
  for (const Tensor& stage : backbone.forward(read_safetensors(in).at("images").to(at::kDouble)))
    features.emplace("stage" + std::to_string(features.size()), stage);
  write_safetensors(out, features);
}

}  // namespace
}  // namespace dfine

int main(int argc, char** argv) {
  try {
    if (argc != 5) return 2;
    dfine::run(argv[1], argv[2], argv[3], argv[4]);
    return 0;
  } catch (const dfine::Error& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
