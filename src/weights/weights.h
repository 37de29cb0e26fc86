#pragma once
// Weights into a model, from the published Hugging Face files and from the official code's .pth.
#include <map>
#include <string>

#include <torch/nn/module.h>

#include "tensor.h"

namespace dfine::inline weights {

struct ClassHeadRemap;

/// The module's parameters and buffers by name, sharing its memory.
std::map<std::string, Tensor> named_tensors(const torch::nn::Module& module);

/// The published spelling of a tensor's name; other spellings are those of transformers' models in
/// memory (`class_embed.0.weight` at the top, `o_proj`, `aifi`, `mlp.layers.0`).
std::string published_name(const std::string& name);

/// The second name that a tensor has in the state_dict() of transformers 4.57's
/// DFineForObjectDetection. There, class and box heads are modules of the decoder and of the model:
/// `class_embed.0.weight` of `model.decoder.class_embed.0.weight`. Empty for all other tensors. The
/// inverse of published_name.
std::string tied_name(const std::string& published);

/// The file that `path` means: itself, a .safetensors or .pth file, or model.safetensors in the
/// folder `path`. Throws Error if there is none; for the folder of a run it names the checkpoints
/// in it.
std::string weights_file(const std::string& path);

/// Copies the weights at `path` (see weights_file()) into `model`, in place. Names are the
/// published ones, or those of the official code (weights/official_names.h).
///
/// What does not match (missing, unexpected, shape, type) is one Error that lists all of it, and
/// `model` is left untouched. Batch counters (num_batches_tracked) may be missing or superfluous. A
/// missing denoising_class_embed stays as it is in `model`, with a line in the log: the weights are
/// of a model made without denoising. A model made without denoising ignores that of the file.
void load_weights(const std::string& path, const std::map<std::string, Tensor>& model);

/// The same, with the class heads (weights/class_heads.h) row by row: the file's are of
/// `rows.given` classes.
void load_weights(const std::string& path, const std::map<std::string, Tensor>& model,
                  const ClassHeadRemap& rows);

}  // namespace dfine::inline weights
