#include "train/trainer.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/anomaly_mode.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <span>
#include <thread>
#include <utility>

#include "config/load.h"
#include "core/atomic_path.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "dist/agreement.h"
#include "dist/failure.h"
#include "input/device_batches.h"
#include "input/multiscale.h"
#include "train/build.h"
#include "train/learner.h"
#include "train/metrics_log.h"
#include "train/parameter_groups.h"
#include "train/preview.h"
#include "train/progress.h"
#include "train/run_checkpoint.h"
#include "train/run_folder.h"
#include "train/validate.h"

namespace dfine {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

DeviceRequest device_request(DeviceChoice choice) {
  switch (choice) {
    case DeviceChoice::kCpu:
      return DeviceRequest::kCpu;
    case DeviceChoice::kCuda:
      return DeviceRequest::kCuda;
    case DeviceChoice::kAuto:
      break;
  }
  return DeviceRequest::kAuto;
}

void configure_torch(const Config& config, const Session& session) {
  at::set_num_threads(compute_threads(config, static_cast<int>(std::thread::hardware_concurrency()), session.local_size()));
  at::globalContext().setDeterministicAlgorithms(config.run.deterministic, /*warn_only=*/false);
  at::globalContext().setBenchmarkCuDNN(!config.run.deterministic);
  torch::autograd::AnomalyMode::set_enabled(config.run.detect_anomaly);
}

RunShape run_shape(const Config& config, const Session& session, int64_t num_images) {
  const int64_t global_batch = config.data.batch_size * session.size();
  if (num_images < global_batch) {
    throw Error(cat("data.train has ", counted(num_images, "image"), ", fewer than the global batch of ", global_batch, " (",
                    counted(session.size(), "rank"), " x ", config.data.batch_size, ")"),
                "use fewer ranks or a smaller data.batch_size");
  }
  return {.steps_per_epoch = num_images / global_batch, .global_batch = global_batch, .world_size = session.size()};
}

}  // namespace

struct Trainer::Impl {
  Impl(const Config& config, Session& session);

  void run();
  void start_epoch(int64_t epoch, int64_t first_batch);
  void train_step(Progress& progress);
  void share_bad(const Batch& batch);
  void end_epoch(bool last);
  void save(const std::string& name);
  bool is_root() const { return group.rank() == 0; }

  const Config config;
  const Group group;
  const RunFolder folder;
  const PackedDataset train_data;
  const std::optional<PackedDataset> val_data;  // unset without validation
  int64_t num_images;
  RunShape shape;
  const Recipe recipe;
  std::optional<Learner> learner;
  const StepSizes step_sizes;
  std::optional<Loader> loader;
  std::optional<DeviceBatches> batches;
  std::optional<MetricsLog> metrics;
  RunState state;
};

Trainer::Impl::Impl(const Config& given, Session& session)
    : config(given),
      group(session.make_group(device_request(given.run.device))),
      folder(given.run.dir),
      train_data(open_pack("data.train", given.data.train, given.data.cache_dir)),
      val_data(given.validate.every_epochs > 0 ? std::optional(open_pack("data.val", given.data.val, given.data.cache_dir)) : std::nullopt),
      num_images(usable_images(given, train_data)),
      shape(run_shape(given, session, num_images)),
      recipe(make_recipe(given, shape)),
      step_sizes(given) {
  if (is_root()) log::info(cat(counted(session.size(), "rank"), ":\n", session.rank_table()));
  check_agreement(group, "the configuration", print_config(config));
  if (val_data) check_same_categories(train_data, *val_data);
  configure_torch(config, session);

  const auto checkpoint = folder.resume_from(config.run.resume);
  auto model = build_model(config, train_data.categories(), checkpoint.empty(), group);
  if (is_root()) {
    log::info(cat("D-FINE-", config.model.size, ": ", with_commas(count_parameters(*model)), " parameters, ",
                  with_commas(count_parameters(*model, true)), " trained; ", train_data.categories().size(), " classes; ", num_images,
                  " training images, ", val_data ? val_data->size() : 0, " for validation; ", counted(at::get_num_threads(), "thread"),
                  " a rank"));
    if (config.model.freeze_backbone) {
      log::warn(
          "model.freeze_backbone: the backbone does not learn. Fine-tuned detectors were far worse with it; unset it unless memory forces "
          "you");
    }
  }
  learner.emplace(std::move(model), config, recipe, group);
  if (is_root()) log::info(describe_recipe(recipe, config, shape));
  if (is_root()) log::info(cat("AdamW's parameter groups:\n", describe_groups(learner->optimizer().groups())));
  if (!checkpoint.empty()) {
    state = restore_run(checkpoint, *learner, train_data.categories(), shape);
    if (is_root()) log::info(cat("continuing ", checkpoint.string(), " after step ", state.step));
  }
  loader.emplace(train_data, loader_options(config, true, group.device().is_cuda()));
  batches.emplace(*loader, group.device());
  group.barrier();

  if (is_root()) {
    const auto moved = folder.prepare(checkpoint.empty());
    if (!moved.empty()) log::info(cat("an earlier run in this folder was moved to ", moved.string()));
    write_file_atomically(folder.config(), print_config(config));
    log::add_file(folder.log().string());
    metrics.emplace(folder.metrics().string(), checkpoint.empty() ? -1 : state.step);
    if (config.data.preview > 0) write_preview(train_data, config, shape.global_batch, config.data.preview, folder.preview());
  }
}

