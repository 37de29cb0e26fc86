#pragma once
// A training step of a small model on a batch that all ranks know, in double precision.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "input/sample_order.h"
#include "learner/build_model.h"
#include "learner/step.h"
#include "loss/criterion.h"
#include "model/batch_norm.h"
#include "model/dfine.h"

namespace dfine {

constexpr int64_t kClasses = 5, kSide = 96;

/// N with as many queries as there are tokens at 96x96, 36 + 9, so that no last bit decides which
/// are selected.
inline ModelSpec small_spec() {
  ModelSpec spec = model_spec(ModelSize::kN, kClasses);
  spec.num_queries = 45;
  return spec;
}

/// One group of at most 4 positive and 4 negative denoising queries.
inline ModelSpec limited_spec() {
  ModelSpec spec = small_spec();
  spec.num_denoising = 4;
  spec.max_denoising_queries = 8;
  return spec;
}

struct GlobalBatch {
  Tensor images;  // double [B, 3, H, W]
  std::vector<std::vector<std::pair<int64_t, std::array<double, 4>>>> boxes;

  Targets targets(int64_t first, int64_t count, at::ScalarType dtype) const {
    Targets out;
    std::vector<int64_t> labels;
    std::vector<double> flat;
    for (int64_t i = first; i < first + count; ++i) {
      const auto& image = boxes[static_cast<size_t>(i)];
      out.counts.push_back(static_cast<int64_t>(image.size()));
      for (const auto& [label, box] : image) {
        labels.push_back(label);
        flat.insert(flat.end(), box.begin(), box.end());
      }
    }
    out.labels = at::tensor(labels, at::kLong);
    out.boxes = at::tensor(flat, at::kDouble).reshape({-1, 4}).to(dtype);
    return out;
  }
};

/// Smooth random blobs with some noise (pure noise drives the network's rounding errors up);
/// `counts` boxes in each.
inline GlobalBatch make_batch(const std::vector<int>& counts) {
  GlobalBatch batch;
  CounterRandom random(5, Stream::kTest, 0);
  batch.images = at::empty({static_cast<int64_t>(counts.size()), 3, kSide, kSide}, at::kDouble);
  auto* pixel = batch.images.data_ptr<double>();
  for (int64_t i = 0; i < batch.images.numel(); ++i) pixel[i] = random.uniform_double();
  const Tensor blobs = at::upsample_bilinear2d(batch.images.slice(2, 0, 3).slice(3, 0, 3),
                                               {kSide, kSide}, /*align_corners=*/false);
  batch.images = 0.7 * blobs + 0.3 * batch.images;
  for (const int count : counts) {
    auto& image = batch.boxes.emplace_back();
    for (int k = 0; k < count; ++k) {
      const double w = 0.1 + 0.4 * random.uniform_double(), h = 0.1 + 0.4 * random.uniform_double();
      const double x = w / 2 + (1 - w) * random.uniform_double(),
                   y = h / 2 + (1 - h) * random.uniform_double();
      image.push_back({static_cast<int64_t>(random.below(kClasses)), {x, y, w, h}});
    }
  }
  return batch;
}

/// Weights on which every term matters: the layers that start at zero (boxes, gates, offsets) are
/// randomised.
inline std::shared_ptr<DFine> make_model(at::ScalarType dtype,
                                         const ModelSpec& spec = small_spec()) {
  const at::NoGradGuard no_grad;
  auto model = std::make_shared<DFine>(spec, 3);
  CounterRandom random(6, Stream::kTest, 0);
  for (auto& item : model->named_parameters()) {
    Tensor& p = item.value();
    if (!p.requires_grad() || p.dim() == 0 || p.abs().max().item<double>() != 0) continue;
    std::vector<float> values(static_cast<size_t>(p.numel()));
    for (auto& v : values) v = 0.2F * (random.uniform() - 0.5F);
    p.copy_(at::tensor(values).reshape(p.sizes()));
  }
  model->to(dtype);
  model->train();
  return model;
}

/// Gives all norms the statistics that they have on `images`, for good. A live norm moves its
/// running ones a tenth of the way from mean 0 and variance 1 to the batch's.
inline void freeze_statistics(DFine& model, const Tensor& images) {
  const at::NoGradGuard no_grad;
  model.forward(images);
  for (auto& item : model.named_buffers()) {
    if (item.key().ends_with("running_mean")) item.value().div_(0.1);
    if (item.key().ends_with("running_var")) item.value().sub_(0.9).div_(0.1);
  }
  for (const auto& module : model.modules()) {
    if (dynamic_cast<BatchNorm2d*>(module.get()) != nullptr) module->eval();
  }
}

struct Outcome {
  int64_t without_denoising = 0;
  std::vector<std::pair<std::string, double>> terms;
  std::vector<std::pair<std::string, Tensor>> grads;
  std::vector<std::pair<std::string, Tensor>> buffers;
};

struct Cut {
  size_t micro_batches = 1;
  at::ScalarType dtype = at::kDouble;
  bool live_norms = true;  // else all batch norms use their running statistics
  ModelSpec spec = small_spec();
  GradientAccumulation accumulation = GradientAccumulation::kExact;
  bool padded = false;
};

/// This rank's micro-batches.
inline std::vector<MicroBatch> split(const GlobalBatch& batch, const Communicator& group,
                                     const Cut& cut) {
  const int64_t count =
      batch.images.size(0) / group.size() / static_cast<int64_t>(cut.micro_batches);
  std::vector<MicroBatch> parts;
  for (size_t k = 0; k < cut.micro_batches; ++k) {
    const int64_t first =
        micro_batch_index(static_cast<int64_t>(k), group.rank(), group.size()) * count;
    const Tensor images = batch.images.narrow(0, first, count).to(cut.dtype);
    parts.push_back(
        {.images = [images] { return images; }, .targets = batch.targets(first, count, cut.dtype)});
  }
  return parts;
}

inline Outcome run_step(const GlobalBatch& batch, const Communicator& group, const Cut& cut) {
  auto model = make_model(cut.dtype, cut.spec);
  if (!cut.live_norms) freeze_statistics(*model, batch.images.to(cut.dtype));
  model->set_group(group);
  TrainingStep step(*model, trained_parameters(*model), Criterion({.num_classes = kClasses}), group,
                    {.autocast = {}, .accumulation = cut.accumulation, .padded = cut.padded});
  const auto [loss, without_denoising] =
      step.run(split(batch, group, cut), {.seed = 17, .step = 4});
  Outcome out{.without_denoising = without_denoising, .terms = {}, .grads = {}, .buffers = {}};
  Tensor terms = loss.values.clone();
  group.all_reduce_sum(terms);
  terms /= group.size();
  for (size_t i = 0; i < loss.names.size(); ++i)
    out.terms.emplace_back(loss.names[i], terms[static_cast<int64_t>(i)].item<double>());
  for (auto& item : model->named_parameters()) {
    if (item.value().grad().defined())
      out.grads.emplace_back(item.key(), item.value().grad().clone());
  }
  for (auto& item : model->named_buffers())
    out.buffers.emplace_back(item.key(), item.value().to(at::kDouble));
  return out;
}

/// Relative L2 difference over all tensors, and each tensor's own against a floor: tensors whose
/// gradient vanishes have no relative error.
inline void expect_same(const std::vector<std::pair<std::string, Tensor>>& split,
                        const std::vector<std::pair<std::string, Tensor>>& whole, double bound,
                        const char* what) {
  ASSERT_EQ(split.size(), whole.size()) << what;
  double scale = 0;
  for (const auto& [name, t] : whole) scale = std::max(scale, t.norm().item<double>());
  for (size_t i = 0; i < whole.size(); ++i) {
    ASSERT_EQ(split[i].first, whole[i].first);
    const double norm = whole[i].second.norm().item<double>(),
                 gap = (split[i].second - whole[i].second).norm().item<double>();
    EXPECT_LE(gap, bound * std::max(norm, 1e-6 * scale))
        << what << " " << whole[i].first << ": norm " << norm;
  }
}

inline void expect_same(const Outcome& split, const Outcome& whole, double bound) {
  ASSERT_EQ(split.terms.size(), whole.terms.size());
  for (size_t i = 0; i < whole.terms.size(); ++i) {
    EXPECT_EQ(split.terms[i].first, whole.terms[i].first);
    EXPECT_NEAR(split.terms[i].second, whole.terms[i].second,
                bound * std::max(1e-3, std::abs(whole.terms[i].second)))
        << whole.terms[i].first;
  }
  expect_same(split.grads, whole.grads, bound, "gradient of");
  expect_same(split.buffers, whole.buffers, bound, "buffer");
  EXPECT_GT(whole.grads.size(), 100U);
}

}  // namespace dfine
