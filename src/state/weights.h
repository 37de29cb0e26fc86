#pragma once
// Weights into a model, from files with the names of the published Hugging Face checkpoints.
#include <map>
#include <string>
#include <vector>

#include <torch/nn/module.h>

#include "tensor.h"

namespace dfine {

/// The module's parameters and buffers by name, sharing its memory.
std::map<std::string, Tensor> named_tensors(const torch::nn::Module& module);

/// The published spelling of a tensor's name; other spellings are those of transformers' models in memory (`class_embed.0.weight` at the
/// top, `o_proj`, `aifi`, `mlp.layers.0`).
std::string published_name(const std::string& name);

/// The .safetensors file that `path` means: itself, or model.safetensors in the folder `path`. Throws Error if there is none.
std::string weights_file(const std::string& path);

/// Copies the weights at `path` (a folder with model.safetensors, or a .safetensors file) into `model`, in place.
///
/// A class head made for another number of classes (enc_score_head, decoder.class_embed.*, denoising_class_embed) is not loaded: its
/// weights stay as they are in `model`, its biases become -log(99), a prior probability of 0.01; every such tensor is logged and its
/// name returned. Batch counters (num_batches_tracked) may be missing or superfluous. Everything else that does not match (missing,
/// unexpected, shape, type) is one Error that lists all of it, and `model` is left untouched.
std::vector<std::string> load_weights(const std::string& path, const std::map<std::string, Tensor>& model);

}  // namespace dfine
