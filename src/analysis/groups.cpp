#include "analysis/groups.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "metrics/id_index.h"

namespace dfine::inline analysis {
using enum ErrorCode;
namespace {

constexpr uint32_t kNone = IdIndex::kNone;

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
  for (const Detection& d : detections) {
    if (images.find(d.image_id) != kNone) continue;
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
  for (size_t i = 0; i < detections.size(); ++i) {
    const Detection& d = detections[i];
    if (!std::isfinite(d.score) || !finite(d.xywh)) {
      throw Error(kNotFinite, str_cat("detection ", i, " (from 0) on image ", d.image_id,
                                      " is not finite: score ", d.score, ", bbox [", d.xywh[0],
                                      ", ", d.xywh[1], ", ", d.xywh[2], ", ", d.xywh[3], "]"));
    }
    keys.image[i] = images.find(d.image_id);
    if (keys.image[i] == kNone) fail_unknown_images(detections, images);
    keys.category[i] = categories.find(d.category_id);
  }
  return keys;
}

Keys keys_of(const std::vector<GroundTruthBox>& boxes, const IdIndex& images,
             const IdIndex& categories) {
  Keys keys{std::vector<uint32_t>(boxes.size()), std::vector<uint32_t>(boxes.size())};
  for (size_t i = 0; i < boxes.size(); ++i) {
    keys.image[i] = images.find(boxes[i].image_id);
    keys.category[i] = keys.image[i] == kNone ? kNone : categories.find(boxes[i].category_id);
  }
  return keys;
}

/// Joins the two sorted lists; an (image, category) pair of either makes a group.
void make_groups(Groups& out, const Keys& box_keys, const Keys& detection_keys) {
  const auto pair_at = [](const std::vector<uint32_t>& order, const Keys& keys, size_t i) {
    return i < order.size() ? uint64_t{keys.category[order[i]]} << 32 | keys.image[order[i]]
                            : std::numeric_limits<uint64_t>::max();
  };
  uint32_t box = 0, detection = 0;
  out.category_begin.push_back(0);
  while (box < out.boxes.size() || detection < out.detections.size()) {
    const uint64_t box_pair = pair_at(out.boxes, box_keys, box);
    const uint64_t detection_pair = pair_at(out.detections, detection_keys, detection);
    const uint64_t pair = std::min(box_pair, detection_pair);
    while (out.category_begin.size() <= pair >> 32)
      out.category_begin.push_back(static_cast<uint32_t>(out.groups.size()));
    Group group{
        .box_begin = box, .box_end = box, .detection_begin = detection, .detection_end = detection};
    while (pair_at(out.boxes, box_keys, group.box_end) == pair) ++group.box_end;
    while (pair_at(out.detections, detection_keys, group.detection_end) == pair)
      ++group.detection_end;
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

Groups group_by_category_and_image(const GroundTruth& truth,
                                   std::span<const Detection> detections) {
  Groups out;
  out.categories = distinct_by_id(truth.categories);
  std::vector<int64_t> category_ids;
  for (const auto& category : out.categories) category_ids.push_back(category.id);
  const size_t lookups = truth.boxes.size() + detections.size();
  const IdIndex categories(std::move(category_ids), lookups), images(truth.image_ids, lookups);

  const Keys box_keys = keys_of(truth.boxes, images, categories),
             detection_keys = keys_of(detections, images, categories);
  out.boxes = sorted_by_category_and_image(box_keys, categories.size(), images.size());
  out.detections = sorted_by_category_and_image(detection_keys, categories.size(), images.size());
  make_groups(out, box_keys, detection_keys);
  return out;
}

}  // namespace dfine::inline analysis
