#include "data/shards/format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/crc32c.h"
#include "core/error.h"
#include "core/text.h"

namespace dfine::inline shards {
namespace {

constexpr uint64_t kBlock = 1 << 20;  // bytes read at a time

uint32_t extend(uint32_t crc, const ByteFile& file, uint64_t begin, uint64_t end) {
  std::vector<uint8_t> bytes;
  for (uint64_t at = begin; at < end; at += kBlock) {
    file.read(at, std::min(kBlock, end - at), bytes);
    crc = crc32c(bytes, crc);
  }
  return crc;
}

[[noreturn]] void damaged(const std::string& what) {
  throw Error(ErrorCode::kFileDamaged, "the index is not sound: " + what, "pack the dataset again");
}

void check_length(const char* name, size_t length, size_t expected) {
  if (length != expected) damaged(str_cat(name, " has ", length, " entries instead of ", expected));
}

void check_images(const ShardIndex& index, uint64_t bytes) {
  for (size_t i = 0; i < index.images(); ++i) {
    if (index.size[i] == 0 || index.offset[i] > bytes || index.size[i] > bytes - index.offset[i]) {
      damaged(str_cat("record ", i, " lies at ", index.offset[i], " with ", index.size[i],
                      " bytes, but image/bytes has ", bytes));
    }
    if (index.width[i] <= 0 || index.height[i] <= 0)
      damaged(str_cat("record ", i, " has ", index.width[i], "x", index.height[i], " pixels"));
  }
}

void check_boxes(const std::string& group, const ShardIndex::Boxes& boxes, size_t images,
                 size_t categories) {
  const size_t count = boxes.label.size();
  check_length((group + "/first").c_str(), boxes.first.size(), images + 1);
  check_length((group + "/xywh").c_str(), boxes.xywh.size(), 4 * count);
  check_length((group + "/area").c_str(), boxes.area.size(), count);
  check_length((group + "/iscrowd").c_str(), boxes.iscrowd.size(), count);
  check_length((group + "/annotation_id").c_str(), boxes.annotation_id.size(), count);
  if (boxes.first.front() != 0 || boxes.first.back() != count)
    damaged(str_cat(group, "/first does not span the group's boxes (", count, ")"));
  for (size_t i = 0; i < images; ++i) {
    if (boxes.first[i] > boxes.first[i + 1]) damaged(str_cat(group, "/first falls at record ", i));
  }
  for (size_t b = 0; b < count; ++b) {
    if (boxes.label[b] < 0 || static_cast<size_t>(boxes.label[b]) >= categories) {
      damaged(str_cat(group, "/label[", b, "] is ", boxes.label[b],
                      ", but the number of categories is ", categories));
    }
    bool finite = std::isfinite(boxes.area[b]);
    for (size_t k = 0; k < 4; ++k) finite = finite && std::isfinite(boxes.xywh[4 * b + k]);
    if (!finite) damaged(str_cat(group, "/xywh or ", group, "/area of box ", b, " is not finite"));
    if (boxes.iscrowd[b] > 1)
      damaged(str_cat(group, "/iscrowd[", b, "] is ", int{boxes.iscrowd[b]}));
  }
}

}  // namespace

uint32_t index_checksum(const ByteFile& file, uint64_t offset, uint64_t image_bytes) {
  return extend(extend(0, file, 0, offset), file, offset + image_bytes, file.size());
}

void check_index(const ShardIndex& index, uint64_t bytes, size_t categories) {
  const size_t images = index.images();
  check_length("image/offset", index.offset.size(), images);
  check_length("image/size", index.size.size(), images);
  check_length("image/crc32c", index.crc32c.size(), images);
  check_length("image/width", index.width.size(), images);
  check_length("image/height", index.height.size(), images);
  check_length("image/file_name", index.file_name.size(), images);
  check_images(index, bytes);
  check_boxes("box", index.box, images, categories);
  check_boxes("dropped", index.dropped, images, categories);
  check_length("box/cxcywh", index.cxcywh.size(), 4 * index.boxes());
  for (size_t k = 0; k < index.cxcywh.size(); ++k) {
    const bool is_side = k % 4 >= 2;
    if (!(index.cxcywh[k] >= 0 && index.cxcywh[k] <= 1) || (is_side && index.cxcywh[k] == 0)) {
      damaged(str_cat("box/cxcywh of box ", k / 4, " is outside of [0, 1] or has no area"));
    }
  }
  check_length("dropped/position", index.position.size(), index.dropped_boxes());
  for (size_t i = 0; i < images; ++i) {
    const uint64_t begin = index.dropped.first[i], end = index.dropped.first[i + 1];
    const uint64_t annotations = end - begin + index.box.first[i + 1] - index.box.first[i];
    for (uint64_t b = begin; b < end; ++b) {
      const bool rises = b == begin || index.position[b] > index.position[b - 1];
      if (!rises || index.position[b] >= annotations)
        damaged(str_cat("dropped/position[", b, "] is ", index.position[b]));
    }
  }
}

std::string shard_file_name(size_t number) {
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), "shard-%05zu.h5", number);
  return name.data();
}

}  // namespace dfine::inline shards