void Trainer::Impl::run() {
  if (state.step >= recipe.total_steps && is_root())
    log::info(cat("nothing to do: ", state.step, " of ", recipe.total_steps, " steps are done"));
  Progress progress(state.step, recipe.total_steps, config.run.log_every);
  while (state.step < recipe.total_steps) {
    const int64_t in_epoch = state.step % shape.steps_per_epoch;
    if (in_epoch == 0 || !batches->has_next()) start_epoch(state.step / shape.steps_per_epoch, in_epoch);
    train_step(progress);
    const bool last = state.step == recipe.total_steps;
    if (last || state.step % shape.steps_per_epoch == 0) {
      progress.finish_line();
      end_epoch(last);
    } else if (config.checkpoint.every_steps > 0 && state.step % config.checkpoint.every_steps == 0) {
      progress.finish_line();
      save("last");
    }
  }
  group.barrier();
}

void Trainer::Impl::start_epoch(int64_t epoch, int64_t first_batch) {
  TrainPlan plan(num_images, shape.global_batch, config.data.shuffle, static_cast<uint64_t>(config.run.seed), epoch);
  batches->start(training_order(std::move(plan), epoch, first_batch, group.rank(), config.data.batch_size));
}

/// Damaged images that one rank passed over count on all of them, so that data.max_bad is a limit of the whole job.
void Trainer::Impl::share_bad(const Batch& batch) {
  std::string all;
  for (const auto& bytes : group.gather(std::as_bytes(std::span(batch.bad)), 0))
    all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  all = group.broadcast(all, 0);
  std::vector<size_t> bad(all.size() / sizeof(size_t));
  std::memcpy(bad.data(), all.data(), all.size());
  loader->count_bad(bad);
}

void Trainer::Impl::train_step(Progress& progress) {
  const auto begin = Clock::now();
  const int64_t epoch = state.step / shape.steps_per_epoch;
  set_failure_context(cat("epoch ", epoch, ", step ", state.step + 1));
  const Batch batch = batches->next();

  const StepResult result = with_context(
      [&] {
        StepResult made = learner->step({batch}, step_sizes.at(epoch, state.step), state.step);
        if (made.finite) return made;
        throw Error(cat("loss ", made.loss, " and gradient norm ", made.grad_norm, " are not finite"),
                    "lower optim.lr, or look at the images named; checkpoints/last is intact");
      },
      [&] {
        std::string where = cat("in epoch ", epoch, ", step ", state.step + 1, ", with the images");
        for (const size_t i : batch.samples) where += cat(" ", train_data.image(i).file_name);
        return where;
      });
  ++state.step;

  const auto most = group.max({static_cast<int64_t>(batch.wait_s * 1e6), static_cast<int64_t>(batch.bad.size())});
  if (most[1] > 0) share_bad(batch);
  if (!is_root()) return;
  const double wait_s = static_cast<double>(most[0]) * 1e-6, step_s = seconds_since(begin);
  const double images_per_s = static_cast<double>(shape.global_batch) / step_s;
  metrics->write_step(
      {state.step, epoch, result.loss, result.losses, result.grad_norm, result.lr, shape.global_batch, images_per_s, wait_s});
  progress.step(state.step, epoch, result.loss, images_per_s, wait_s / step_s);
}

void Trainer::Impl::end_epoch(bool last) {
  const int64_t epoch = (state.step - 1) / shape.steps_per_epoch;
  const bool due = val_data && (last || (epoch + 1) % config.validate.every_epochs == 0);
  bool best = false;
  if (due) {
    set_failure_context(cat("validation after step ", state.step));
    std::optional<EmaInPlace> averaged;
    if (learner->ema() != nullptr) averaged.emplace(*learner->ema());
    const ValidationOptions options{loader_options(config, false, group.device().is_cuda()),
                                    config.validate.batch_size > 0 ? config.validate.batch_size : config.data.batch_size,
                                    config.data.max_images};
    const Validation result = validate(learner->model(), *val_data, options, group);
    best = state.validated(config.checkpoint.monitor, result.val_loss, result.summary.ap, epoch);
    if (is_root()) {
      metrics->write_validation(state.step, epoch, result.figures());
      log::info(cat("epoch ", epoch, " validated: val_loss ", fixed(result.val_loss, 4), "  AP ", fixed(result.summary.ap, 4), "  AP50 ",
                    fixed(result.summary.ap50, 4), best ? "  (best so far)" : ""));
    }
  }
  save("last");
  if (best) save("best");
}

void Trainer::Impl::save(const std::string& name) {
  set_failure_context(cat("writing checkpoint ", name, " after step ", state.step));
  if (is_root()) save_run(folder.checkpoint(name), *learner, config, train_data.categories(), state, shape);
}

Trainer::Trainer(const Config& config, Session& session) : impl_(std::make_unique<Impl>(config, session)) {}
Trainer::~Trainer() = default;
void Trainer::run() {
  impl_->run();
}

}  // namespace dfine
