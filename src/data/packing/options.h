#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace dfine::inline packing {

struct PackProgress {
  size_t images = 0, images_total = 0;
  uint64_t bytes = 0, bytes_total = 0;  // of image files, as they are found
};

/// Part `index` of `count`, from 1.
struct PackPart {
  size_t index = 1, count = 1;
};

enum class AnnotationFormat { kCoco, kYolo, kVoc };

struct PackOptions {
  AnnotationFormat format = AnnotationFormat::kCoco;
  std::filesystem::path images;  // folder that file_name of the annotation file is relative to;
                                 // YOLO and VOC: may be empty
  std::filesystem::path annotations;  // COCO JSON; YOLO: data.yaml; VOC: the dataset's folder
  std::string split;              // YOLO: entry of data.yaml; VOC: list in ImageSets/Main, or empty
  std::filesystem::path classes;  // VOC: file with the class names, or empty
  std::filesystem::path output;   // the pack; a folder that does not exist yet, or is empty
  uint64_t shard_size =
      512ULL << 20;       // bytes of image files in a shard; a larger file gets a shard of its own
  int jobs = 1;           // threads that read and check; the result does not depend on it
  bool skip_bad = false;  // skip unusable images instead of failing
  bool decode = false;    // images that the decoder of training refuses are unusable too
  bool drop_unused_classes = false;  // drop classes without annotations
  bool drop_group_classes = false;   // those that are the supercategory of others
  bool overwrite = false;            // replace an existing pack; not with `part`
  int max_side = 0;                  // images with a longer side are made smaller; 0: none are
  double val_fraction = 0;           // share of the images that goes to OUTPUT/val, the others to
                                     // OUTPUT/train; 0: no such split
  uint64_t seed = 0;                 // of the split
  std::filesystem::path compare;  // a pack: the report lists images that it contains too; or empty
  std::optional<PackPart> part;   // pack these shards alone; see data/packing/parts.h
  std::function<void(const PackProgress&)> progress = [](const PackProgress&) {
  };  // after each image, from one thread
  std::function<bool()> interrupted = [] {
    return false;
  };  // asked after each image; true ends it with an Error
};

/// For errors about single images.
inline constexpr const char* kSkipHint =
    "correct the input, or skip such images with --skip-bad, which lists them";

}  // namespace dfine::inline packing
