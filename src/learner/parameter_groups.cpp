#include "learner/parameter_groups.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <regex>
#include <sstream>

#include "core/error.h"
#include "core/text.h"
#include "model/parameter_roles.h"

namespace dfine::inline learner {
namespace {

class Patterns {
 public:
  explicit Patterns(const std::vector<std::string>& texts)
      : texts_(texts), found_(texts.size(), false) {
    for (const std::string& text : texts) regexes_.emplace_back(text);
  }

  bool match(const RoledParameter& parameter) {
    bool any = false;
    for (size_t i = 0; i < regexes_.size(); ++i) {
      const bool here =
          std::regex_search(str_cat(parameter.role, " ", parameter.name), regexes_[i]);
      if (here) found_[i] = true;
      any = any || here;
    }
    return any;
  }

  void require_all_found() const {
    for (size_t i = 0; i < texts_.size(); ++i) {
      if (!found_[i])
        throw Error(ErrorCode::kBadValue,
                    str_cat("optim.no_decay: no parameter matches \"", texts_[i], "\""),
                    "patterns are searched in a parameter's role and name, such as "
                    "\"decoder.norm.weight model.decoder.layers.0."
                    "final_layer_norm.weight\"; the parts are backbone, encoder and decoder");
    }
  }

 private:
  const std::vector<std::string>& texts_;
  std::vector<std::regex> regexes_;
  std::vector<bool> found_;
};

}  // namespace

std::vector<ParameterGroup> parameter_groups(const DFine& model, const OptimizerOptions& options) {
  std::array<ParameterGroup, 4> all;  // backbone without decay, backbone, rest without decay, rest
  for (size_t g = 0; g < all.size(); ++g) {
    const bool backbone = g < 2, decays = g % 2 == 1;
    all[g].hyper = {.lr = backbone && options.backbone_lr > 0 ? options.backbone_lr : options.lr,
                    .weight_decay = decays ? options.weight_decay : 0,
                    .beta1 = options.beta1,
                    .beta2 = options.beta2,
                    .eps = options.eps};
    all[g].label = str_cat(backbone                  ? "backbone"
                           : options.backbone_lr > 0 ? "encoder and decoder"
                                                     : "all parts",
                           decays ? "" : ", no decay");
  }
  Patterns no_decay(options.no_decay);
  for (const RoledParameter& item : parameter_roles(model)) {
    const bool decays = !no_decay.match(item);
    if (!item.parameter.requires_grad()) continue;
    const bool backbone = options.backbone_lr > 0 && item.in_backbone();
    ParameterGroup& group = all[(backbone ? 0U : 2U) + (decays ? 1U : 0U)];
    group.names.push_back(item.name);
    group.parameters.push_back(item.parameter);
  }
  no_decay.require_all_found();
  std::vector<ParameterGroup> groups;
  for (ParameterGroup& group : all) {
    if (!group.parameters.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

std::string describe_groups(const std::vector<ParameterGroup>& groups) {
  std::ostringstream out;
  out << std::left << std::setw(30) << "  group" << std::right << std::setw(9) << "tensors"
      << std::setw(15) << "parameters" << std::setw(12) << "lr" << std::setw(15) << "weight decay";
  for (const ParameterGroup& group : groups) {
    long long elements = 0;
    for (const Tensor& parameter : group.parameters) elements += parameter.numel();
    out << "\n  " << std::left << std::setw(28) << group.label << std::right << std::setw(9)
        << with_commas(static_cast<long long>(group.parameters.size())) << std::setw(15)
        << with_commas(elements) << std::setw(12) << group.hyper.lr << std::setw(15)
        << group.hyper.weight_decay;
  }
  return out.str();
}

}  // namespace dfine::inline learner
