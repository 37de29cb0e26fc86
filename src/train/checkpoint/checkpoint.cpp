#include "train/checkpoint/checkpoint.h"

#include <ATen/ops/equal.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "files/absolute_path.h"
#include "files/atomic_path.h"
#include "files/link_or_copy.h"
#include "train/checkpoint/checkpoint_metrics.h"
#include "train/checkpoint/old_run_state.h"
#include "train/checkpoint/optimizer_state.h"
#include "train/checkpoint/run_state_json.h"
#include "weights/checkpoint_link.h"
#include "weights/class_heads.h"
#include "weights/folder_manifest.h"
#include "weights/pth.h"
#include "weights/safetensors.h"
#include "weights/weights.h"

namespace dfine::inline checkpoint {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

constexpr int64_t kFormatVersion = 2;  // of state.pth
constexpr int64_t kOldFormatVersion = 1;
constexpr const char *kModel = "model.safetensors", *kState = "state.pth",
                     *kMetrics = "metrics.json";

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

template <class T>
PthValue to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : PthValue();
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

template <class T>
void read(const PthValue& value, std::optional<T>& optional) {
  if (!value.is_none()) read(value, optional.emplace());
}

PthValue::Dict state_of(const Checkpoint& checkpoint) {
  PthValue::Dict state{{"format_version", kFormatVersion},
                       {"step", checkpoint.run.step},
                       {"epoch", checkpoint.run.epoch},
                       {"val_loss", checkpoint.run.val_loss}};
  LearnerState::entries(checkpoint.learner,
                        [&](const char* key, const auto& field) { state[key] = to_value(field); });
  return state;
}

void read_learner(const PthValue& state, LearnerState& learner) {
  LearnerState::entries(learner, [&](const std::string& key, auto& field) {
    if (key == "scaler" && !state.contains(key)) return;  // first versions lack it
    const ErrorContext at("in the entry ", key);
    read(state.at(key), field);
  });
}

void require_files(const fs::path& dir) {
  if (!fs::is_directory(dir)) throw Error(kFileMissing, "there is no such checkpoint folder");
  std::string missing;
  for (const char* name : {"config.json", "preprocessor_config.json", kModel, kState})
    if (!fs::exists(dir / name)) missing += str_cat(missing.empty() ? "" : ", ", name);
  if (!missing.empty())
    throw Error(kFileMissing, "the checkpoint lacks " + missing,
                "Only folders that training wrote can be continued from.");
}

/// Links to `folder` what a checkpoint of the same step has in common with `checkpoint`. Returns
/// the files' sums.
std::map<std::string, FileChecksum> link_unchanged(const fs::path& same_step,
                                                   const Checkpoint& checkpoint,
                                                   const fs::path& folder) {
  std::map<std::string, FileChecksum> linked;
  std::optional<FolderManifest> manifest;
  RunState before;
  try {
    manifest = read_folder_manifest(same_step);
    if (manifest) before = run_state_from_json(manifest->content);
  } catch (const Error&) {  // damaged: everything is written again
    return linked;
  }
  if (!manifest) return linked;
  for (const auto& [name, sum] : manifest->files) {
    if (name == kMetrics || (name == kModel && before.weights != checkpoint.held_weights()))
      continue;
    link_or_copy(same_step / name, folder / name);
    linked.emplace(name, sum);
  }
  return linked;
}

/// Of training without denoising, version 0.1 saved a class embedding that nothing used.
void drop_unused(Checkpoint& checkpoint) {
  if (checkpoint.description.spec.num_denoising != 0) return;
  const auto unused = [](const auto& item) { return is_denoising_embed(item.first); };
  std::erase_if(checkpoint.learner.model, unused);
  if (checkpoint.learner.ema) std::erase_if(checkpoint.learner.ema->tensors, unused);
}

}  // namespace

void save_checkpoint(const fs::path& target, const Checkpoint& checkpoint,
                     const SaveOptions& options) {
  const ErrorContext at("while saving the checkpoint ", target.string());
  AtomicFolder folder(absolute_path(target));
  const auto linked = options.same_step.empty()
                          ? std::map<std::string, FileChecksum>()
                          : link_unchanged(options.same_step, checkpoint, folder.path());
  if (!linked.contains("config.json"))
    write_hf_config(folder.path().string(), checkpoint.description);
  const WeightsKind held = checkpoint.held_weights();
  if (!linked.contains(kModel))
    write_safetensors((folder.path() / kModel).string(), held == WeightsKind::kEma
                                                             ? checkpoint.learner.ema->tensors
                                                             : checkpoint.learner.model);
  if (!linked.contains(kState)) write_pth((folder.path() / kState).string(), state_of(checkpoint));
  write_checkpoint_metrics(folder.path() / kMetrics, checkpoint);
  RunState run = checkpoint.run;
  run.weights = held;
  write_folder_manifest(folder.path(), run_state_json(run), linked);
  options.before_commit();
  folder.commit_new();
}

Checkpoint load_checkpoint(const fs::path& path) {
  const ErrorContext at("while loading the checkpoint ", path.string());
  const fs::path folder = follow_link_file(path);
  require_files(folder);
  const auto manifest = read_folder_manifest(folder);
  if (manifest) verify_files(folder, *manifest);

  Checkpoint checkpoint;
  checkpoint.description = describe_weights(folder.string());
  const std::string file = (folder / kState).string();
  const PthValue state = read_pth(file);
  {
    const ErrorContext in("in ", file);
    const int64_t version = state.at("format_version").as_int();
    if (version != kFormatVersion && version != kOldFormatVersion)
      throw Error(kVersionMismatch, str_cat("it is of format version ", version,
                                            ", this program reads version ", kFormatVersion));
    if (version == kFormatVersion && !manifest)
      throw Error(kFileMissing, str_cat("the checkpoint lacks ", kManifestFile));
    read_learner(state, checkpoint.learner);
    if (!manifest) checkpoint.run = old_run_state(state);
  }
  if (manifest) checkpoint.run = run_state_from_json(manifest->content);
  checkpoint.run.weights = checkpoint.held_weights();
  drop_unused(checkpoint);
  if (fs::exists(folder / kMetrics))
    checkpoint.run.validations = read_checkpoint_metrics(folder / kMetrics);
  return checkpoint;
}

}  // namespace dfine::inline checkpoint
