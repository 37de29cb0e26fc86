#include "train/checkpoint/checkpoint.h"

#include <ATen/ops/equal.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "files/absolute_path.h"
#include "files/atomic_path.h"
#include "train/checkpoint/checkpoint_metrics.h"
#include "train/checkpoint/optimizer_state.h"
#include "weights/class_heads.h"
#include "weights/pth.h"
#include "weights/safetensors.h"
#include "weights/weights.h"

namespace dfine::inline checkpoint {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

constexpr int64_t kFormatVersion = 1;
const char* const kMetrics = "metrics.json";

/// As the state_dict() of transformers 4.57, which load_state_dict() wants whole: tied tensors
/// stand under both their names.
PthValue::Dict state_dict(const std::map<std::string, Tensor>& tensors) {
  PthValue::Dict dict = to_pth(tensors);
  for (const auto& [name, tensor] : tensors)
    if (const std::string second = tied_name(name); !second.empty()) dict.emplace(second, tensor);
  return dict;
}

/// One name for each tensor. Older checkpoints have only those.
std::map<std::string, Tensor> from_state_dict(const PthValue& dict) {
  std::map<std::string, Tensor> tensors = to_tensors(dict);
  for (auto item = tensors.begin(); item != tensors.end();) {
    const auto first = tensors.find(published_name(item->first));
    if (first == item || first == tensors.end()) {
      ++item;
      continue;
    }
    if (!at::equal(first->second, item->second))
      throw Error(kFileDamaged, str_cat(item->first, " differs from ", first->first,
                                        ", another name of the same tensor"));
    item = tensors.erase(item);
  }
  return tensors;
}

// An entry's value for each type that a state has, and back.

template <class T>
PthValue to_value(const T& value) {
  return value;
}

PthValue to_value(const std::map<std::string, Tensor>& tensors) {
  return state_dict(tensors);
}

PthValue to_value(const AdamWState& optimizer) {
  return adamw_to_pth(optimizer);
}

PthValue to_value(const GradScaler::State& scaler) {
  return PthValue::Dict{{"scale", double{scaler.scale}},
                        {"growth_factor", double{GradScaler::kGrowth}},
                        {"backoff_factor", double{GradScaler::kBackoff}},
                        {"growth_interval", GradScaler::kGrowthInterval},
                        {"_growth_tracker", scaler.good_steps}};
}

PthValue to_value(const LearnerState::EmaState& ema) {
  const auto restarted = ema.restarted_decay ? PthValue(*ema.restarted_decay) : PthValue();
  return PthValue::Dict{{"state_dict", state_dict(ema.tensors)},
                        {"updates", ema.updates},
                        {"restarted_decay", restarted}};
}

PthValue to_value(const RunState::Best& best) {
  return PthValue::Dict{{"monitor", monitor_name(best.monitor)},
                        {"value", best.value},
                        {"val_loss", best.val_loss},
                        {"epoch", best.epoch},
                        {"step", best.step}};
}

PthValue to_value(WeightsKind weights) {
  return weights_name(weights);
}

template <class T>
PthValue to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : PthValue();
}

void read(const PthValue& value, int64_t& number) {
  number = value.as_int();
}

void read(const PthValue& value, double& number) {
  number = value.as_double();
}

void read(const PthValue& value, std::string& text) {
  text = value.as_string();
}

void read(const PthValue& value, std::map<std::string, Tensor>& tensors) {
  tensors = from_state_dict(value);
}

void read(const PthValue& value, AdamWState& optimizer) {
  optimizer = to_adamw_state(value);
}

void read(const PthValue& value, GradScaler::State& scaler) {
  scaler = {static_cast<float>(value.at("scale").as_double()),
            value.at("_growth_tracker").as_int()};
}

void read(const PthValue& value, LearnerState::EmaState& ema) {
  ema.tensors = from_state_dict(value.at("state_dict"));
  ema.updates = value.at("updates").as_int();
  // Older checkpoints lack it.
  if (value.contains("restarted_decay") && !value.at("restarted_decay").is_none())
    ema.restarted_decay = value.at("restarted_decay").as_double();
}

