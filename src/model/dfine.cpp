#include "model/dfine.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/text.h"
#include "model/batch_norm.h"
#include "model/conv_norm.h"
#include "model/decoder.h"
#include "model/hgnetv2.h"
#include "model/hybrid_encoder.h"
#include "model/query_selection.h"

namespace dfine::inline model {
using enum ErrorCode;
namespace {

constexpr int64_t kSizeMultiple = 32;  // the coarsest level's stride

void check_size(const Tensor& images) {
  if (images.dim() != 4 || images.size(1) != 3)
    throw Error(kInternal,
                str_cat("images have shape ", images.sizes(), "; [B, 3, H, W] is needed"));
  const int64_t height = images.size(2), width = images.size(3);
  if (height == 0 || width == 0 || height % kSizeMultiple != 0 || width % kSizeMultiple != 0) {
    throw Error(kBadValue,
                str_cat("image size ", width, "x", height, " is not a multiple of ", kSizeMultiple,
                        " in both directions"),
                "resize the images, e.g. to 640x640");
  }
}

/// The first `count` queries and the rest.
std::pair<HeadOutput, HeadOutput> split_queries(const HeadOutput& head, int64_t count) {
  const auto split = [count](const Tensor& t) -> std::pair<Tensor, Tensor> {
    if (!t.defined()) return {};
    const auto parts = t.split_with_sizes({count, t.size(1) - count}, 1);
    return {parts[0], parts[1]};
  };
  const auto [logits, boxes, corners, ref_points] = std::tuple{
      split(head.logits), split(head.boxes), split(head.corners), split(head.ref_points)};
  return {{logits.first, boxes.first, corners.first, ref_points.first},
          {logits.second, boxes.second, corners.second, ref_points.second}};
}

}  // namespace

/// The published names' "model.": everything.
class DFineModel : public torch::nn::Module {
 public:
  DFineModel(const ModelSpec& spec, Initializer& init) : spec_(spec) {
    const auto backbone = register_module("backbone", std::make_shared<torch::nn::Module>());
    backbone_ = backbone->register_module("model", std::make_shared<HgNetV2>(spec.backbone, init));
    encoder_input_proj_ =
        register_module("encoder_input_proj", std::make_shared<ModuleList<ConvNorm>>());
    for (const int64_t channels : spec.backbone_channels())
      add_projection(*encoder_input_proj_, channels, spec.encoder_dim, init);
    encoder_ = register_module("encoder", std::make_shared<HybridEncoder>(spec, init));
    if (spec.num_denoising > 0) {
      denoising_class_embed_ =
          register_module("denoising_class_embed",
                          std::make_shared<Embedding>(spec.num_classes + 1, spec.decoder_dim,
                                                      /*padding=*/spec.num_classes, init));
    }
    selection_ = std::make_unique<QuerySelection>(*this, spec, init);
    decoder_input_proj_ =
        register_module("decoder_input_proj", std::make_shared<ModuleList<ConvNorm>>());
    if (spec.decoder_dim != spec.encoder_dim) {
      for (int64_t i = 0; i < spec.num_levels(); ++i) {
        add_projection(*decoder_input_proj_, spec.encoder_dim, spec.decoder_dim, init);
        at::NoGradGuard no_grad;
        (*decoder_input_proj_)[static_cast<size_t>(i)].named_parameters()["0.weight"].copy_(
            init.xavier_uniform({spec.decoder_dim, spec.encoder_dim, 1, 1}, spec.encoder_dim,
                                spec.decoder_dim));
      }
    }
    decoder_ = register_module("decoder", std::make_shared<Decoder>(spec, init));
  }

