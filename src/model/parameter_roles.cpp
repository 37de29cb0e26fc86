#include "model/parameter_roles.h"

#include <set>

#include "core/text.h"
#include "model/batch_norm.h"
#include "model/layers.h"

namespace dfine::inline model {
namespace {

const char* part_of(const std::string& name) {
  if (name.starts_with("model.backbone.")) return "backbone";
  if (name.starts_with("model.encoder.") || name.starts_with("model.encoder_input_proj."))
    return "encoder";
  return "decoder";
}

}  // namespace

std::vector<RoledParameter> parameter_roles(const DFine& model) {
  std::set<std::string> norms;
  for (const auto& item : model.named_modules(/*name_prefix=*/"", /*include_self=*/false)) {
    const auto* module = item.value().get();
    if (dynamic_cast<const BatchNorm2d*>(module) || dynamic_cast<const LayerNorm*>(module))
      norms.insert(item.key());
  }
  std::vector<RoledParameter> parameters;
  for (const auto& item : model.named_parameters()) {
    const std::string& name = item.key();
    const size_t dot = name.rfind('.');
    const char* norm = norms.contains(name.substr(0, dot)) ? "norm." : "";
    parameters.push_back(
        {str_cat(part_of(name), ".", norm, name.substr(dot + 1)), name, item.value()});
  }
  return parameters;
}

}  // namespace dfine::inline model
