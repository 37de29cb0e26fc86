#pragma once
// What a shard holds besides the image files themselves, and the checksum that protects that.
// docs/data-format.md is the description for readers in other languages.
#include <cstdint>
#include <string>
#include <vector>

#include "data/string_arena.h"
#include "files/byte_file.h"

namespace dfine::inline shards {

inline constexpr int32_t kFormatVersion = 1;
inline constexpr const char* kBytesDataset = "image/bytes";

/// The arrays of one shard; n images, m boxes, k dropped boxes. Array: a template of containers.
template <template <class...> class Array, class Names>
struct ShardArrays {
  // image/: the place of each file in image/bytes, its checksum and what is known of it
  Array<uint64_t> offset, size;  // [n]
  Array<uint32_t> crc32c;        // [n] of the file's bytes
  Array<int64_t> id;             // [n] as in the annotation file
  Array<int32_t> width, height;  // [n] pixels
  Names file_name;               // [n]

  // Boxes of image i are first[i] .. first[i + 1], in order of the annotation file.
  struct Boxes {
    Array<uint64_t> first;         // [n + 1]
    Array<int32_t> label;          // [m]
    Array<double> xywh;            // [m, 4] pixels, as in the annotation file
    Array<double> area;            // [m]
    Array<uint8_t> iscrowd;        // [m]
    Array<int64_t> annotation_id;  // [m]
  };
  Boxes box;
  Array<float> cxcywh;  // box/cxcywh [m, 4] clipped to the image, in [0, 1]

  // dropped/: annotations without any area inside the image: evaluation counts them, training does
  // not
  Boxes dropped;             // [k]
  Array<uint32_t> position;  // dropped/position [k]: place among all annotations of the image, in
                             // order of the annotation file

  size_t images() const { return id.size(); }
  size_t boxes() const { return box.label.size(); }
  size_t dropped_boxes() const { return dropped.label.size(); }
};

/// In memory: as it is written and checked.
using ShardIndex = ShardArrays<std::vector, StringArena>;

/// Calls visit(name, array, columns) for each dataset but the file names, in the order in which
/// they are stored.
template <class Index, class Visit>
void for_each_dataset(Index& index, Visit visit) {
  visit("image/offset", index.offset, 1);
  visit("image/size", index.size, 1);
  visit("image/crc32c", index.crc32c, 1);
  visit("image/id", index.id, 1);
  visit("image/width", index.width, 1);
  visit("image/height", index.height, 1);
  visit("box/first", index.box.first, 1);
  visit("box/cxcywh", index.cxcywh, 4);
  visit("box/label", index.box.label, 1);
  visit("box/xywh", index.box.xywh, 4);
  visit("box/area", index.box.area, 1);
  visit("box/iscrowd", index.box.iscrowd, 1);
  visit("box/annotation_id", index.box.annotation_id, 1);
  visit("dropped/first", index.dropped.first, 1);
  visit("dropped/label", index.dropped.label, 1);
  visit("dropped/xywh", index.dropped.xywh, 4);
  visit("dropped/area", index.dropped.area, 1);
  visit("dropped/iscrowd", index.dropped.iscrowd, 1);
  visit("dropped/annotation_id", index.dropped.annotation_id, 1);
  visit("dropped/position", index.position, 1);
}

/// CRC-32C of the whole shard file but the `image_bytes` bytes of image/bytes, which begin at
/// `offset`: superblock, object headers, heaps and every other dataset. It is compared before the
/// HDF5 library sees the file, as some versions loop for ever on damaged heaps.
uint32_t index_checksum(const ByteFile& file, uint64_t offset, uint64_t image_bytes);

/// Throws an Error that names dataset and record when the arrays cannot be those of a sound shard
/// whose image/bytes has `bytes` bytes. Examples are lengths that disagree, files outside of
/// image/bytes, labels that are no category and boxes outside of [0, 1].
void check_index(const ShardIndex& index, uint64_t bytes, size_t categories);

/// "shard-00003.h5".
std::string shard_file_name(size_t number);

}  // namespace dfine::inline shards
