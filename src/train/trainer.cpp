#include "train/trainer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "config/load.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/failure.h"
#include "eval/class_order.h"
#include "files/atomic_path.h"
#include "learner/build.h"
#include "learner/compute_setup.h"
#include "learner/learner.h"
#include "learner/parameter_groups.h"
#include "learner/train_feed.h"
#include "model/freezing.h"
#include "train/checks/config_warnings.h"
#include "train/checks/preflight.h"
#include "train/run/best_checkpoint.h"
#include "train/run/checkpoint_order.h"
#include "train/run/metrics_log.h"
#include "train/run/progress.h"
#include "train/run/run_checkpoint.h"
#include "train/run/run_folder.h"
#include "train/tools/preview.h"
#include "train/validate_learner.h"
#include "weights/class_match.h"

namespace dfine::inline train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::vector<std::string> class_names(const PackedDataset& data) {
  std::vector<std::string> names;
  for (const Category& category : data.categories()) names.push_back(category.name);
  return names;
}

}  // namespace

struct Trainer::Impl {
  Impl(const Config& config, MpiSession& session);

  void run();
  bool is_root() const { return group.rank() == 0; }

  // Before the first step.
  using ValFacts = std::optional<DatasetStats>;
  std::optional<PackedDataset> open_val_data() const;
  void advise(const DatasetStats& facts, const ValFacts& val_facts, int64_t num_queries) const;
  void try_largest_step(const DatasetStats& facts, const ValFacts& val_facts) const;
  void open_run_folder(bool new_run);

  // The loop's parts; all collective.
  void begin_epoch();
  void train_step(Progress& progress);
  void after_bad_step(const StepInput& input);
  void end_epoch();
  bool validate_now(int64_t done);
  void on_no_improvement(int64_t done);
  void go_back_to_best();
  void require_best(const std::filesystem::path& resumed);
  void save_last();
  void save(const std::string& name);

  int64_t epoch() const { return state.step / shape.steps_per_epoch; }
  int64_t last_epoch() const {
    return (state.step - 1) / shape.steps_per_epoch;
  }  // of the last step
  int64_t validations_since_best() const {
    return (last_epoch() - state.best->epoch) / config.validate.every_epochs;
  }
  std::string describe_end() const;

  /// Why the run ends before its last step.
  enum class Stop { kNo, kMaxMinutes, kPatience };

  const Config config;
  const Communicator group;
  const RunFolder folder;
  const std::filesystem::path checkpoint;  // to continue from; empty: the run is new
  const PackedDataset train_data;          // with the labels of the checkpoint's classes
  const std::optional<PackedDataset>
      val_data;  // with the labels of train_data; unset without validation
  const int64_t num_images;
  const EpochLayout shape;
  const Recipe recipe;
  std::optional<Learner> learner;
  std::optional<TrainFeed> feed;
  std::optional<MetricsLog> metrics;  // rank zero's
  RunState state;
  int64_t nonfinite_steps = 0;        // in a row
  bool denoising_was_capped = false;  // which is said once
  Stop stop = Stop::kNo;
  const Clock::time_point begin = Clock::now();
};

