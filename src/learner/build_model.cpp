#include "learner/build_model.h"

#include "core/log.h"
#include "weights/backbone_weights.h"
#include "weights/class_heads.h"
#include "weights/hf_config.h"
#include "weights/weights.h"

namespace dfine::inline learner {

std::shared_ptr<DFine> build_model(const ModelOptions& options, bool read_weights) {
  const bool load = read_weights && !options.weights.empty();
  ClassHeadRemap rows;  // before the model, so that a mistake shows at once
  if (load)
    rows = class_rows(options.class_heads, options.class_names,
                      describe_weights(options.weights).class_names);
  auto model = std::make_shared<DFine>(options.spec, options.seed);
  if (load) {
    load_weights(options.weights, named_tensors(*model), rows);
    log::info(rows.report);
    if (!rows.warning.empty()) log::warn(rows.warning);
  } else if (read_weights && !options.backbone_weights.empty()) {
    load_backbone_weights(options.backbone_weights, named_tensors(*model));
  }
  freeze(*model, options.freeze);
  return model;
}

std::vector<Tensor> trained_parameters(const DFine& model) {
  std::vector<Tensor> parameters;
  for (const auto& parameter : model.parameters()) {
    if (parameter.requires_grad()) parameters.push_back(parameter);
  }
  return parameters;
}

}  // namespace dfine::inline learner