  ModelOutput forward(const Tensor& images, const DenoisingQueries* denoising) {
    const Memory memory = encode(images);
    const SelectedQueries selected = selection_->select(memory);
    const bool denoise = is_training() && denoising != nullptr && denoising->meta.groups > 0;
    if (denoise && !denoising_class_embed_)
      throw Error(kInternal, "the model was made without denoising (num_denoising = 0)");
    Decoder::Result decoded;
    if (denoise) {
      const Tensor content = denoising_class_embed_->forward(denoising->labels);
      const Tensor boxes_unact = at::cat(
          {denoising->boxes_unact.to(selected.boxes_unact.scalar_type()), selected.boxes_unact}, 1);
      const Tensor mask =
          denoising_attention_mask(denoising->meta, spec_.num_queries, boxes_unact.options());
      decoded = decoder_->forward(at::cat({content, selected.content.to(content.scalar_type())}, 1),
                                  boxes_unact, memory, mask);
    } else {
      decoded = decoder_->forward(selected.content, selected.boxes_unact, memory, {});
    }

    ModelOutput out;
    out.up = decoder_->up();
    out.reg_scale = decoder_->reg_scale();
    if (is_training()) out.enc = selected.head;
    if (denoise) {
      out.dn = denoising->meta;
      const int64_t count = out.dn.num_queries();
      for (const HeadOutput& layer : decoded.layers) {
        auto [dn, normal] = split_queries(layer, count);
        out.dn_layers.push_back(std::move(dn));
        out.layers.push_back(std::move(normal));
      }
      std::tie(out.dn_pre, out.pre) = split_queries(decoded.pre, count);
    } else {
      out.layers = std::move(decoded.layers);
      out.pre = std::move(decoded.pre);
      if (is_training() && denoising_class_embed_) {
        HeadOutput& last = out.layers.back();
        last.logits = last.logits + 0 * denoising_class_embed_->weight.sum();
      }
    }
    return out;
  }

 private:
  static void add_projection(ModuleList<ConvNorm>& list, int64_t in, int64_t out,
                             Initializer& init) {
    list.add(ConvNormShape{.in = in, .out = out}, ConvNormStyle{"0", "1", {}}, Activation::kNone,
             init);
  }

  Memory encode(const Tensor& images) {
    // channels_last is the faster layout, but its convolutions round differently from the
    // reference's; see ConvNorm::can_fuse.
    const bool plain = images.is_cpu() && !is_training();
    std::vector<Tensor> features = backbone_->forward(
        images.contiguous(plain ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast));
    for (size_t i = 0; i < features.size(); ++i)
      features[i] = (*encoder_input_proj_)[i].forward(features[i]);
    features = encoder_->forward(std::move(features));
    Memory memory;
    for (size_t i = 0; i < features.size(); ++i) {
      Tensor& f = features[i];
      if (decoder_input_proj_->size() > 0) f = (*decoder_input_proj_)[i].forward(f);
      memory.levels.push_back({f.size(2), f.size(3)});
      f = f.permute({0, 2, 3, 1})
              .reshape({f.size(0), f.size(2) * f.size(3), f.size(1)});  // [B, H * W, dim]
    }
    memory.tokens = at::cat(features, 1);
    return memory;
  }

  ModelSpec spec_;
  std::shared_ptr<HgNetV2> backbone_;
  std::shared_ptr<ModuleList<ConvNorm>> encoder_input_proj_,
      decoder_input_proj_;  // the latter is empty if the widths agree
  std::shared_ptr<HybridEncoder> encoder_;
  std::shared_ptr<Embedding> denoising_class_embed_;  // null without denoising
  std::unique_ptr<QuerySelection> selection_;
  std::shared_ptr<Decoder> decoder_;
};

DFine::DFine(const ModelSpec& spec, uint64_t seed) : spec_(spec) {
  validate(spec);
  Initializer init(seed);
  model_ = register_module("model", std::make_shared<DFineModel>(spec, init));
}

ModelOutput DFine::forward(const Tensor& images, const DenoisingQueries* denoising) {
  check_size(images);
  const ErrorContext at("in the forward pass of images of ", images.size(3), "x", images.size(2));
  return model_->forward(images, denoising);
}

void DFine::set_group(const Communicator& group) {
  for (const auto& module : modules(/*include_self=*/false)) {
    if (auto* norm = dynamic_cast<BatchNorm2d*>(module.get())) norm->set_group(group);
  }
}

int64_t count_parameters(const DFine& model, bool trainable_only) {
  int64_t count = 0;
  for (const auto& module : model.modules(/*include_self=*/false)) {
    const auto* norm = dynamic_cast<const BatchNorm2d*>(module.get());
    if (norm != nullptr && norm->frozen()) continue;
    for (const Tensor& p : module->parameters(/*recurse=*/false))
      if (!trainable_only || p.requires_grad()) count += p.numel();
  }
  return count;
}

}  // namespace dfine::inline model