Trainer::Impl::Impl(const Config& given, MpiSession& session)
    : config(given),
      group(join_ranks(given, session)),
      folder(given.run.dir),
      checkpoint(
          group.broadcast(is_root() ? folder.resume_from(given.run.resume).string() : "", 0)),
      train_data(in_order_of_checkpoint(
          checkpoint, open_pack("data.train", given.data.train, given.data.cache_dir), group)),
      val_data(open_val_data()),
      num_images(usable_images(given, train_data)),
      shape(run_shape(given, session.size(), num_images)),
      recipe(make_recipe(given, shape)) {
  const DatasetStats facts = data_facts(train_data, num_images);
  const ValFacts val_facts =
      val_data ? ValFacts(data_facts(*val_data, usable_images(config, *val_data))) : std::nullopt;

  if (is_root()) {
    folder.require_usable(checkpoint_bytes(config.model.size));
    if (!checkpoint.empty()) check_resume(checkpoint, config, shape);
  }
  if (config.train.preflight) try_largest_step(facts, val_facts);
  auto model = build_model(config, train_data.categories(), checkpoint.empty());
  advise(facts, val_facts, model->spec().num_queries);
  log::info(str_cat("D-FINE-", config.model.size, ": ", with_commas(count_parameters(*model)),
                    " parameters, ", with_commas(count_parameters(*model, true)), " trained; ",
                    train_data.categories().size(), " classes; ", num_images, " training images, ",
                    val_data ? usable_images(config, *val_data) : 0, " for validation; ",
                    counted(at::get_num_threads(), "thread"), " a rank"));
  const std::string frozen = describe_frozen(*model);
  if (!frozen.empty()) log::info("frozen:\n" + frozen);
  if (config.model.freeze_backbone) {
    log::warn(
        "model.freeze_backbone: the backbone does not learn. Fine-tuned detectors were far worse "
        "with it; unset it unless memory forces you");
  }
  learner.emplace(std::move(model), config, recipe, group);
  log::info(describe_recipe(recipe, config, shape));
  const std::string dropped = describe_dropped(config, shape, num_images);
  if (!dropped.empty()) log::info(dropped);
  log::info(str_cat("AdamW's parameter groups:\n", describe_groups(learner->optimizer().groups())));
  if (!checkpoint.empty()) {
    state = restore_run(checkpoint, *learner, shape, config, group);
    log::info(str_cat("continuing ", checkpoint.string(), " after step ", state.step));
  }
  feed.emplace(train_data, config, shape, num_images, group);
  group.barrier();
  if (is_root()) open_run_folder(checkpoint.empty());
  group.barrier();  // from here on there is a log to write failures to
  set_failure_log(folder.log());
  if (!checkpoint.empty() && state.best) require_best(checkpoint);
}

std::optional<PackedDataset> Trainer::Impl::open_val_data() const {
  if (config.validate.every_epochs == 0) return std::nullopt;
  return in_order_of(class_list("data.train", train_data.categories()),
                     open_pack("data.val", config.data.val, config.data.cache_dir), "data.val",
                     "pack both from annotation files with the same classes, and without "
                     "--drop-unused-classes, which may drop other classes from each");
}

void Trainer::Impl::advise(const DatasetStats& facts, const ValFacts& val_facts,
                           int64_t num_queries) const {
  for (const std::string& warning : config_warnings(config, recipe, shape, num_queries,
                                                    class_names(train_data), facts, val_facts))
    log::warn(warning);
}

void Trainer::Impl::try_largest_step(const DatasetStats& facts, const ValFacts& val_facts) const {
  set_failure_context("trying the largest step of the run (train.preflight)");
  const Preflight tried =
      preflight(config, recipe, shape, train_data.categories(), facts, val_facts, group);
  const auto peak = [](int64_t bytes) { return human_bytes(static_cast<double>(bytes)); };
  log::info(str_cat("pre-flight: a step of ", tried.size.height, "x", tried.size.width,
                    " with up to ", tried.boxes.image, " boxes in an image, ", tried.boxes.batch,
                    " in a batch, fits: ", peak(tried.peak_bytes),
                    group.device().is_cpu() ? " in the process" : " on the device",
                    tried.validation_images > 0 ? str_cat("; with a validation batch of ",
                                                          counted(tried.validation_images, "image"),
                                                          ": ", peak(tried.validation_peak_bytes))
                                                : ""));
  set_failure_context("preparing the run");
}

void Trainer::Impl::open_run_folder(bool new_run) {
  const auto moved = folder.prepare(new_run);
  if (!moved.empty())
    log::info(str_cat("an earlier run in this folder was moved to ", moved.string()));
  write_file_atomically(folder.config(), print_config(config));
  log::add_file(folder.log().string());
  metrics.emplace(folder.metrics().string(), new_run ? -1 : state.step);
  if (config.data.preview > 0)
    write_preview(train_data, config, shape.global_batch, config.data.preview, folder.preview());
}

/// Collective. A best that nothing is left of must not keep a later one from being saved.
void Trainer::Impl::require_best(const std::filesystem::path& resumed) {
  if (group.broadcast(is_root() && import_best(folder, resumed, state.best->step), 0)) return;
  log::warn(str_cat(folder.checkpoint("best").string(), " is missing (",
                    monitor_name(state.best->monitor), " ", fixed(state.best->value, 4),
                    " of epoch ", state.best->epoch,
                    "): the search for the best starts over here"));
  state.best.reset();
}

