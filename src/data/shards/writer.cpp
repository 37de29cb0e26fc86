#include "data/shards/writer.h"

#include "core/error.h"
#include "core/text.h"
#include "data/box_policy.h"

namespace dfine::inline shards {
using enum ErrorCode;
namespace {

void append(ShardIndex::Boxes& boxes, const CocoAnnotation& annotation) {
  boxes.label.push_back(annotation.label);
  boxes.xywh.insert(boxes.xywh.end(), annotation.bbox.begin(), annotation.bbox.end());
  boxes.area.push_back(annotation.area);
  boxes.iscrowd.push_back(annotation.iscrowd ? 1 : 0);
  boxes.annotation_id.push_back(annotation.id);
}

}  // namespace

ShardWriter::ShardWriter(const std::filesystem::path& path, uint64_t image_bytes)
    : path_(path), file_(path), announced_(image_bytes) {
  for (const char* group : {"image", "box", "dropped"}) file_.group(group);
  offset_ = file_.reserve_bytes(kBytesDataset, image_bytes);
  index_.box.first.push_back(0);
  index_.dropped.first.push_back(0);
}

void ShardWriter::add(const CocoImage& image, std::span<const uint8_t> bytes, uint32_t crc32c,
                      std::span<const CocoAnnotation> annotations) {
  if (bytes.size() > announced_ - written_)
    throw Error(kInternal, str_cat(path_.string(), ": more image bytes than announced"));
  file_.write_bytes(written_, bytes);
  index_.offset.push_back(written_);
  index_.size.push_back(bytes.size());
  written_ += bytes.size();
  index_.crc32c.push_back(crc32c);
  index_.id.push_back(image.id);
  index_.width.push_back(image.width);
  index_.height.push_back(image.height);
  index_.file_name.add(image.file_name);
  for (size_t i = 0; i < annotations.size(); ++i) {
    if (const auto box = clip_box(annotations[i].bbox, image.width, image.height)) {
      append(index_.box, annotations[i]);
      const auto cxcywh = normalised(*box, image.width, image.height);
      index_.cxcywh.insert(index_.cxcywh.end(), cxcywh.begin(), cxcywh.end());
    } else {
      append(index_.dropped, annotations[i]);
      index_.position.push_back(static_cast<uint32_t>(i));
    }
  }
  index_.box.first.push_back(index_.boxes());
  index_.dropped.first.push_back(index_.dropped_boxes());
}

ShardEntry ShardWriter::finish(std::span<const Category> categories) {
  if (written_ != announced_)
    throw Error(kInternal, str_cat(path_.string(), ": ", announced_ - written_,
                                   " image bytes fewer than announced"));
  check_index(index_, written_, categories.size());
  ShardEntry entry;
  entry.file = path_.filename().string();
  entry.images = index_.images();
  entry.boxes = index_.boxes();
  entry.dropped_boxes = index_.dropped_boxes();
  entry.image_bytes = written_;
  entry.image_bytes_offset = offset_;
  for_each_dataset(index_, [&](const char* name, const auto& values, int columns) {
    file_.write(name, values, columns);
  });
  file_.write_strings("image/file_name", index_.file_name);
  std::vector<int64_t> ids;
  std::vector<std::string> names;
  for (const auto& category : categories) {
    ids.push_back(category.id);
    names.push_back(category.name);
  }
  file_.attribute("format_version", kFormatVersion);
  file_.attribute("category_id", ids);
  file_.attribute("category_name", names);
  file_.close();
  const ByteFile written(path_);
  entry.file_bytes = written.size();
  entry.index_crc32c = index_checksum(written, offset_, written_);
  return entry;
}

}  // namespace dfine::inline shards
