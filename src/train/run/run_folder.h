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
  std::filesystem::path report() const { return dir_ / "report.html"; }
  std::filesystem::path predictions() const { return dir_ / "predictions.json"; }
  std::filesystem::path tensorboard() const { return dir_ / "tensorboard"; }
  std::filesystem::path preview() const { return dir_ / "preview"; }
  /// The learning-rate finder's picture ("svg") and table ("csv").
  std::filesystem::path lr_range(const std::string& extension) const {
    return dir_ / ("find-lr." + extension);
  }
  std::filesystem::path log() const { return dir_ / "log.txt"; }
  /// A file that anyone may make: the run then saves and ends.
  std::filesystem::path stop_file() const { return dir_ / "stop"; }
  std::filesystem::path checkpoints() const { return dir_ / "checkpoints"; }
  std::filesystem::path checkpoint(const std::string& name) const { return checkpoints() / name; }
  const std::filesystem::path& dir() const { return dir_; }

  /// Throws Error where checkpoints of `bytes` could not be written. A file may be in the way, or
  /// the file system takes no files or has less room. Leaves nothing behind.
  void require_usable(int64_t bytes) const;

  /// Whether a run has saved a checkpoint here, whatever has become of it.
  bool has_saved() const;

  /// Makes the folder. For a new run, what an earlier one left is moved to DIR/previous-N:
  /// checkpoints, metrics, log, config, TensorBoard's files. Returns that, or nothing if there was
  /// nothing.
  std::filesystem::path prepare(bool new_run) const;

 private:
  std::filesystem::path dir_;
};

}  // namespace dfine::inline run
