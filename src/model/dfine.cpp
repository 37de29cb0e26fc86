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

  void fold(Operators operators) {
    folded_ = true;
    for (const auto& module : modules(/*include_self=*/false))
      if (auto* layer = dynamic_cast<Foldable*>(module.get())) layer->fold(operators);
  }

  ModelOutput forward(const Tensor& images, const DenoisingQueries* denoising) {
    const Memory memory = encode(images);
    const SelectedQueries selected = selection_->select(memory);
    const bool denoise = is_training() && denoising != nullptr && denoising->meta.num_queries() > 0;
    if (denoise && !denoising_class_embed_)
      throw Error(kInternal, "the model was made without denoising (num_denoising = 0)");
    ModelOutput out;
    if (denoise) {
      out.dn = denoising->meta;
      const Tensor content = denoising_class_embed_->forward(denoising->labels);
      const Tensor boxes_unact = at::cat(
          {denoising->boxes_unact.to(selected.boxes_unact.scalar_type()), selected.boxes_unact}, 1);
      const Tensor mask =
          denoising_attention_mask(out.dn, spec_.num_queries, boxes_unact.options());
      out.decoder =
          decoder_->forward(at::cat({content, selected.content.to(content.scalar_type())}, 1),
                            boxes_unact, memory, mask);
    } else {
      out.decoder = decoder_->forward(selected.content, selected.boxes_unact, memory, {});
      if (is_training() && denoising_class_embed_)
        out.decoder.logits = out.decoder.logits + 0 * denoising_class_embed_->weight.sum();
    }
    if (is_training()) out.enc = selected.head;
    out.up = decoder_->up();
    out.reg_scale = decoder_->reg_scale();
    return out;
  }

 private:
  static void add_projection(ModuleList<ConvNorm>& list, int64_t in, int64_t out,
                             Initializer& init) {
    list.add(ConvShape{.in = in, .out = out}, ConvNormStyle{"0", "1", {}}, Activation::kNone, init);
  }

  Memory encode(const Tensor& images) {
    // channels_last is the faster layout, but its convolutions round differently from the
    // reference's; see ConvNorm::can_fuse.
    const bool plain = images.is_cpu() && !is_training() && !folded_;
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
  bool folded_ = false;
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
  for (const auto& module : modules(/*include_self=*/false))
    if (auto* norm = dynamic_cast<BatchNorm2d*>(module.get())) norms_.push_back(norm);
}

ModelOutput DFine::forward(const Tensor& images, const DenoisingQueries* denoising) {
  check_size(images);
  const ErrorContext at("in the forward pass of images of ", images.size(3), "x", images.size(2));
  ModelOutput output = model_->forward(images, denoising);
  count_batch(norms_);
  return output;
}

void DFine::set_group(const Communicator& group) {
  for (BatchNorm2d* norm : norms_) norm->set_group(group);
}

void DFine::lay_out_for_training() {
  for (Tensor& weight : parameters())
    if (weight.dim() == 4)
      weight.set_data(weight.detach().contiguous(at::MemoryFormat::ChannelsLast));
}

void DFine::prepare_for_inference(Operators operators) {
  eval();
  model_->fold(operators);
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
