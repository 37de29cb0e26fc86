#include "train/checkpoint/optimizer_state.h"

#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline checkpoint {
using enum ErrorCode;
namespace {

PthValue::Dict group_to_pth(const AdamWState::Group& group) {
  PthValue::List indices, names;
  for (const int64_t index : group.indices) indices.emplace_back(index);
  for (const std::string& name : group.names) names.emplace_back(name);
  PthValue::Dict dict{{"lr", group.hyper.lr},
                      {"betas", PthValue::List{group.hyper.beta1, group.hyper.beta2}},
                      {"eps", group.hyper.eps},
                      {"weight_decay", group.hyper.weight_decay},
                      {"amsgrad", false},
                      {"maximize", false},
                      {"foreach", {}},
                      {"capturable", false},
                      {"differentiable", false},
                      {"fused", true},
                      {"decoupled_weight_decay", true},
                      {"params", std::move(indices)}};
  if (!names.empty()) dict["param_names"] = std::move(names);
  return dict;
}

AdamWState::Group group_from_pth(const PthValue& value) {
  for (const char* key : {"amsgrad", "maximize"})
    if (value.contains(key) && value.at(key).as_bool())
      throw Error(kCheckpointMismatch, str_cat(key, " is on, which this AdamW does not have"));
  AdamWState::Group group;
  group.hyper.lr = value.at("lr").as_double();
  group.hyper.eps = value.at("eps").as_double();
  group.hyper.weight_decay = value.at("weight_decay").as_double();
  const auto& betas = value.at("betas").as_list();
  if (betas.size() != 2)
    throw Error(kFileDamaged, str_cat("betas has ", betas.size(), " entries, not 2"));
  group.hyper.beta1 = betas[0].as_double();
  group.hyper.beta2 = betas[1].as_double();
  for (const PthValue& index : value.at("params").as_list())
    group.indices.push_back(index.as_int());
  if (value.contains("param_names"))
    for (const PthValue& name : value.at("param_names").as_list())
      group.names.push_back(name.as_string());
  if (!group.names.empty() && group.names.size() != group.indices.size())
    throw Error(kFileDamaged, str_cat("param_names has ", group.names.size(), " entries for ",
                                      group.indices.size(), " parameters"));
  return group;
}

}  // namespace

PthValue::Dict adamw_to_pth(const AdamWState& state) {
  PthValue::Dict moments;
  for (const auto& [index, m] : state.moments)
    moments[index] =
        PthValue::Dict{{"step", m.step}, {"exp_avg", m.exp_avg}, {"exp_avg_sq", m.exp_avg_sq}};
  PthValue::List groups;
  for (const AdamWState::Group& group : state.groups) groups.emplace_back(group_to_pth(group));
  return {{"state", std::move(moments)}, {"param_groups", std::move(groups)}};
}

AdamWState to_adamw_state(const PthValue& value) {
  AdamWState state;
  for (const auto& [key, moments] : value.at("state").as_dict()) {
    const auto* index = std::get_if<int64_t>(&key);
    if (!index)
      throw Error(kFileDamaged,
                  "state has the key " + std::get<std::string>(key) + ", not a parameter's index");
    const ErrorContext at("in the state of parameter ", *index);
    state.moments[*index] = {moments.at("step").as_tensor(), moments.at("exp_avg").as_tensor(),
                             moments.at("exp_avg_sq").as_tensor()};
  }
  for (const PthValue& group : value.at("param_groups").as_list()) {
    const ErrorContext at("in param_groups[", state.groups.size(), "]");
    state.groups.push_back(group_from_pth(group));
  }
  return state;
}

}  // namespace dfine::inline checkpoint