void read(const PthValue& value, RunState::Best& best) {
  best = {.monitor = to_monitor(value.at("monitor").as_string()),
          .value = value.at("value").as_double(),
          .epoch = value.at("epoch").as_int(),
          .step = value.at("step").as_int()};
  if (value.contains("val_loss")) best.val_loss = value.at("val_loss").as_double();
}

void read(const PthValue& value, WeightsKind& weights) {
  weights = to_weights_kind(value.as_string());
}

template <class T>
void read(const PthValue& value, std::optional<T>& optional) {
  if (!value.is_none()) read(value, optional.emplace());
}

PthValue::Dict state_of(const Checkpoint& checkpoint) {
  PthValue::Dict state{{"format_version", kFormatVersion}};
  const auto write = [&](const char* key, const auto& field) { state[key] = to_value(field); };
  LearnerState::entries(checkpoint.learner, write);
  RunState::entries(checkpoint.run, write);
  write("weights", checkpoint.held_weights());
  return state;
}

void read_state(const PthValue& state, Checkpoint& checkpoint) {
  const int64_t version = state.at("format_version").as_int();
  if (version != kFormatVersion)
    throw Error(kVersionMismatch, str_cat("it is of format version ", version,
                                          ", this program reads version ", kFormatVersion));
  const auto read_entry = [&](const std::string& key, auto& field) {
    // Older checkpoints lack these two.
    if ((key == "scaler" || key == "weights") && !state.contains(key)) return;
    const ErrorContext at("in the entry ", key);
    read(state.at(key), field);
  };
  LearnerState::entries(checkpoint.learner, read_entry);
  RunState::entries(checkpoint.run, read_entry);
  checkpoint.run.weights = checkpoint.held_weights();
}

void require_files(const fs::path& dir) {
  if (!fs::is_directory(dir)) throw Error(kFileMissing, "there is no such checkpoint folder");
  std::string missing;
  for (const char* name :
       {"config.json", "preprocessor_config.json", "model.safetensors", "state.pth"})
    if (!fs::exists(dir / name)) missing += str_cat(missing.empty() ? "" : ", ", name);
  if (!missing.empty())
    throw Error(kFileMissing, "the checkpoint lacks " + missing,
                "Only folders that training wrote can be continued from.");
}

}  // namespace

void save_checkpoint(const std::string& dir, const Checkpoint& checkpoint) {
  const ErrorContext at("while saving the checkpoint ", dir);
  const fs::path target = absolute_path(dir);
  fs::create_directories(target.parent_path());
  AtomicFolder folder(target);
  write_hf_config(folder.path().string(), checkpoint.description);
  const bool ema = checkpoint.held_weights() == WeightsKind::kEma;
  write_safetensors((folder.path() / "model.safetensors").string(),
                    ema ? checkpoint.learner.ema->tensors : checkpoint.learner.model);
  write_checkpoint_metrics(folder.path() / kMetrics, checkpoint);
  write_pth((folder.path() / "state.pth").string(), state_of(checkpoint));
  folder.commit();
}

ModelDescription describe_checkpoint(const std::string& dir) {
  const ErrorContext at("while loading the checkpoint ", dir);
  require_files(dir);
  return describe_weights(dir);
}

Checkpoint load_checkpoint(const std::string& dir) {
  const ErrorContext at("while loading the checkpoint ", dir);
  const fs::path folder(dir);
  require_files(folder);
  Checkpoint checkpoint;
  checkpoint.description = describe_weights(dir);
  const std::string file = (folder / "state.pth").string();
  const PthValue state = read_pth(file);
  {
    const ErrorContext in("in ", file);
    read_state(state, checkpoint);
  }
  // Older checkpoints of training without denoising have a class embedding that nothing used.
  if (checkpoint.description.spec.num_denoising == 0) {
    const auto unused = [](const auto& item) { return is_denoising_embed(item.first); };
    std::erase_if(checkpoint.learner.model, unused);
    if (checkpoint.learner.ema) std::erase_if(checkpoint.learner.ema->tensors, unused);
  }
  if (fs::exists(folder / kMetrics))
    checkpoint.run.validations = read_checkpoint_metrics(folder / kMetrics);
  return checkpoint;
}

}  // namespace dfine::inline checkpoint