void Trainer::Impl::run() {
  if (state.step >= recipe.total_steps)
    log::info(
        str_cat("nothing to do: ", state.step, " of ", recipe.total_steps, " steps are done"));
  Progress progress(state.step, recipe.total_steps, config.run.log_every);
  while (state.step < recipe.total_steps && stop == Stop::kNo) {
    if (state.step % shape.steps_per_epoch == 0) begin_epoch();
    train_step(progress);
    if (state.step == recipe.total_steps || stop != Stop::kNo ||
        state.step % shape.steps_per_epoch == 0) {
      progress.finish_line();
      end_epoch();
    } else if (config.checkpoint.every_steps > 0 &&
               state.step % config.checkpoint.every_steps == 0) {
      progress.finish_line();
      save_last();
    }
  }
  log::info(describe_end());
  group.barrier();
}

std::string Trainer::Impl::describe_end() const {
  switch (stop) {
    case Stop::kMaxMinutes:
      return str_cat("stopping after train.max_minutes = ", config.train.max_minutes,
                     "; --resume auto continues");
    case Stop::kPatience:
      return str_cat("stopping after ", counted(validations_since_best(), "validation"),
                     " without a better ", monitor_name(config.checkpoint.monitor),
                     " (train.patience): the best is checkpoints/best, of epoch ",
                     state.best->epoch);
    case Stop::kNo:
      break;
  }
  return str_cat("the run is complete after ", counted(state.step, "step"));
}

/// At train.stage2_epoch stage 2 begins: from the best weights of stage 1, without strong
/// augmentation.
void Trainer::Impl::begin_epoch() {
  if (recipe.stage2_epoch == 0 || epoch() != recipe.stage2_epoch) return;
  if (config.ema.restart == EmaRestart::kIntended)
    learner->ema()->restart(config.ema.restart_decay);
  if (!config.train.stage2_from_best) return;
  if (is_root()) keep_stage1_best(folder);
  go_back_to_best();
}

void Trainer::Impl::go_back_to_best() {
  set_failure_context(str_cat("going back to the best weights after step ", state.step));
  const auto from = reload_best(folder.checkpoint("best_stage1"), *learner, group);
  if (from) log::info(str_cat("stage 2: back to the best weights of stage 1, of step ", *from));
}

void Trainer::Impl::train_step(Progress& progress) {
  const auto step_begin = Clock::now();
  const int64_t epoch = this->epoch();
  set_failure_context(str_cat("epoch ", epoch, ", step ", state.step + 1));
  const StepInput input = feed->next(state.step);
  const StepResult result = learner->step(input.batches, input.size, state.step);
  ++state.step;

  const bool late =
      config.train.max_minutes > 0 && seconds_since(begin) > 60 * config.train.max_minutes;
  const auto most = group.max({static_cast<int64_t>(input.wait_s * 1e6), feed->num_bad(), late});
  feed->share_bad(most[1]);
  if (most[2] != 0 && state.step < recipe.total_steps) stop = Stop::kMaxMinutes;
  if (is_root()) {
    const double wait_s = static_cast<double>(most[0]) * 1e-6, step_s = seconds_since(step_begin);
    const double images_per_s = static_cast<double>(shape.global_batch) / step_s;
    metrics->write_step({.step = state.step,
                         .epoch = epoch,
                         .loss = result.loss,
                         .losses = result.losses,
                         .grad_norm = result.grad_norm,
                         .lr = result.lr,
                         .images = shape.global_batch,
                         .images_per_s = images_per_s,
                         .data_wait_s = wait_s,
                         .skipped = result.outcome != StepOutcome::kUpdated});
    progress.step(state.step, epoch, result.loss, images_per_s, wait_s / step_s);
  }
  if (result.without_denoising > 0 && !std::exchange(denoising_was_capped, true)) {
    log::info(str_cat("model.max_denoising_queries = ", config.model.max_denoising_queries,
                      " applies: in step ", state.step, ", ",
                      counted(result.without_denoising, "box", "boxes"),
                      " had no denoising queries; other ones in each step. Said once"));
  }
  if (result.outcome == StepOutcome::kOverflowed)
    log::info(str_cat("step ", state.step,
                      " was skipped: half precision overflowed; the loss scale is now ",
                      learner->scaler()->scale()));
  if (result.outcome == StepOutcome::kNotFinite) {
    after_bad_step(input);
  } else {
    nonfinite_steps = 0;
  }
}

