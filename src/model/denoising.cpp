#include "model/denoising.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/random.h"
#include "core/text.h"
#include "model/distribution.h"
#include "model/to_device_async.h"

namespace dfine::inline model {
using enum ErrorCode;
namespace {

/// int64 [B, N]: the row of the batch's boxes that each query copies; T (one past the last) for
/// queries without a box.
Tensor source_rows(const Targets& targets, const DenoisingMeta& meta) {
  const int64_t n = meta.num_queries(), total = targets.labels.size(0);
  std::vector<int64_t> rows(static_cast<size_t>(targets.num_images() * n), total);
  auto out = rows.begin();
  const std::vector<int64_t> denoised = denoised_rows(targets, meta);
  size_t first = 0;
  for (const int64_t boxes : targets.counts) {
    const int64_t count = std::min(boxes, meta.max_boxes);
    for (int64_t q = 0; q < meta.num_grouped(); ++q) {
      const int64_t j = q % meta.max_boxes;
      if (j < count) out[q] = denoised[first + static_cast<size_t>(j)];
    }
    out += n;
    first += static_cast<size_t>(count);
  }
  return to_device_async(at::tensor(rows, at::kLong).view({targets.num_images(), n}),
                         targets.boxes.device());
}

/// [N, 1]: 1 for the second half of every group.
Tensor negative_queries(const DenoisingMeta& meta, const at::TensorOptions& options) {
  std::vector<double> negative(static_cast<size_t>(meta.num_queries()));
  for (int64_t q = 0; q < meta.num_grouped(); ++q)
    negative[static_cast<size_t>(q)] = static_cast<double>(q / meta.max_boxes % 2);
  return to_device_async(at::tensor(negative, options.device(at::kCPU)), options.device())
      .unsqueeze(1);
}

}  // namespace

DenoisingMeta denoising_meta(int64_t num_denoising, int64_t global_max_boxes, int64_t max_queries) {
  if (num_denoising <= 0 || global_max_boxes <= 0) return {};
  const int64_t boxes =
      max_queries > 0 ? std::min(global_max_boxes, max_queries / 2) : global_max_boxes;
  return {.groups = std::max<int64_t>(1, num_denoising / boxes), .max_boxes = boxes};
}

std::vector<int64_t> choose_denoised_boxes(const Targets& targets, const DenoisingMeta& meta,
                                           uint64_t seed, uint64_t step, int64_t first_sample) {
  const auto limit = static_cast<size_t>(meta.max_boxes);
  if (std::ranges::all_of(targets.counts, [&](int64_t count) { return count <= meta.max_boxes; }))
    return {};
  std::vector<int64_t> kept, of_image;
  int64_t first = 0;
  for (size_t i = 0; i < targets.counts.size(); ++i) {
    of_image.resize(static_cast<size_t>(targets.counts[i]));
    std::iota(of_image.begin(), of_image.end(), first);
    first += targets.counts[i];
    if (of_image.size() > limit) {  // the beginning of a Fisher-Yates shuffle
      CounterRandom random(seed, Stream::kDenoisingBoxes, step,
                           static_cast<uint32_t>(first_sample) + static_cast<uint32_t>(i));
      for (size_t j = 0; j < limit; ++j)
        std::swap(of_image[j], of_image[j + random.below(of_image.size() - j)]);
      of_image.resize(limit);
      std::ranges::sort(of_image);
    }
    kept.insert(kept.end(), of_image.begin(), of_image.end());
  }
  return kept;
}

std::vector<int64_t> denoised_rows(const Targets& targets, const DenoisingMeta& meta) {
  int64_t count = 0;
  for (const int64_t boxes : targets.counts) {
    if (boxes > meta.max_boxes && meta.kept.empty()) {
      throw Error(
          kInternal,
          str_cat("an image has ", boxes, " boxes, the denoising queries are laid out for at most ",
                  meta.max_boxes),
          "denoising_meta() takes the maximum over all ranks; choose_denoised_boxes() "
          "chooses under a limit");
    }
    count += std::min(boxes, meta.max_boxes);
  }
  if (meta.kept.empty()) {
    std::vector<int64_t> all(static_cast<size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  if (static_cast<int64_t>(meta.kept.size()) != count)
    throw Error(kInternal, str_cat("denoising queries were chosen for ", meta.kept.size(),
                                   " boxes, this batch needs ", count));
  return meta.kept;
}

DenoisingNoise draw_denoising(uint64_t seed, uint64_t step, int64_t first_sample, int64_t batch,
                              const DenoisingMeta& meta, int64_t num_classes) {
  const int64_t n = meta.num_queries();
  DenoisingNoise draws{.label_u = at::empty({batch, n}, at::kFloat),
                       .label_new = at::empty({batch, n}, at::kLong),
                       .box_sign = at::empty({batch, n, 4}, at::kFloat),
                       .box_u = at::empty({batch, n, 4}, at::kFloat)};
  auto* label_u = draws.label_u.mutable_data_ptr<float>();
  auto* label_new = draws.label_new.mutable_data_ptr<int64_t>();
  auto* box_sign = draws.box_sign.mutable_data_ptr<float>();
  auto* box_u = draws.box_u.mutable_data_ptr<float>();
  for (int64_t i = 0; i < batch; ++i) {
    CounterRandom random(seed, Stream::kDenoising, step, static_cast<uint32_t>(first_sample + i));
    for (int64_t q = 0; q < n; ++q) {
      *label_u++ = random.uniform();
      *label_new++ = static_cast<int64_t>(random.below(static_cast<uint64_t>(num_classes)));
      const uint32_t signs = random.next_u32();
      for (int k = 0; k < 4; ++k) *box_sign++ = static_cast<float>(signs >> (28 + k) & 1U);
      for (int k = 0; k < 4; ++k) *box_u++ = random.uniform();
    }
  }
  return draws;
}

DenoisingQueries make_denoising(const Targets& targets, const DenoisingMeta& meta,
                                const DenoisingNoise& draws, int64_t num_classes) {
  if (meta.num_queries() <= 0)
    throw Error(kInternal, "make_denoising: there are no denoising queries");
  const auto options = targets.boxes.options();
  const auto drawn = [&](const Tensor& host) { return to_device_async(host, options.device()); };
  const Tensor rows = source_rows(targets, meta);              // [B, N]
  const Tensor without_box = rows.eq(targets.labels.size(0));  // [B, N]
  const Tensor label =
      at::cat({targets.labels, at::full({1}, num_classes, targets.labels.options())})
          .index({rows});  // [B, N]
  const Tensor box =
      at::cat({targets.boxes, at::zeros({1, 4}, options)}).index({rows});  // [B, N, 4] cxcywh

  const Tensor relabel =
      drawn(draws.label_u).lt(kDenoisingLabelNoise).logical_and(without_box.logical_not());
  const Tensor labels = at::where(relabel, drawn(draws.label_new), label);

  const Tensor centre = box.narrow(-1, 0, 2), half = box.narrow(-1, 2, 2) * 0.5;  // [B, N, 2]
  const Tensor shift = (drawn(draws.box_sign).to(options) * 2 - 1) *
                       (drawn(draws.box_u).to(options) + negative_queries(meta, options)) *
                       at::cat({half, half}, -1);
  const Tensor corners =
      (at::cat({centre - half, centre + half}, -1) + shift).clamp(0, 1);  // [B, N, 4] xyxy
  const Tensor low = corners.narrow(-1, 0, 2), high = corners.narrow(-1, 2, 2);
  const Tensor noised = at::cat({(low + high) / 2, (high - low).abs()}, -1);  // [B, N, 4] cxcywh
  return {.labels = labels, .boxes_unact = inverse_sigmoid(noised), .meta = meta};
}

Tensor denoising_attention_mask(const DenoisingMeta& meta, int64_t num_queries,
                                const at::TensorOptions& options) {
  const int64_t n = meta.num_queries();
  std::vector<int64_t> group(static_cast<size_t>(n + num_queries), -1);  // of normal queries: -1
  for (int64_t q = 0; q < n; ++q)
    group[static_cast<size_t>(q)] = q < meta.num_grouped() ? q / (2 * meta.max_boxes) : meta.groups;
  const Tensor groups = to_device_async(at::tensor(group, at::kLong), options.device());
  const Tensor row = groups.unsqueeze(1), column = groups.unsqueeze(0);
  const Tensor blocked = column.ge(0).logical_and(row.ne(column));
  return at::zeros({n + num_queries, n + num_queries}, options)
      .masked_fill_(blocked, -std::numeric_limits<double>::infinity());
}

}  // namespace dfine::inline model
