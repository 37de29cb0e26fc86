#include "train/run/checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>

#include <filesystem>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "files/atomic_path.h"
#include "train/run/checkpoint_metrics.h"
#include "train/run/optimizer_state.h"
#include "weights/class_heads.h"
#include "weights/pth.h"
#include "weights/safetensors.h"
#include "weights/weights.h"

namespace dfine::inline run {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kFormatVersion = 1;
const char* const kMetrics = "metrics.json";

PthValue best_to_pth(const std::optional<Checkpoint::Best>& best) {
  if (!best) return {};
  return PthValue::Dict{{"monitor", best->monitor},
                        {"value", best->value},
                        {"val_loss", best->val_loss},
                        {"epoch", best->epoch},
                        {"step", best->step}};
}

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
      throw Error(str_cat(item->first, " differs from ", first->first,
                          ", another name of the same tensor"));
    item = tensors.erase(item);
  }
  return tensors;
}

PthValue average_to_pth(const std::optional<Checkpoint::Average>& ema) {
  if (!ema) return {};
  const auto restarted = ema->restarted_decay ? PthValue(*ema->restarted_decay) : PthValue();
  return PthValue::Dict{{"state_dict", state_dict(ema->tensors)},
                        {"updates", ema->updates},
                        {"restarted_decay", restarted}};
}

PthValue scaler_to_pth(const std::optional<GradScaler::State>& scaler) {
  if (!scaler) return {};
  return PthValue::Dict{{"scale", double{scaler->scale}},
                        {"growth_factor", double{GradScaler::kGrowth}},
                        {"backoff_factor", double{GradScaler::kBackoff}},
                        {"growth_interval", GradScaler::kGrowthInterval},
                        {"_growth_tracker", scaler->good_steps}};
}

Checkpoint::Average to_average(const PthValue& value) {
  Checkpoint::Average average{from_state_dict(value.at("state_dict")), value.at("updates").as_int(),
                              std::nullopt};
  // Older checkpoints lack it.
  if (value.contains("restarted_decay") && !value.at("restarted_decay").is_none()) {
    average.restarted_decay = value.at("restarted_decay").as_double();
  }
  return average;
}

std::string hexadecimal(uint64_t value) {
  std::ostringstream out;
  out << std::hex << value;
  return out.str();
}

PthValue::Dict state_of(const Checkpoint& checkpoint) {
  return {{"format_version", kFormatVersion},
          {"epoch", checkpoint.epoch},
          {"epoch_step", checkpoint.epoch_step},
          {"step", checkpoint.step},
          {"val_loss", checkpoint.val_loss},
          {"model_state_dict", state_dict(checkpoint.model)},
          {"optimizer_state_dict", to_pth(checkpoint.optimizer)},
          {"scaler", scaler_to_pth(checkpoint.scaler)},
          {"ema", average_to_pth(checkpoint.ema)},
          {"weights", weights_name(checkpoint.held_weights())},
          {"best", best_to_pth(checkpoint.best)},
          {"seed", checkpoint.seed},
          {"world_size", checkpoint.world_size},
          {"config_hash", hexadecimal(checkpoint.config_hash)},
          {"config", checkpoint.config}};
}

void read_state(const PthValue& state, Checkpoint& checkpoint) {
  const int64_t version = state.at("format_version").as_int();
  if (version != kFormatVersion)
    throw Error(str_cat("it is of format version ", version, ", this program reads version ",
                        kFormatVersion));
  const auto entry = [&](const char* key, auto read) {
    return with_context([&] { return read(state.at(key)); },
                        [&] { return str_cat("in the entry ", key); });
  };
  const auto as_int = [](const PthValue& value) { return value.as_int(); };
  checkpoint.epoch = entry("epoch", as_int);
  checkpoint.epoch_step = entry("epoch_step", as_int);
  checkpoint.step = entry("step", as_int);
  checkpoint.seed = entry("seed", as_int);
  checkpoint.world_size = entry("world_size", as_int);
  checkpoint.val_loss = entry("val_loss", [](const PthValue& value) { return value.as_double(); });
  checkpoint.model = entry("model_state_dict", from_state_dict);
  checkpoint.optimizer = entry("optimizer_state_dict", to_adamw_state);
  checkpoint.config = entry("config", [](const PthValue& value) { return value.as_string(); });
  checkpoint.config_hash = entry("config_hash", [](const PthValue& value) {
    std::istringstream in(value.as_string());
    uint64_t hash = 0;
    if (!(in >> std::hex >> hash)) throw Error("it is not a hexadecimal number");
    return hash;
  });
  // Older checkpoints lack it.
  if (state.contains("scaler") && !state.at("scaler").is_none()) {
    checkpoint.scaler = entry("scaler", [](const PthValue& value) {
      return GradScaler::State{static_cast<float>(value.at("scale").as_double()),
                               value.at("_growth_tracker").as_int()};
    });
  }
  entry("ema", [&](const PthValue& value) {
    if (!value.is_none()) checkpoint.ema = to_average(value);
  });
  checkpoint.weights = checkpoint.held_weights();
  if (state.contains("weights"))
    checkpoint.weights =
        entry("weights", [](const PthValue& value) { return to_weights_kind(value.as_string()); });
  entry("best", [&](const PthValue& value) {
    if (!value.is_none())
      checkpoint.best = Checkpoint::Best{.monitor = value.at("monitor").as_string(),
                                         .value = value.at("value").as_double(),
                                         .epoch = value.at("epoch").as_int(),
                                         .step = value.at("step").as_int()};
    if (checkpoint.best && value.contains("val_loss"))
      checkpoint.best->val_loss = value.at("val_loss").as_double();
  });
}

