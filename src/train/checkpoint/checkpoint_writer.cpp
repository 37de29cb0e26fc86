#include "train/checkpoint/checkpoint_writer.h"

#include <chrono>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/text.h"

namespace dfine::inline checkpoint {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

/// Bytes of a checkpoint's tensors: model.safetensors, raw weights, EMA and moments.
double bytes_of(const Checkpoint& checkpoint) {
  int64_t bytes = 0;
  const auto add = [&](const auto& tensors) {
    for (const auto& [name, tensor] : tensors) bytes += static_cast<int64_t>(tensor.nbytes());
  };
  add(checkpoint.learner.model);
  add(checkpoint.learner.model);
  if (checkpoint.learner.ema) add(checkpoint.learner.ema->tensors);
  for (const auto& [index, moments] : checkpoint.learner.optimizer.moments)
    bytes += static_cast<int64_t>(moments.exp_avg.nbytes() + moments.exp_avg_sq.nbytes());
  return static_cast<double>(bytes);
}

/// What was needed and what there is, where that may be the reason.
std::string room(const fs::path& folder, const Checkpoint& checkpoint) {
  std::error_code failed;
  const fs::space_info space = fs::space(folder, failed);
  if (failed) return "";
  return str_cat("a checkpoint takes ", human_bytes(bytes_of(checkpoint)), ", ",
                 human_bytes(static_cast<double>(space.available)), " are free there");
}

}  // namespace

CheckpointWriter::CheckpointWriter(CheckpointStore store, WriterOptions options)
    : store_(std::move(store)), options_(std::move(options)) {}

CheckpointWriter::~CheckpointWriter() {
  if (under_way_) under_way_->wait();
}

void CheckpointWriter::write(std::shared_ptr<const Checkpoint> checkpoint, CheckpointKind kind,
                             std::vector<std::string> links) {
  wait();
  under_way_ = thread_.submit(
      [this, checkpoint = std::move(checkpoint), kind, links = std::move(links)]() mutable {
        return write_now(*checkpoint, kind, std::move(links));
      });
}

void CheckpointWriter::wait() {
  if (!under_way_) return;
  under_way_->wait();
  collect();
}

void CheckpointWriter::collect() {
  written_.push_back(under_way_->get());
  under_way_.reset();
}

std::vector<WrittenCheckpoint> CheckpointWriter::take_written() {
  if (under_way_ && under_way_->wait_for(std::chrono::seconds(0)) == std::future_status::ready)
    collect();
  return std::exchange(written_, {});
}

/// Removes what need not stay. Returns why it cannot: the new checkpoint is there all the same.
std::optional<Error> CheckpointWriter::prune(const RunState& run) const {
  KeepOptions keep{.newest = options_.keep, .every_epochs = options_.keep_every_epochs};
  if (run.best) keep.also_steps.insert(run.best->step);
  if (run.best_stage1) keep.also_steps.insert(*run.best_stage1);
  try {
    store_.prune(keep);
  } catch (const Error& e) {
    return e;
  }
  return std::nullopt;
}

WrittenCheckpoint CheckpointWriter::write_now(const Checkpoint& checkpoint, CheckpointKind kind,
                                              std::vector<std::string> links) const {
  const auto begin = Clock::now();
  WrittenCheckpoint written{.name = {.step = checkpoint.run.step, .kind = kind},
                            .epoch = checkpoint.run.last_epoch()};
  try {
    SaveOptions options{.same_step = {}, .before_commit = options_.require_held};
    const fs::path plain = store_.path({.step = written.name.step});
    if (kind == CheckpointKind::kValidated && fs::exists(plain)) options.same_step = plain;
    save_checkpoint(store_.path(written.name), checkpoint, options);
    for (const std::string& link : links) store_.link(link, written.name);
    written.links = std::move(links);
    written.not_removed = prune(checkpoint.run);
  } catch (const Error& e) {
    const bool no_room = e.code() == ErrorCode::kDiskFull || e.code() == ErrorCode::kWriteFailed;
    written.failure = e;
    if (no_room) written.failure->add_context(room(store_.folder(), checkpoint));
  } catch (const std::exception& e) {
    written.failure =
        Error(ErrorCode::kInternal,
              str_cat("while saving ", store_.path(written.name).string(), ": ", e.what()));
  }
  written.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return written;
}

}  // namespace dfine::inline checkpoint
