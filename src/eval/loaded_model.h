#pragma once
// A trained model with what its folder says about it, for evaluation and prediction.
#include <memory>
#include <string>

#include "model/dfine.h"
#include "weights/hf_config.h"

namespace dfine::inline eval {

struct LoadedModel {
  std::shared_ptr<DFine> model;  // evaluation mode, on `device`
  ModelDescription description;
  at::Device device = at::kCPU;

  /// The class's name; LABEL_0, ... where the weights name none.
  const std::string& class_name(int64_t label) const;
  bool has_class_names() const;
};

/// "auto" (CUDA where there is a GPU), "cpu", "cuda" or "cuda:N". Makes that GPU the one that the
/// calling thread uses. Throws Error when there is no such GPU.
at::Device parse_device(const std::string& name);

/// A folder (config.json, model.safetensors) or a lone .safetensors file. The classes are those of
/// the tensors; config.json must agree.
LoadedModel load_model(const std::string& path, at::Device device);

}  // namespace dfine::inline eval
