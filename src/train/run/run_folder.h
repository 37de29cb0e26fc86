#pragma once
// RUN_DIR: where things lie, and what becomes of an earlier run.
#include <cstdint>
#include <filesystem>
#include <string>

namespace dfine::inline run {

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path dir) : dir_(std::move(dir)) {}

  std::filesystem::path metrics() const { return dir_ / "metrics.jsonl"; }
  std::filesystem::path config() const { return dir_ / "config.toml"; }
  std::filesystem::path preview() const { return dir_ / "preview"; }
  /// The learning-rate finder's picture ("svg") and table ("csv").
  std::filesystem::path lr_range(const std::string& extension) const {
    return dir_ / ("find-lr." + extension);
  }
  std::filesystem::path log() const { return dir_ / "log.txt"; }
  std::filesystem::path checkpoint(const std::string& name) const {
    return dir_ / "checkpoints" / name;
  }

  /// The checkpoint that run.resume means: "none": empty; "auto": checkpoints/last if there is one,
  /// else empty; or that path. Throws Error when a path given is no checkpoint folder; of a run
  /// folder it names the checkpoints inside.
  std::filesystem::path resume_from(const std::string& resume) const;

  /// Throws Error where checkpoints of `bytes` could not be written. A file may be in the way, or
  /// the file system takes no files or has less room. Leaves nothing behind.
  void require_usable(int64_t bytes) const;

  /// Makes the folder. For a new run, what an earlier one left (checkpoints, metrics, log, config)
  /// is moved to DIR/previous-N, which is returned; empty if there was nothing.
  std::filesystem::path prepare(bool new_run) const;

 private:
  std::filesystem::path dir_;
};

}  // namespace dfine::inline run