void Trainer::Impl::after_bad_step(const StepInput& input) {
  std::string mine = str_cat("rank ", group.rank(), ": image ids");
  for (const Batch& batch : input.batches)
    for (const size_t i : batch.samples) mine += str_cat(" ", train_data.image(i).id);
  std::string all;
  for (const std::string& of_rank : group.gather(mine, 0)) all += "\n  " + of_rank;
  ++nonfinite_steps;
  log::warn(str_cat("step ", state.step, " was skipped: its loss or gradient is not finite; ",
                    nonfinite_steps, " in a row", all));
  if (nonfinite_steps < config.train.max_bad_steps) return;
  throw Error(
      str_cat("the loss or the gradient was not finite in ", counted(nonfinite_steps, "step"),
              " in a row"),
      str_cat("look at the images named above (dfine_ddp --preview draws batches), lower optim.lr",
              config.run.precision == Precision::kFp32 ? "" : ", or set run.precision = \"fp32\"",
              "; checkpoints/last is from before. Where its weights cannot be repaired either, "
              "start from "
              "checkpoints/best: --resume none --set "
              "model.weights=",
              folder.checkpoint("best").string()));
}

/// `best` before `last`: what `last` says of it is then true whenever the run is killed.
void Trainer::Impl::end_epoch() {
  const int64_t done = last_epoch();
  const bool whole = state.step % shape.steps_per_epoch == 0,
             complete = state.step == recipe.total_steps;
  const bool due = val_data && whole && (done + 1) % config.validate.every_epochs == 0;
  if (due || (val_data && (complete || stop != Stop::kNo))) {
    if (validate_now(done)) {
      save("best");
    } else if (due && !complete) {
      on_no_improvement(done);
    }
  }
  save_last();
}

bool Trainer::Impl::validate_now(int64_t done) {
  set_failure_context(str_cat("validation after step ", state.step));
  const auto found = validate_learner(*learner, *val_data, config, group);
  const WeightsValidation& better = found.front();
  const bool best = state.validated(config.checkpoint.monitor, better.result.score(), done);
  state.weights = better.weights;
  state.validations.clear();
  for (const auto& [weights, result] : found)
    state.validations.push_back(
        {.weights = weights, .epoch = done, .step = state.step, .metrics = result.metrics()});
  if (is_root()) {
    for (const ValidationRecord& record : state.validations)
      metrics->write_validation(record, record.weights == better.weights);
  }
  for (const auto& [weights, result] : found) {
    log::info(str_cat("epoch ", done, " validated, ",
                      weights == WeightsKind::kEma ? "EMA" : "raw weights", ": val_loss ",
                      fixed(result.val_loss, 4), "  AP ", fixed(result.summary.ap, 4), "  AP50 ",
                      fixed(result.summary.ap50, 4),
                      weights != better.weights ? ""
                      : best                    ? "  (best so far)"
                      : found.size() > 1        ? "  (better)"
                                                : ""));
  }
  return best;
}

/// Also where the run stops here: continued later, it goes on as if it had not.
void Trainer::Impl::on_no_improvement(int64_t done) {
  if (config.train.patience > 0 && validations_since_best() >= config.train.patience &&
      stop == Stop::kNo)
    stop = Stop::kPatience;
  if (recipe.stage2_epoch == 0 || done < recipe.stage2_epoch) return;
  if (config.ema.restart == EmaRestart::kIntended) learner->ema()->lower_restarted_decay();
  if (config.train.stage2_from_best) go_back_to_best();
}

/// Weights under which the loss has just not been finite may be ruined: they do not take the place
/// of the last good ones.
void Trainer::Impl::save_last() {
  save(nonfinite_steps == 0 ? "last" : "after_bad_steps");
  if (nonfinite_steps > 0)
    log::warn(str_cat(folder.checkpoint("last").string(),
                      " stays as it was: this state is in after_bad_steps"));
}

void Trainer::Impl::save(const std::string& name) {
  set_failure_context(str_cat("writing checkpoint ", name, " after step ", state.step));
  if (is_root())
    save_run(folder.checkpoint(name), *learner, config, train_data.categories(), state, shape);
}

Trainer::Trainer(const Config& config, MpiSession& session)
    : impl_(std::make_unique<Impl>(config, session)) {}
Trainer::~Trainer() = default;
void Trainer::run() {
  impl_->run();
}

}  // namespace dfine::inline train
