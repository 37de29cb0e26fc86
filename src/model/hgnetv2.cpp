#include "model/hgnetv2.h"

#include <ATen/ATen.h>

#include "model/conv_norm.h"
#include "model/layers.h"

namespace dfine::inline model {
namespace {

/// What all convolutions of one backbone share.
struct HgBuilder {
  ConvNormStyle style;
  bool affine_blocks;
  Initializer& init;

  /// Only activated convolutions have an affine block.
  std::shared_ptr<ConvNorm> make(const ConvShape& shape,
                                 Activation activation = Activation::kRelu) const {
    return std::make_shared<ConvNorm>(shape, style, activation, init,
                                      affine_blocks && activation != Activation::kNone);
  }
};

/// One layer of a block: a full convolution, or a pointwise and a depthwise one (`conv1`, `conv2`).
class HgLightLayer : public torch::nn::Module {
 public:
  HgLightLayer(int64_t in, int64_t out, int64_t kernel, const HgBuilder& build)
      : conv1_(register_module("conv1", build.make({.in = in, .out = out}, Activation::kNone))),
        conv2_(register_module(
            "conv2", build.make({.in = out, .out = out, .kernel = kernel, .groups = out}))) {}

  Tensor forward(const Tensor& x) { return conv2_->forward(conv1_->forward(x)); }

 private:
  std::shared_ptr<ConvNorm> conv1_, conv2_;
};

class HgBlock : public torch::nn::Module {
 public:
  HgBlock(const StageSpec& stage, int64_t in, bool residual, const HgBuilder& build)
      : residual_(residual) {
    const auto layers = register_module("layers", std::make_shared<torch::nn::Module>());
    for (int64_t i = 0; i < stage.layers; ++i) {
      const int64_t from = i == 0 ? in : stage.mid;
      if (stage.light) {
        light_.push_back(layers->register_module(
            std::to_string(i),
            std::make_shared<HgLightLayer>(from, stage.mid, stage.kernel, build)));
      } else {
        full_.push_back(layers->register_module(
            std::to_string(i), build.make({.in = from, .out = stage.mid, .kernel = stage.kernel})));
      }
    }
    const auto aggregation = register_module("aggregation", std::make_shared<torch::nn::Module>());
    squeeze_ = aggregation->register_module(
        "0", build.make({.in = in + stage.layers * stage.mid, .out = stage.out / 2}));
    excite_ =
        aggregation->register_module("1", build.make({.in = stage.out / 2, .out = stage.out}));
  }

  Tensor forward(const Tensor& x) {
    std::vector<Tensor> outputs{x};
    for (const auto& layer : full_) outputs.push_back(layer->forward(outputs.back()));
    for (const auto& layer : light_) outputs.push_back(layer->forward(outputs.back()));
    const Tensor y = excite_->forward(squeeze_->forward(at::cat(outputs, 1)));
    return residual_ ? y + x : y;
  }

 private:
  bool residual_;
  std::vector<std::shared_ptr<ConvNorm>> full_;
  std::vector<std::shared_ptr<HgLightLayer>> light_;
  std::shared_ptr<ConvNorm> squeeze_, excite_;
};

class HgStage : public torch::nn::Module {
 public:
  HgStage(const StageSpec& stage, const HgBuilder& build) {
    if (stage.downsample) {
      const ConvShape shape{
          .in = stage.in, .out = stage.in, .kernel = 3, .stride = 2, .groups = stage.in};
      downsample_ = register_module("downsample", build.make(shape, Activation::kNone));
    }
    blocks_ = register_module("blocks", std::make_shared<ModuleList<HgBlock>>());
    for (int64_t i = 0; i < stage.blocks; ++i)
      blocks_->add(stage, i == 0 ? stage.in : stage.out, /*residual=*/i > 0, build);
  }

  Tensor forward(Tensor x) {
    if (downsample_) x = downsample_->forward(x);
    for (const auto& block : *blocks_) x = block->forward(x);
    return x;
  }

 private:
  std::shared_ptr<ConvNorm> downsample_;  // null without
  std::shared_ptr<ModuleList<HgBlock>> blocks_;
};

/// One zero row below and one zero column on the right: "same" padding of a 2x2 window.
Tensor pad_bottom_right(const Tensor& x) {
  return at::constant_pad_nd(x, {0, 1, 0, 1});
}

}  // namespace

/// Stride 4: a strided convolution, then two 2x2 convolutions beside a 2x2 maximum, joined by
/// another strided convolution.
class HgStem : public torch::nn::Module {
 public:
  HgStem(const BackboneSpec& spec, const HgBuilder& build) {
    const int64_t mid = spec.stem_mid;
    stem1_ = register_module("stem1", build.make({.in = 3, .out = mid, .kernel = 3, .stride = 2}));
    stem2a_ = register_module(
        "stem2a", build.make({.in = mid, .out = mid / 2, .kernel = 2, .padded = false}));
    stem2b_ = register_module(
        "stem2b", build.make({.in = mid / 2, .out = mid, .kernel = 2, .padded = false}));
    stem3_ =
        register_module("stem3", build.make({.in = 2 * mid, .out = mid, .kernel = 3, .stride = 2}));
    stem4_ = register_module("stem4", build.make({.in = mid, .out = spec.stem_out}));
  }

  Tensor forward(const Tensor& images) {
    const Tensor x = pad_bottom_right(stem1_->forward(images));
    const Tensor convolved = stem2b_->forward(pad_bottom_right(stem2a_->forward(x)));
    const Tensor pooled = at::max_pool2d(x, {2, 2}, {1, 1});
    return stem4_->forward(stem3_->forward(at::cat({pooled, convolved}, 1)));
  }

 private:
  std::shared_ptr<ConvNorm> stem1_, stem2a_, stem2b_, stem3_, stem4_;
};

class HgStages : public torch::nn::Module {
 public:
  HgStages(const BackboneSpec& spec, const HgBuilder& build)
      : list(register_module("stages", std::make_shared<ModuleList<HgStage>>())) {
    for (const StageSpec& stage : spec.stages) list->add(stage, build);
  }
  std::shared_ptr<ModuleList<HgStage>> list;
};

HgNetV2::HgNetV2(const BackboneSpec& spec, Initializer& init) : first_output_(spec.first_output) {
  const HgBuilder build{
      {"convolution", "normalization", {.counts_batches = false}}, spec.affine_blocks, init};
  stem_ = register_module("embedder", std::make_shared<HgStem>(spec, build));
  stages_ = register_module("encoder", std::make_shared<HgStages>(spec, build));
}

std::vector<Tensor> HgNetV2::forward(const Tensor& images) {
  std::vector<Tensor> features;
  Tensor x = stem_->forward(images);
  for (size_t i = 0; i < stages_->list->size(); ++i) {
    x = (*stages_->list)[i].forward(x);
    if (static_cast<int64_t>(i) >= first_output_) features.push_back(x);
  }
  return features;
}

}  // namespace dfine::inline model
