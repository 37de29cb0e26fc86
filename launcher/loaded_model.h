#pragma once
// A trained model with what its folder says about it, for evaluation and prediction.
#include <memory>
#include <string>

#include "model/dfine.h"
#include "state/hf_config.h"

namespace dfine {

struct LoadedModel {
  std::shared_ptr<DFine> model;  // evaluation mode, on `device`
  ModelDescription description;
  at::Device device = at::kCPU;

  /// What predictions call a label: the data set's category id, or the label itself where the folder has none.
  int64_t category_id(int64_t label) const;
  /// The class's name, or its number where the folder has none.
  std::string class_name(int64_t label) const;
};

/// "auto" (CUDA where there is a GPU), "cpu" or "cuda". Throws Error when there is no GPU to use.
at::Device parse_device(const std::string& name);

/// A folder (config.json, model.safetensors) or a lone .safetensors file. The classes are those of the tensors; config.json must agree.
LoadedModel load_model(const std::string& path, at::Device device);

}  // namespace dfine
