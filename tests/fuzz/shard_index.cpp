// A sound index with values and lengths changed at will: check_index refuses it, or reading by it
// stays within the shard.
#include <fuzzer/FuzzedDataProvider.h>

#include <cmath>
#include <cstring>

#include "core/error.h"
#include "data/shards/format.h"

namespace {

constexpr uint64_t kImageBytes = 1000;
constexpr size_t kCategories = 3;

void require(bool holds) {
  if (!holds) std::abort();
}

/// `images` images with two boxes and one dropped annotation each.
dfine::ShardIndex sound_index(size_t images) {
  dfine::ShardIndex index;
  index.box.first.push_back(0);
  index.dropped.first.push_back(0);
  const auto add = [](dfine::ShardIndex::Boxes& boxes, int64_t id) {
    boxes.label.push_back(static_cast<int32_t>(id % kCategories));
    boxes.xywh.insert(boxes.xywh.end(), {1, 2, 3, 4});
    boxes.area.push_back(12);
    boxes.iscrowd.push_back(0);
    boxes.annotation_id.push_back(id);
  };
  for (size_t i = 0; i < images; ++i) {
    index.offset.push_back(i * 100);
    index.size.push_back(100);
    index.crc32c.push_back(0);
    index.id.push_back(static_cast<int64_t>(i));
    index.width.push_back(64);
    index.height.push_back(48);
    index.file_name.add("a.jpg");
    for (int k = 0; k < 2; ++k) {
      add(index.box, static_cast<int64_t>(2 * i) + k);
      index.cxcywh.insert(index.cxcywh.end(), {0.5F, 0.5F, 0.25F, 0.125F});
    }
    add(index.dropped, static_cast<int64_t>(i));
    index.position.push_back(1);
    index.box.first.push_back(index.box.label.size());
    index.dropped.first.push_back(index.dropped.label.size());
  }
  return index;
}

void change(dfine::ShardIndex& index, FuzzedDataProvider& input) {
  int chosen = input.ConsumeIntegralInRange(0, 19);
  for_each_dataset(index, [&]<class T>(const char*, std::vector<T>& array, int) {
    if (chosen-- != 0) return;
    if (input.ConsumeBool())
      return array.resize(input.ConsumeIntegralInRange<size_t>(0, array.size() + 2));
    if (array.empty()) return;
    const auto place = input.ConsumeIntegralInRange<size_t>(0, array.size() - 1);
    const auto bytes = input.ConsumeBytes<uint8_t>(sizeof(T));
    std::memcpy(&array[place], bytes.data(), bytes.size());
  });
}

void check_boxes(const dfine::ShardIndex::Boxes& boxes, size_t images) {
  require(boxes.first.size() == images + 1);
  const size_t count = boxes.label.size();
  for (size_t i = 0; i < images; ++i)
    require(boxes.first[i] <= boxes.first[i + 1] && boxes.first[i + 1] <= count);
  require(boxes.xywh.size() == 4 * count && boxes.area.size() == count &&
          boxes.iscrowd.size() == count);
  require(boxes.annotation_id.size() == count);
  for (const int32_t label : boxes.label)
    require(label >= 0 && label < static_cast<int32_t>(kCategories));
  for (const double value : boxes.xywh) require(std::isfinite(value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider input(data, size);
  const auto images = input.ConsumeIntegralInRange<size_t>(0, 4);
  dfine::ShardIndex index = sound_index(images);
  while (input.remaining_bytes() > 0) change(index, input);
  try {
    dfine::check_index(index, kImageBytes, kCategories);
  } catch (const dfine::Error&) {
    return 0;
  }
  require(index.offset.size() == index.images() && index.size.size() == index.images() &&
          index.crc32c.size() == index.images());
  for (size_t i = 0; i < index.images(); ++i) {
    require(index.offset[i] < kImageBytes && index.size[i] <= kImageBytes &&
            index.offset[i] + index.size[i] <= kImageBytes);
  }
  check_boxes(index.box, index.images());
  check_boxes(index.dropped, index.images());
  require(index.cxcywh.size() == 4 * index.boxes());
  for (const float value : index.cxcywh) require(value >= 0 && value <= 1);
  return 0;
}
