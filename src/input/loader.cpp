#include "input/loader.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "data/box_policy.h"

namespace dfine::inline input {
namespace {

using Clock = std::chrono::steady_clock;

/// Batches that may be under way: enough for two samples a worker, whatever the batch size, and one
/// that waits to be taken.
int64_t window(int workers, int64_t batch_size) {
  return workers == 0 ? 1 : std::max<int64_t>(3, (2 * workers + batch_size - 1) / batch_size + 1);
}

/// `boxes`: in pixels of images of `size`.
Targets collate(const std::vector<std::vector<LabelledBox>>& boxes, ImageSize size,
                bool pin_memory) {
  Targets targets;
  int64_t total = 0;
  for (const auto& of_image : boxes) {
    targets.counts.push_back(static_cast<int64_t>(of_image.size()));
    total += targets.counts.back();
  }
  targets.labels =
      at::empty({total}, at::TensorOptions().dtype(at::kLong).pinned_memory(pin_memory));
  targets.boxes =
      at::empty({total, 4}, at::TensorOptions().dtype(at::kFloat).pinned_memory(pin_memory));
  const auto width = static_cast<int>(size.width), height = static_cast<int>(size.height);
  auto* label = targets.labels.data_ptr<int64_t>();
  auto* sides = targets.boxes.data_ptr<float>();
  for (const auto& of_image : boxes) {
    for (const LabelledBox& box : of_image) {
      *label++ = box.label;
      sides = std::ranges::copy(normalised(box.xyxy, width, height), sides).out;
    }
  }
  return targets;
}

}  // namespace

struct Loader::Pending {
  struct Damage {
    size_t index;  // image
    std::string what;
  };
  std::vector<Sample> samples;
  Tensor images;                                // uint8 [B, 3, H, W]
  std::vector<std::vector<LabelledBox>> boxes;  // [B]
  std::vector<std::vector<Damage>> damage;      // [B] images skipped in each place
  std::vector<std::future<void>> done;          // [B]
};

Loader::Loader(const PackedDataset& dataset, LoaderOptions options, SampleOrder order)
    : dataset_(dataset),
      options_(options),
      detection_dataset_(dataset, options.sample),
      order_(std::move(order)),
      pool_(std::make_unique<ThreadPool>(options.workers)) {
  if (options_.workers > 0) fill();
}

Loader::~Loader() = default;

void Loader::fill() {
  while (started_ < order_.num_batches) {
    auto samples = order_.batch(started_);
    if (started_ >= taken_ + window(options_.workers, static_cast<int64_t>(samples.size()))) break;
    ++started_;
    auto& batch = *pending_.emplace_back(std::make_unique<Pending>());
    batch.samples = std::move(samples);
    batch.images = image_buffer(static_cast<int64_t>(batch.samples.size()));
    batch.boxes.resize(batch.samples.size());
    batch.damage.resize(batch.samples.size());
    for (size_t slot = 0; slot < batch.samples.size(); ++slot) {
      batch.done.push_back(pool_->submit([this, &batch, slot] { load_sample(batch, slot); }));
    }
  }
  for (announced_ = std::max(announced_, started_);
       announced_ < std::min(order_.num_batches, started_ + options_.read_ahead); ++announced_) {
    pool_->submit([this, samples = order_.batch(announced_)] {
      for (const Sample& sample : samples) dataset_.prefetch(sample.index);
    });
  }
}

/// Both kinds of memory are pooled by their allocators. That of page-locked memory knows when the
/// copies from it are done.
Tensor Loader::image_buffer(int64_t count) {
  return at::empty({count, 3, detection_dataset_.size().height, detection_dataset_.size().width},
                   at::TensorOptions().dtype(at::kByte).pinned_memory(options_.pin_memory));
}

std::unique_ptr<SampleScratch> Loader::take_scratch() {
  const std::lock_guard lock(scratch_mutex_);
  if (free_scratch_.empty()) return std::make_unique<SampleScratch>();
  auto memory = std::move(free_scratch_.back());
  free_scratch_.pop_back();
  return memory;
}

void Loader::load_sample(Pending& batch, size_t slot) {
  auto memory = take_scratch();
  auto& damage = batch.damage[slot];
  const auto on_damage = [&](size_t index, const Error& error) {
    if (!options_.skip_corrupt) throw;
    if (std::ranges::any_of(damage, [&](const auto& known) { return known.index == index; }))
      return;
    if (static_cast<int64_t>(damage.size()) >= options_.max_corrupt) throw too_many_corrupt(index);
    damage.push_back({index, str_cat(dataset_.describe(index), ": ", error.message())});
  };
  uint8_t* planes =
      batch.images.data_ptr<uint8_t>() + static_cast<int64_t>(slot) * batch.images.stride(0);
  batch.samples[slot].index = detection_dataset_.get(batch.samples[slot], order_, *memory, planes,
                                                     batch.boxes[slot], on_damage);
  const std::lock_guard lock(scratch_mutex_);
  free_scratch_.push_back(std::move(memory));
}

bool Loader::ready() const {
  return !pending_.empty() && std::ranges::all_of(pending_.front()->done, [](const auto& done) {
    return done.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
}

void Loader::count_corrupt(const std::vector<size_t>& images) {
  for (const size_t image : images) {
    corrupt_.insert(image);
    if (static_cast<int64_t>(corrupt_.size()) > options_.max_corrupt) throw too_many_corrupt(image);
  }
}

Error Loader::too_many_corrupt(size_t last) const {
  return Error(ErrorCode::kTooManySkipped,
               str_cat("more than data.max_corrupt = ", options_.max_corrupt,
                       " damaged records, the last of them ", dataset_.describe(last)),
               "`dfine-pack verify --decode` lists all of them. Copy the pack again from where it "
               "was made, or pack the dataset again "
               "(--decode --skip-bad skips images that cannot be decoded)");
}

void Loader::report_corrupt(const Pending& batch) {
  for (const auto& of_slot : batch.damage) {
    for (const auto& [index, what] : of_slot) {
      if (corrupt_.contains(index)) continue;
      log::local_warn(str_cat("skipping ", what));
      count_corrupt({index});
    }
  }
}

Batch Loader::next() {
  const auto begin = Clock::now();
  fill();
  const auto pending = std::move(pending_.front());
  for (auto& done : pending->done) done.wait();
  pending_.pop_front();
  ++taken_;
  for (auto& done : pending->done) done.get();
  report_corrupt(*pending);

  Batch batch{.images = pending->images,
              .targets = collate(pending->boxes, options_.sample.size, options_.pin_memory),
              .samples = {}};
  for (const auto& sample : pending->samples) batch.samples.push_back(sample.index);
  batch.data_time_s = std::chrono::duration<double>(Clock::now() - begin).count();
  if (options_.workers > 0) fill();
  return batch;
}

}  // namespace dfine::inline input
