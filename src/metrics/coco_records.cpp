#include "metrics/coco_records.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "core/error.h"
#include "core/text.h"
#include "metrics/id_index.h"
#include "metrics/radix_sort.h"

namespace dfine::inline metrics {
using enum ErrorCode;
namespace {

constexpr uint32_t kNone = IdIndex::kNone;
constexpr int64_t kAllCategories = -1;  // as in pycocotools

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

/// A product with 0 is NaN for what is not finite.
bool is_finite(const Detection& d) {
  double sum = d.score * 0;
  for (const double v : d.xywh) sum += v * 0;
  return sum == 0;
}

[[noreturn]] void fail_not_finite(const Detection& d, size_t i) {
  throw Error(kNotFinite, str_cat("detection ", i, " (from 0) on image ", d.image_id,
                                  " is not finite: score ", d.score, ", bbox [", d.xywh[0], ", ",
                                  d.xywh[1], ", ", d.xywh[2], ", ", d.xywh[3], "]"));
}

BoxRecord record_of(const GroundTruthBox& /*box*/, uint32_t image, uint32_t index) {
  return {.image = image, .index = index};
}
DetectionRecord record_of(const Detection& d, uint32_t image, uint32_t /*index*/) {
  const auto& [x, y, w, h] = d.xywh;
  return {.x = x, .y = y, .w = w, .h = h, .score = d.score, .image = image};
}

std::vector<Category> distinct_by_id(std::vector<Category> categories) {
  std::ranges::stable_sort(categories, {}, &Category::id);
  const auto same = std::ranges::unique(categories, {}, &Category::id);
  categories.erase(same.begin(), same.end());
  return categories;
}

template <class Record>
void sort_by_image(std::span<Record> records) {
  if (std::ranges::is_sorted(records, {}, &Record::image)) return;
  struct Place {
    uint32_t image, index;
  };
  std::vector<Place> places(records.size()), spare;
  for (uint32_t i = 0; i < places.size(); ++i) places[i] = {records[i].image, i};
  radix_sort(places, spare, [](const Place& p) { return uint64_t{p.image}; });
  const std::vector<Record> unsorted(records.begin(), records.end());
  for (size_t i = 0; i < places.size(); ++i) records[i] = unsorted[places[i].index];
}

/// Brings records of one kind into order, each thread a range of them.
template <class Input, class Record>
class Sorter {
 public:
  Sorter(std::span<const Input> input, const IdIndex& images, const IdIndex& categories,
         ThreadPool& pool)
      : input_(input),
        images_(images),
        categories_(categories),
        pool_(pool),
        grain_(std::max<size_t>(kFewest, input.size() / static_cast<size_t>(pool.size() + 1) + 1)),
        next_((input.size() + grain_ - 1) / grain_, std::vector<uint32_t>(categories.size(), 0)),
        keys_(input.size()) {}

  /// How many are dropped. `begin`: [K + 1].
  int64_t sort(bool by_category, std::vector<Record>& records, std::vector<uint32_t>& begin) {
    each_range([this](size_t range, size_t first, size_t last) { find_keys(range, first, last); });
    begin.assign(1, 0);
    uint32_t at = 0;
    for (uint32_t k = 0; k < categories_.size(); ++k) {
      for (auto& next : next_) at += std::exchange(next[k], at);
      begin.push_back(at);
    }
    records.resize(at);
    each_range([&](size_t range, size_t first, size_t last) {
      for (size_t i = first; i < last; ++i) {
        if (const Key key = keys_[i]; key.category != kNone)
          records[next_[range][key.category]++] =
              record_of(input_[i], key.image, static_cast<uint32_t>(i));
      }
    });
    if (!by_category) begin = {0, at};
    parallel_ranges(pool_, begin.size() - 1, 1, [&](size_t k, size_t) {
      sort_by_image(std::span(records).subspan(begin[k], begin[k + 1] - begin[k]));
    });
    return static_cast<int64_t>(input_.size()) - at;
  }

 private:
  static constexpr size_t kFewest = 1 << 14;
  struct Key {
    uint32_t category, image;  // places; kNone: dropped
  };

  template <class Body>
  void each_range(const Body& body) {
    try {
      parallel_ranges(pool_, input_.size(), grain_,
                      [&](size_t first, size_t last) { body(first / grain_, first, last); });
    } catch (Error& e) {
      if (pool_.size() > 0) e.add_scopes();
      throw;
    }
  }

  void find_keys(size_t range, size_t first, size_t last) {
    std::vector<uint32_t>& count = next_[range];
    int64_t last_id = 0;
    uint32_t image = kNone;
    for (size_t i = first; i < last; ++i) {
      const Input& record = input_[i];
      if (i == first || record.image_id != last_id) {
        image = images_.find(record.image_id);
        last_id = record.image_id;
      }
      if constexpr (std::is_same_v<Input, Detection>) {
        if (!is_finite(record)) fail_not_finite(record, i);
        if (image == kNone) fail_unknown_images(input_, images_);
      }
      const uint32_t category = image == kNone ? kNone : categories_.find(record.category_id);
      keys_[i] = {.category = category, .image = image};
      if (category != kNone) ++count[category];
    }
  }

  std::span<const Input> input_;
  const IdIndex &images_, &categories_;
  ThreadPool& pool_;
  size_t grain_;
  std::vector<std::vector<uint32_t>> next_;  // [ranges][K] counts, then where the next one goes
  std::vector<Key> keys_;
};

}  // namespace

CocoRecords coco_records(const GroundTruth& truth, std::span<const Detection> detections,
                         bool by_category, ThreadPool& pool) {
  CocoRecords out;
  out.categories = distinct_by_id(truth.categories);
  std::vector<int64_t> category_ids;
  for (const auto& category : out.categories) category_ids.push_back(category.id);
  const size_t lookups = truth.boxes.size() + detections.size();
  const IdIndex categories(std::move(category_ids), lookups), images(truth.image_ids, lookups);
  out.num_images = images.size();
  out.boxes_left_out = Sorter<GroundTruthBox, BoxRecord>(truth.boxes, images, categories, pool)
                           .sort(by_category, out.boxes, out.box_begin);
  out.detections_left_out = Sorter<Detection, DetectionRecord>(detections, images, categories, pool)
                                .sort(by_category, out.detections, out.detection_begin);
  if (!by_category) out.categories = {{kAllCategories, "all categories"}};
  return out;
}

}  // namespace dfine::inline metrics
