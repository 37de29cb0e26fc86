#include "input/loader.h"

#include <ATen/ATen.h>

#include <chrono>
#include <cstring>
#include <span>

#include "core/error.h"
#include "core/random.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "data/dataset.h"
#include "image/decode.h"
#include "image/resize.h"

namespace dfine {

struct Loader::Pending {
  std::vector<Sample> samples;
  Tensor images;                               // uint8 [B, 3, H, W]
  std::vector<std::vector<PackedBox>> boxes;   // [B]
  std::vector<std::future<void>> images_done;  // [B]
};

Loader::Loader(const PackedDataset& dataset, LoaderOptions options)
    : dataset_(dataset), options_(options), pool_(std::make_unique<ThreadPool>(options.workers)) {}

Loader::~Loader() {
  pool_.reset();  // waits for the jobs that still write into pending batches
}

void Loader::start(std::vector<std::vector<Sample>> batches, int64_t epoch) {
  if (!pending_.empty()) pool_ = std::make_unique<ThreadPool>(options_.workers);
  pending_.clear();
  batches_ = std::move(batches);
  epoch_ = epoch;
  started_ = taken_ = 0;
  if (pool_->size() > 0) fill();
}

void Loader::fill() {
  while (started_ < static_cast<int64_t>(batches_.size()) && started_ < taken_ + options_.prefetch) {
    auto& batch = *pending_.emplace_back(std::make_unique<Pending>());
    batch.samples = batches_[static_cast<size_t>(started_++)];
    const auto count = static_cast<int64_t>(batch.samples.size());
    batch.images =
        at::empty({count, 3, options_.height, options_.width}, at::TensorOptions().dtype(at::kByte).pinned_memory(options_.pin_memory));
    batch.boxes.resize(batch.samples.size());
    for (size_t slot = 0; slot < batch.samples.size(); ++slot) {
      batch.images_done.push_back(pool_->submit([this, &batch, slot] { load_image(batch, slot); }));
    }
  }
}

void Loader::load_image(Pending& batch, size_t slot) const {
  const Sample sample = batch.samples[slot];
  CounterRandom random(options_.seed, Stream::kAugment, static_cast<uint64_t>(epoch_), static_cast<uint32_t>(sample.position));
  const bool flip = random.uniform() < options_.flip_probability;
  const size_t image_size = size_t{3} * static_cast<size_t>(options_.height) * static_cast<size_t>(options_.width);

  const auto bytes = dataset_.read_bytes(sample.index);
  const Image image =
      with_context([&] { return decode_image(bytes); },
                   [&] { return cat("decoding ", dataset_.image(sample.index).file_name, " of ", dataset_.folder().string()); });
  resize_antialias_chw(image, options_.width, options_.height, flip, batch.images.data_ptr<uint8_t>() + slot * image_size);

  auto& boxes = batch.boxes[slot];
  for (const PackedBox& box : dataset_.training_boxes(sample.index)) boxes.push_back(box);
  if (flip) {
    for (auto& box : boxes) box.cxcywh[0] = 1.0F - box.cxcywh[0];
  }
}

Batch Loader::next() {
  const auto begin = std::chrono::steady_clock::now();
  fill();
  const auto pending = std::move(pending_.front());
  for (auto& done : pending->images_done) done.wait();
  pending_.pop_front();
  ++taken_;
  for (auto& done : pending->images_done) done.get();

  Batch batch;
  batch.images = pending->images;
  for (const auto& sample : pending->samples) batch.samples.push_back(sample.index);
  int64_t total = 0;
  for (const auto& boxes : pending->boxes) {
    batch.targets.counts.push_back(static_cast<int64_t>(boxes.size()));
    total += static_cast<int64_t>(boxes.size());
  }
  batch.targets.labels = at::empty({total}, at::kLong);
  batch.targets.boxes = at::empty({total, 4}, at::kFloat);
  auto* labels = batch.targets.labels.data_ptr<int64_t>();
  auto* corners = batch.targets.boxes.data_ptr<float>();
  for (const auto& boxes : pending->boxes) {
    for (const auto& box : boxes) {
      *labels++ = box.label;
      std::memcpy(corners, box.cxcywh.data(), sizeof(float) * 4);
      corners += 4;
    }
  }
  batch.wait_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (pool_->size() > 0) fill();
  return batch;
}

}  // namespace dfine
