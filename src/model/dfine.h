#pragma once
// The D-FINE network (Peng et al., "D-FINE: Redefine Regression Task in DETRs as Fine-grained
// Distribution Refinement", ICLR 2025). B images, Q queries, N denoising queries, C classes.
#include <cstdint>
#include <memory>
#include <vector>

#include <torch/nn/module.h>

#include "distributed/communicator.h"
#include "model/denoising.h"
#include "model/foldable.h"
#include "model/outputs.h"
#include "tensor.h"
#include "variants/model_spec.h"

namespace dfine::inline model {

class BatchNorm2d;
class DFineModel;

/// named_parameters() and named_buffers() yield the names of the published Hugging Face files
/// (`model.backbone.model.embedder.stem1...`, `model.decoder.class_embed.0.weight`), one name per
/// tensor, whatever is frozen. Together they are exactly a model.safetensors. Without denoising
/// (num_denoising = 0) there is no `model.denoising_class_embed.weight`, as in transformers.
/// `model.decoder.up` and `.reg_scale` are parameters that never train. Starts in training mode;
/// train()/eval(), to(device), to(dtype) as any module. Not thread-safe: one forward at a time.
class DFine : public torch::nn::Module {
 public:
  /// Initialised as the official code does, from a generator of its own: equal (spec, seed) give
  /// equal weights.
  explicit DFine(const ModelSpec& spec, uint64_t seed = 0);

  /// images: [B, 3, H, W] in [0, 1], any strides, the parameters' device; H and W multiples of 32,
  /// not necessarily equal. Training fills every head of ModelOutput; evaluation only `layers` with
  /// the last layer (logits and boxes). `denoising` is used in training only. Null or without
  /// groups means no denoising heads. If spec().num_denoising > 0, the class embedding then still
  /// takes part in the graph with a zero gradient. So every trainable parameter gets a gradient in
  /// every step. Throws if the size is not a multiple of 32 or gives fewer tokens than queries.
  ModelOutput forward(const Tensor& images, const DenoisingQueries* denoising = nullptr);

  /// Live batch norms take their statistics over all ranks of `group` from now on (one rank alone:
  /// over its own batch).
  void set_group(const Communicator& group);

  /// Lays the convolutions' weights out as training lays out their inputs, so that no pass has to
  /// rearrange them: channels_last. Before an optimizer makes moments of theirs.
  void lay_out_for_training();

  /// Makes the forward pass faster, and rounds differently. Norms are folded into convolutions, the
  /// branches of RepVGG blocks are merged, and weights are rearranged once. Logits stay within 2e-4
  /// of transformers' (transformers_test.py). From now on the model is in evaluation mode, has no
  /// gradients, and cannot be saved: the convolutions' parameters are empty.
  void prepare_for_inference(Operators operators = Operators::kFused);

  const ModelSpec& spec() const { return spec_; }

 private:
  ModelSpec spec_;
  std::shared_ptr<DFineModel> model_;
  std::vector<BatchNorm2d*> norms_;  // all of model_
};

/// Elements of the trainable parameters, or of all. Those of frozen norms are not counted, as in
/// the official code, where they are buffers.
int64_t count_parameters(const DFine& model, bool trainable_only = false);

}  // namespace dfine::inline model