void require_files(const fs::path& dir) {
  if (!fs::is_directory(dir)) throw Error("there is no such checkpoint folder");
  std::string missing;
  for (const char* name :
       {"config.json", "preprocessor_config.json", "model.safetensors", "state.pth"})
    if (!fs::exists(dir / name)) missing += str_cat(missing.empty() ? "" : ", ", name);
  if (!missing.empty())
    throw Error("the checkpoint lacks " + missing,
                "Only folders that training wrote can be continued from.");
}

}  // namespace

void save_checkpoint(const std::string& dir, const Checkpoint& checkpoint) {
  with_context(
      [&] {
        const fs::path target = fs::absolute(dir).lexically_normal();
        fs::create_directories(target.parent_path());
        AtomicFolder folder(target);
        write_hf_config(folder.path().string(), checkpoint.description);
        const bool average = checkpoint.held_weights() == WeightsKind::kEma;
        write_safetensors((folder.path() / "model.safetensors").string(),
                          average ? checkpoint.ema->tensors : checkpoint.model);
        write_checkpoint_metrics(folder.path() / kMetrics, checkpoint);
        write_pth((folder.path() / "state.pth").string(), state_of(checkpoint));
        folder.commit();
      },
      [&] { return "while saving the checkpoint " + dir; });
}

ModelDescription describe_checkpoint(const std::string& dir) {
  return with_context(
      [&] {
        require_files(dir);
        return describe_weights(dir);
      },
      [&] { return "while loading the checkpoint " + dir; });
}

Checkpoint load_checkpoint(const std::string& dir) {
  return with_context(
      [&] {
        const fs::path folder(dir);
        require_files(folder);
        Checkpoint checkpoint;
        checkpoint.description = describe_weights(dir);
        const std::string file = (folder / "state.pth").string();
        const PthValue state = read_pth(file);
        with_context([&] { read_state(state, checkpoint); }, [&] { return "in " + file; });
        // Older checkpoints of training without denoising have a class embedding that nothing used.
        if (checkpoint.description.spec.num_denoising == 0) {
          const auto unused = [](const auto& item) { return is_denoising_embed(item.first); };
          std::erase_if(checkpoint.model, unused);
          if (checkpoint.ema) std::erase_if(checkpoint.ema->tensors, unused);
        }
        if (fs::exists(folder / kMetrics))
          checkpoint.validations = read_checkpoint_metrics(folder / kMetrics);
        return checkpoint;
      },
      [&] { return "while loading the checkpoint " + dir; });
}

void require_same_tensors(const std::map<std::string, Tensor>& saved,
                          const std::map<std::string, Tensor>& model) {
  std::string problems;
  for (const auto& [name, mine] : model) {
    const auto found = saved.find(name);
    if (found == saved.end()) {
      problems += str_cat("\n  ", name, ": missing");
    } else if (found->second.sizes() != mine.sizes() ||
               found->second.scalar_type() != mine.scalar_type()) {
      problems +=
          str_cat("\n  ", name, ": ", found->second.dtype().name(), " ", found->second.sizes(),
                  ", the model has ", mine.dtype().name(), " ", mine.sizes());
    }
  }
  for (const auto& [name, tensor] : saved)
    if (!model.contains(name)) problems += str_cat("\n  ", name, ": the model has no such tensor");
  if (!problems.empty())
    throw Error("the saved weights are not those of this model:" + problems,
                "The model's settings must be the same.");
}

void restore_tensors(const std::map<std::string, Tensor>& saved,
                     const std::map<std::string, Tensor>& model) {
  const at::NoGradGuard no_grad;
  require_same_tensors(saved, model);
  for (const auto& [name, mine] : model) Tensor(mine).copy_(saved.at(name));
}

}  // namespace dfine::inline run
