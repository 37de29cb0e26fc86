#include "metrics/coco_groups.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "metrics/coco_params.h"

namespace dfine::inline metrics {
using enum ErrorCode;
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

/// Id -> place among the distinct ids in ascending order.
class IdIndex {
 public:
  explicit IdIndex(std::vector<int64_t> ids) : ids_(std::move(ids)) {
    std::sort(ids_.begin(), ids_.end());
    ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  }
  uint32_t size() const { return static_cast<uint32_t>(ids_.size()); }

  /// kNone for an unknown id. Records tend to repeat the id before them: `last` is where the
  /// previous search ended.
  uint32_t find(int64_t id, uint32_t& last) const {
    if (last < ids_.size() && ids_[last] == id) return last;
    const auto it = std::lower_bound(ids_.begin(), ids_.end(), id);
    if (it == ids_.end() || *it != id) return kNone;
    return last = static_cast<uint32_t>(it - ids_.begin());
  }

 private:
  std::vector<int64_t> ids_;
};

/// Category and image of each record, as places in the two indices; category kNone: dropped.
struct Keys {
  std::vector<uint32_t> category, image;
};

/// `order` sorted by keys[order[i]] < count, stably.
std::vector<uint32_t> counting_sort(const std::vector<uint32_t>& order,
                                    const std::vector<uint32_t>& keys, uint32_t count) {
  std::vector<uint32_t> next(count + 1, 0);
  for (const uint32_t i : order) ++next[keys[i] + 1];
  for (uint32_t k = 0; k < count; ++k) next[k + 1] += next[k];
  std::vector<uint32_t> sorted(order.size());
  for (const uint32_t i : order) sorted[next[keys[i]]++] = i;
  return sorted;
}

std::vector<uint32_t> sorted_by_category_and_image(const Keys& keys, uint32_t categories,
                                                   uint32_t images) {
  std::vector<uint32_t> kept;
  kept.reserve(keys.category.size());
  for (uint32_t i = 0; i < keys.category.size(); ++i) {
    if (keys.category[i] != kNone) kept.push_back(i);
  }
  return counting_sort(counting_sort(kept, keys.image, images), keys.category, categories);
}

[[noreturn]] void fail_unknown_images(std::span<const Detection> detections,
                                      const IdIndex& images) {
  constexpr size_t kNamed = 5;
  std::set<int64_t> unknown;
  size_t records = 0;
  uint32_t last = 0;
  for (const Detection& d : detections) {
    if (images.find(d.image_id, last) != kNone) continue;
    unknown.insert(d.image_id);
    ++records;
  }
  std::string names;
  size_t named = 0;
  for (auto it = unknown.begin(); it != unknown.end() && named < kNamed; ++it, ++named)
    names += str_cat(named > 0 ? ", " : "", *it);
  if (unknown.size() > kNamed) names += str_cat(" and ", unknown.size() - kNamed, " more");
  throw Error(
      kDataMismatch,
      str_cat(records, " of ", detections.size(),
              " detections are on images that the ground truth does not list: image id ", names),
      "were the detections made on the images of this annotation file?");
}

bool finite(const std::array<double, 4>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

Keys keys_of(std::span<const Detection> detections, const IdIndex& images,
             const IdIndex& categories) {
  Keys keys{std::vector<uint32_t>(detections.size()), std::vector<uint32_t>(detections.size())};
  uint32_t last_image = 0, last_category = 0;
  for (size_t i = 0; i < detections.size(); ++i) {
    const Detection& d = detections[i];
    if (!std::isfinite(d.score) || !finite(d.xywh)) {
      throw Error(kNotFinite, str_cat("detection ", i, " (from 0) on image ", d.image_id,
                                      " is not finite: score ", d.score, ", bbox [", d.xywh[0],
                                      ", ", d.xywh[1], ", ", d.xywh[2], ", ", d.xywh[3], "]"));
    }
    keys.image[i] = images.find(d.image_id, last_image);
    if (keys.image[i] == kNone) fail_unknown_images(detections, images);
    keys.category[i] = categories.find(d.category_id, last_category);
  }
  return keys;
}

Keys keys_of(const std::vector<GroundTruthBox>& boxes, const IdIndex& images,
             const IdIndex& categories) {
  Keys keys{std::vector<uint32_t>(boxes.size()), std::vector<uint32_t>(boxes.size())};
  uint32_t last_image = 0, last_category = 0;
  for (size_t i = 0; i < boxes.size(); ++i) {
    keys.image[i] = images.find(boxes[i].image_id, last_image);
    keys.category[i] =
        keys.image[i] == kNone ? kNone : categories.find(boxes[i].category_id, last_category);
  }
  return keys;
}

/// Joins the two sorted lists; an (image, category) pair of either makes a group.
void make_groups(CocoGroups& out, const Keys& box_keys, const Keys& detection_keys) {
  const auto pair_at = [](const std::vector<uint32_t>& order, const Keys& keys, size_t i) {
    return i < order.size() ? uint64_t{keys.category[order[i]]} << 32 | keys.image[order[i]]
                            : std::numeric_limits<uint64_t>::max();
  };
  constexpr uint32_t kKept = kCocoDetectionLimits.back();
  uint32_t box = 0, detection = 0;
  out.category_begin.push_back(0);
  while (box < out.boxes.size() || detection < out.detections.size()) {
    const uint64_t box_pair = pair_at(out.boxes, box_keys, box);
    const uint64_t detection_pair = pair_at(out.detections, detection_keys, detection);
    const uint64_t pair = std::min(box_pair, detection_pair);
    while (out.category_begin.size() <= pair >> 32)
      out.category_begin.push_back(static_cast<uint32_t>(out.groups.size()));
    CocoGroup group{.box_begin = box,
                    .box_end = box,
                    .detection_begin = detection,
                    .detection_end = detection,
                    .outcome_begin = out.num_outcomes,
                    .outcome_end = 0};
    while (pair_at(out.boxes, box_keys, group.box_end) == pair) ++group.box_end;
    while (pair_at(out.detections, detection_keys, group.detection_end) == pair)
      ++group.detection_end;
    out.num_outcomes += std::min(kKept, group.detection_end - group.detection_begin);
    group.outcome_end = out.num_outcomes;
    box = group.box_end;
    detection = group.detection_end;
    out.groups.push_back(group);
  }
  out.category_begin.resize(out.categories.size() + 1, static_cast<uint32_t>(out.groups.size()));
}

std::vector<Category> distinct_by_id(std::vector<Category> categories) {
  std::stable_sort(categories.begin(), categories.end(),
                   [](const Category& a, const Category& b) { return a.id < b.id; });
  const auto same = [](const Category& a, const Category& b) { return a.id == b.id; };
  categories.erase(std::unique(categories.begin(), categories.end(), same), categories.end());
  return categories;
}

}  // namespace

CocoGroups group_by_category_and_image(const GroundTruth& truth,
                                       std::span<const Detection> detections) {
  CocoGroups out;
  out.categories = distinct_by_id(truth.categories);
  std::vector<int64_t> category_ids;
  for (const auto& category : out.categories) category_ids.push_back(category.id);
  const IdIndex categories(std::move(category_ids)), images(truth.image_ids);
  out.num_images = images.size();

  const Keys box_keys = keys_of(truth.boxes, images, categories),
             detection_keys = keys_of(detections, images, categories);
  out.boxes = sorted_by_category_and_image(box_keys, categories.size(), images.size());
  out.detections = sorted_by_category_and_image(detection_keys, categories.size(), images.size());
  out.boxes_left_out = static_cast<int64_t>(truth.boxes.size() - out.boxes.size());
  out.detections_left_out = static_cast<int64_t>(detections.size() - out.detections.size());
  make_groups(out, box_keys, detection_keys);
  return out;
}

}  // namespace dfine::inline metrics
