#pragma once
// RUN_DIR/checkpoints: numbered folders that never change once they are complete, and the links
// last, best and best_stage1 to some of them. For rank zero.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "train/checkpoint/run_state.h"

namespace dfine::inline checkpoint {

enum class CheckpointKind {
  kStep,       // "step-00000120": after a step
  kValidated,  // "step-00000120-val": the same step with the validation's metrics and weights
  kBadSteps,   // "step-00000120-bad": amid steps without a finite loss; nothing continues from it
};

/// Of a numbered folder. Later ones compare greater; of one step the validated one.
struct CheckpointName {
  int64_t step = 0;
  CheckpointKind kind = CheckpointKind::kStep;

  std::string text() const;
  /// Nothing for any other text.
  static std::optional<CheckpointName> parse(const std::string& text);
  auto operator<=>(const CheckpointName&) const = default;
};

/// Which folders stay.
struct KeepOptions {
  int64_t newest = 2;                 // of the newest N steps
  int64_t every_epochs = 0;           // and that of the end of every N-th epoch; 0: none
  std::set<int64_t> also_steps = {};  // best, and what stage 2 goes back to
};

class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path path(const CheckpointName& name) const { return folder_ / name.text(); }
  std::filesystem::path link_path(const std::string& link) const { return folder_ / link; }

  /// What a run can continue from, complete or damaged, newest first: without kBadSteps.
  std::vector<CheckpointName> list() const;
  /// The checkpoint of a step, the validated one if there is one.
  std::optional<CheckpointName> of_step(int64_t step) const;

  /// Replaces a link, in one step.
  void link(const std::string& link, const CheckpointName& name) const;
  /// Removes a link; nothing else.
  void unlink(const std::string& link) const;

  /// Moves what is newer than `current`, and what was saved amid bad steps, to the new folder
  /// set-aside-N. Returns it; empty if there was nothing. Checkpoints of the steps that training
  /// will do again are then out of its way.
  std::filesystem::path set_aside(const CheckpointName& current) const;

  /// Removes what need not stay, and the plain folder of each step that has a validated one. What a
  /// link means stays. A folder is renamed before it is emptied: none is ever seen half removed.
  void prune(const KeepOptions& keep) const;

  /// Turns the folders last, best and best_stage1 of version 0.1 into numbered ones with a manifest
  /// and links. `complete`: fills in what their state lacks (adopt_old_state()). Returns what is
  /// wrong with those that cannot be read; they are set aside.
  std::vector<std::string> adopt_old_folders(const std::function<void(RunState&)>& complete) const;

 private:
  std::filesystem::path new_aside_folder() const;

  std::filesystem::path folder_;
};

}  // namespace dfine::inline checkpoint
