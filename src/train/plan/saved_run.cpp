#include "train/plan/saved_run.h"

#include <algorithm>
#include <string_view>

#include "config/keys.h"
#include "config/load.h"
#include "core/error.h"
#include "core/text.h"

namespace dfine::inline plan {
using enum ErrorCode;
namespace {

Config config_of(const RunState& saved) {
  return parse_saved_config(saved.config, "the checkpoint's configuration");
}

/// Both sides of everything that differs.
class Differences {
 public:
  explicit Differences(const std::vector<std::string>& allowed) : allowed_(allowed) {
    for (const std::string& name : allowed) add(name);  // it stays in the advice
  }

  /// `may_be_allowed`: a name of run.allow_changed; empty: nothing allows it.
  void compare(std::string_view may_be_allowed, const std::string& what, const std::string& saved,
               const std::string& now) {
    if (saved == now || std::ranges::find(allowed_, may_be_allowed) != allowed_.end()) return;
    text_ += str_cat("\n  ", what, ": ", saved, " in the checkpoint, ", now, " now");
    if (may_be_allowed.empty()) {
      never_ = true;
    } else {
      add(may_be_allowed);
    }
  }

  void throw_if_any() const {
    if (text_.empty()) return;
    throw Error(
        kCheckpointMismatch, "this run differs from the one that saved the checkpoint:" + text_,
        str_cat(
            "continue with what the checkpoint was trained with",
            never_ ? "" : str_cat(", allow the difference with run.allow_changed = [", names_, "]"),
            ", or start a new run from its weights: --resume none --set "
            "model.weights=FOLDER"));
  }

 private:
  void add(std::string_view name) {
    const std::string quoted = str_cat('"', name, '"');
    if (names_.find(quoted) == std::string::npos)
      names_ += str_cat(names_.empty() ? "" : ", ", quoted);
  }

  const std::vector<std::string>& allowed_;
  std::string text_, names_;
  bool never_ = false;
};

/// All classes; of many, how many there are and the first that differs from the other side's.
std::string class_text(const std::vector<std::string>& names,
                       const std::vector<std::string>& other) {
  constexpr size_t kMost = 20;
  if (names.size() <= kMost && other.size() <= kMost) return listed(names);
  const auto differs = std::ranges::mismatch(names, other).in1;
  return str_cat(names.size(), " classes",
                 differs == names.end()
                     ? ""
                     : str_cat(", number ", differs - names.begin() + 1, " is \"", *differs, '"'));
}

}  // namespace

void adopt_old_state(RunState& state) {
  if (state.global_batch > 0) return;
  const Config saved = config_of(state);
  state.global_batch =
      saved.data.batch_size * state.world_size * saved.train.gradient_accumulation_steps;
  state.epoch_samples *= state.global_batch;
  state.samples = state.step * state.global_batch;
  const int64_t stage2 = stage2_epoch(saved);
  const bool begun = state.epoch > stage2 || (state.epoch == stage2 && state.epoch_samples > 0);
  state.stage = stage2 > 0 && begun ? 2 : 1;
  // Of the epochs that are complete: the one under way has not been validated yet.
  if (state.best && saved.validate.every_epochs > 0)
    state.validations_without_best =
        std::max<int64_t>(0, (state.epoch - 1 - state.best->epoch) / saved.validate.every_epochs);
}

void require_continuable(const RunState& saved, const ModelDescription& model, const RunPlan& plan,
                         const std::vector<Category>& classes) {
  const Config config = config_of(saved);
  Differences differences(plan.allow_changed);
  differences.compare("", "model.size", config.model.size, plan.model_size);
  // With denoising the model has a class embedding more.
  const int64_t before = config.model.num_denoising, now = plan.model.spec.num_denoising;
  if ((before > 0) != (now > 0))
    differences.compare("", "model.num_denoising", str_cat(before), str_cat(now));
  if (!saved.train_data.empty())
    differences.compare("data", "data.train", saved.train_data, plan.train_data);
  if (!saved.val_data.empty() && !plan.val_data.empty())  // validation may be switched on and off
    differences.compare("data", "data.val", saved.val_data, plan.val_data);
  std::vector<std::string> names;
  for (const Category& category : classes) names.push_back(category.name);
  if (names != model.class_names)
    differences.compare("classes", "classes", class_text(model.class_names, names),
                        class_text(names, model.class_names));
  const ImageSize size = plan.feed.loader.sample.size;
  differences.compare("image_size", "data.image_size (height x width)",
                      str_cat(model.image_height, "x", model.image_width),
                      str_cat(size.height, "x", size.width));
  differences.compare("num_queries", "model.num_queries", str_cat(model.spec.num_queries),
                      str_cat(plan.model.spec.num_queries));
  differences.throw_if_any();
}

std::string changed_settings(const std::string& saved_toml, const std::string& now_toml) {
  const Config saved = parse_saved_config(saved_toml, "the checkpoint's configuration"),
               config = parse_saved_config(now_toml, "the run's configuration");
  std::string changes;
  for (const ConfigKey& key : config_keys()) {
    const std::string before = to_toml(key.get(saved)), now = to_toml(key.get(config));
    if (before != now && key.name != "run.resume")
      changes += str_cat("\n  ", key.name, " = ", now, ", was ", before);
  }
  return changes;
}

}  // namespace dfine::inline plan
