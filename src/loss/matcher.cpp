#include "loss/matcher.h"

#include <algorithm>
#include <numeric>
#include <span>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "loss/box_ops.h"
#include "loss/linear_sum_assignment.h"
#include "model/to_device_async.h"

namespace dfine::inline loss {
namespace {

/// int64 [T]: the image of each box; 0 for padding.
Tensor image_of_box(const Targets& targets) {
  std::vector<int64_t> image;
  image.reserve(static_cast<size_t>(targets.labels.size(0)));
  for (size_t i = 0; i < targets.counts.size(); ++i) {
    image.insert(image.end(), static_cast<size_t>(targets.counts[i]), static_cast<int64_t>(i));
  }
  image.resize(static_cast<size_t>(targets.labels.size(0)));
  return to_device_async(at::tensor(image, at::kLong), targets.labels.device());
}

/// [H, T, Q]: what it costs head h to give box t to query q of the box's own image.
Tensor pair_costs(const Tensor& logits, const Tensor& boxes, const Targets& targets,
                  const MatcherOptions& options) {
  const Tensor image = image_of_box(targets);
  const Tensor probability = logits.transpose(2, 3)
                                 .index({at::indexing::Slice(), image, targets.labels})
                                 .sigmoid();  // [H, T, Q]
  const Tensor predicted = boxes.transpose(2, 3).contiguous().index_select(1, image).transpose(
      2, 3);  // [H, T, Q, 4], each coordinate dense
  const Tensor wanted =
      targets.boxes.to(predicted.scalar_type()).unsqueeze(1).unsqueeze(0);  // [1, T, 1, 4]

  constexpr double kEps = 1e-8;  // keeps the logarithms finite
  const Tensor absent = 1 - probability;
  const Tensor as_positive =
      absent.pow(options.gamma) * (probability + kEps).log() * -options.alpha;
  const Tensor as_negative =
      probability.pow(options.gamma) * (absent + kEps).log() * (options.alpha - 1);
  const Tensor distance = (predicted - wanted).abs_().sum(-1);
  const Tensor cost = distance * options.bbox_weight +
                      (as_positive - as_negative) * options.class_weight -
                      box_iou_giou(predicted, wanted).giou * options.giou_weight;
  return at::nan_to_num(cost, 1.0);
}

Pairs assign(std::span<const double> cost, int64_t boxes, int64_t queries) {
  const std::vector<int64_t> query_of = linear_sum_assignment(cost, boxes, queries);
  std::vector<int64_t> order(query_of.size());
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(order, [&](int64_t box) { return query_of[static_cast<size_t>(box)] < 0; });
  std::ranges::sort(order, {}, [&](int64_t box) { return query_of[static_cast<size_t>(box)]; });
  Pairs pairs;
  for (const int64_t box : order) pairs.query.push_back(query_of[static_cast<size_t>(box)]);
  pairs.box = std::move(order);
  return pairs;
}

}  // namespace

std::vector<MatchedIndices> hungarian_match(const Tensor& logits, const Tensor& boxes,
                                            const Targets& targets, const MatcherOptions& options) {
  std::vector<MatchedIndices> matchings(static_cast<size_t>(logits.size(0)),
                                        MatchedIndices(targets.counts.size()));
  if (targets.num_boxes() == 0 && !targets.padded()) return matchings;
  const at::NoGradGuard no_grad;
  const Tensor costs =
      pair_costs(logits, boxes, targets, options).cpu().to(at::kDouble).contiguous();  // [H, T, Q]
  const int64_t total = costs.size(1), queries = costs.size(2), images = targets.num_images();
  std::vector<int64_t> first(targets.counts.size());
  std::exclusive_scan(targets.counts.begin(), targets.counts.end(), first.begin(), int64_t{0});
  at::parallel_for(0, costs.size(0) * images, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const int64_t head = k / images;
      const auto image = static_cast<size_t>(k % images);
      const int64_t count = targets.counts[image];
      const double* block =
          costs.const_data_ptr<double>() + (head * total + first[image]) * queries;
      matchings[static_cast<size_t>(head)][image] =
          assign({block, static_cast<size_t>(count * queries)}, count, queries);
    }
  });
  return matchings;
}

}  // namespace dfine::inline loss
