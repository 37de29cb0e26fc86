#include "train/checkpoint/checkpoint_store.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/text.h"
#include "files/file_error.h"
#include "files/file_sync.h"
#include "train/checkpoint/checkpoint.h"
#include "train/checkpoint/run_state_json.h"
#include "weights/checkpoint_link.h"
#include "weights/folder_manifest.h"

namespace dfine::inline checkpoint {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "step-";
constexpr std::array<std::pair<CheckpointKind, std::string_view>, 3> kSuffixes{
    {{CheckpointKind::kStep, ""},
     {CheckpointKind::kValidated, "-val"},
     {CheckpointKind::kBadSteps, "-bad"}}};
constexpr size_t kDigits = 8;

std::vector<CheckpointName> all_in(const fs::path& folder) {
  std::vector<CheckpointName> names;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const auto name = CheckpointName::parse(entry->path().filename().string());
    if (name && fs::is_directory(entry->path(), failed)) names.push_back(*name);
  }
  std::ranges::sort(names, std::greater<>());
  return names;
}

void move(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::rename(from, to, failed);
  if (failed) throw_file_error(str_cat("move ", from.string(), " to"), to, failed.value());
}

bool ends_nth_epoch(const fs::path& checkpoint, int64_t every) {
  try {
    const auto manifest = read_folder_manifest(checkpoint);
    if (!manifest) return false;
    const RunState state = run_state_from_json(manifest->content);
    return state.epoch_samples == 0 && state.epoch > 0 && state.epoch % every == 0;
  } catch (const Error&) {
    return true;  // damaged: it is not for us to remove
  }
}

}  // namespace

std::string CheckpointName::text() const {
  std::array<char, 32> number{};
  std::snprintf(number.data(), number.size(), "%0*lld", static_cast<int>(kDigits),
                static_cast<long long>(step));
  return str_cat(kPrefix, number.data(), kSuffixes[static_cast<size_t>(kind)].second);
}

std::optional<CheckpointName> CheckpointName::parse(const std::string& text) {
  for (const auto& [kind, suffix] : kSuffixes) {
    if (!text.starts_with(kPrefix) || !text.ends_with(suffix)) continue;
    const char* const begin = text.data() + kPrefix.size();
    const char* const end = text.data() + text.size() - suffix.size();
    CheckpointName name{.step = 0, .kind = kind};
    const auto parsed = std::from_chars(begin, end, name.step);
    if (parsed.ec == std::errc() && parsed.ptr == end && name.step >= 0 && name.text() == text)
      return name;
  }
  return std::nullopt;
}

std::vector<CheckpointName> CheckpointStore::list() const {
  std::vector<CheckpointName> names = all_in(folder_);
  std::erase_if(names, [](const auto& name) { return name.kind == CheckpointKind::kBadSteps; });
  return names;
}

std::optional<CheckpointName> CheckpointStore::of_step(int64_t step) const {
  for (const CheckpointName& name : list())
    if (name.step == step) return name;
  return std::nullopt;
}

void CheckpointStore::link(const std::string& link, const CheckpointName& name) const {
  write_checkpoint_link(link_path(link), name.text());
}

void CheckpointStore::unlink(const std::string& link) const {
  std::error_code failed;
  if (!read_checkpoint_link(link_path(link)).empty()) fs::remove(link_path(link), failed);
}

fs::path CheckpointStore::new_aside_folder() const {
  fs::path aside;
  for (int n = 1; aside.empty() || fs::exists(aside); ++n)
    aside = folder_ / str_cat("set-aside-", n);
  fs::create_directory(aside);
  return aside;
}

fs::path CheckpointStore::set_aside(const CheckpointName& current) const {
  fs::path aside;
  for (const CheckpointName& name : all_in(folder_)) {
    const bool repeated = name.step > current.step || (name.step == current.step && name > current);
    if (!repeated && name.kind != CheckpointKind::kBadSteps) continue;
    if (aside.empty()) aside = new_aside_folder();
    move(path(name), aside / name.text());
  }
  if (!aside.empty()) sync_to_disk(folder_);
  return aside;
}

void CheckpointStore::prune(const KeepOptions& keep) const {
  std::set<std::string> linked;
  for (const char* const link : {"last", "best", "best_stage1", "after_bad_steps"})
    linked.insert(read_checkpoint_link(link_path(link)));
  std::set<int64_t> newest;
  bool newest_bad_seen = false;
  for (const CheckpointName& name : all_in(folder_)) {
    const bool bad = name.kind == CheckpointKind::kBadSteps;
    const fs::path folder = path(name);
    if (!bad && static_cast<int64_t>(newest.size()) < keep.newest) newest.insert(name.step);
    const bool replaced = name.kind == CheckpointKind::kStep &&
                          fs::exists(path({.step = name.step, .kind = CheckpointKind::kValidated}));
    const bool stays = (bad && !std::exchange(newest_bad_seen, true)) ||
                       newest.contains(name.step) || keep.also_steps.contains(name.step) ||
                       (keep.every_epochs > 0 && ends_nth_epoch(folder, keep.every_epochs));
    if ((stays && !replaced) || linked.contains(name.text())) continue;
    // A name of the form of temporaries, which the next start removes.
    const fs::path going = folder_ / str_cat(".", name.text(), ".partial-removed");
    std::error_code failed;
    fs::remove_all(going, failed);
    move(folder, going);
    fs::remove_all(going, failed);
  }
}

std::vector<std::string> CheckpointStore::adopt_old_folders(
    const std::function<void(RunState&)>& complete) const {
  std::vector<std::string> damaged;
  std::vector<std::pair<const char*, CheckpointName>> found;
  fs::path aside;
  std::optional<int64_t> best_stage1;
  // All manifests first: a start that is killed between two folders leaves none without its state.
  for (const char* const link : {"best_stage1", "best", "last"}) {
    const fs::path old = link_path(link);
    std::error_code failed;
    if (!fs::is_directory(fs::symlink_status(old, failed))) continue;
    try {
      RunState state = load_checkpoint(old).run;
      const bool is_last = std::string_view(link) == "last";
      if (!fs::exists(old / kManifestFile)) {
        complete(state);
        state.best_stage1 = best_stage1;
        write_folder_manifest(old, run_state_json(state));
      }
      if (std::string_view(link) == "best_stage1") best_stage1 = state.step;
      found.push_back({link,
                       {.step = state.step,
                        .kind = is_last ? CheckpointKind::kStep : CheckpointKind::kValidated}});
    } catch (const Error& e) {
      damaged.emplace_back(e.what());
      if (aside.empty()) aside = new_aside_folder();
      move(old, aside / link);
    }
  }
  for (const auto& [link, name] : found) {
    if (fs::exists(path(name))) {  // best_stage1, of the same step as best
      fs::remove_all(link_path(link));
    } else {
      move(link_path(link), path(name));
      sync_to_disk(folder_);
    }
    this->link(link, name);
  }
  return damaged;
}

}  // namespace dfine::inline checkpoint
