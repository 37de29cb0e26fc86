#include "data/packing/extract.h"

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <unordered_set>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "data/coco/write_coco.h"
#include "data/formats/image_check.h"
#include "data/packing/interrupted.h"
#include "data/packing/output.h"
#include "data/shards/dataset.h"
#include "files/atomic_path.h"
#include "files/byte_file.h"

namespace dfine::inline packing {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

void check_target(const fs::path& output) {
  std::error_code failed;
  refuse_link(output);
  if (!fs::exists(output, failed)) return;
  if (!fs::is_directory(output, failed) || !fs::is_empty(output, failed))
    throw Error(kFileExists, str_cat("the output ", output.string(), " exists"),
                "choose another place; nothing was changed");
}

/// A name in a pack is checked like one in an annotation file: it must not leave the folder.
fs::path path_of(const PackedDataset& set, size_t i, const fs::path& folder) {
  const ErrorContext at("in ", [&] { return set.describe(i); });
  return resolve_image_path(folder, set.image(i).file_name);
}

void write_image(const fs::path& path, const std::vector<uint8_t>& bytes) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) {
    throw Error(
        write_error_code(errno),
        str_cat("cannot write ", path.string(), ": ", std::generic_category().message(errno)),
        errno == ENOSPC || errno == EDQUOT ? "free some space there or choose another place" : "");
  }
}

/// Images that share a name (an annotation file may list one twice) must be the same file.
void check_same(const PackedDataset& set, size_t i, const fs::path& path) {
  std::vector<uint8_t> written;
  const ByteFile file(path);
  file.read(0, file.size(), written);
  if (written != set.read_bytes(i))
    throw Error(kDataMismatch,
                str_cat(set.describe(i), " has the name of another image that is a different file"),
                "the pack cannot be written out as files");
}

void write_annotations(const PackedDataset& set, const fs::path& path, ExtractSummary& summary) {
  CocoWriter writer(path);
  for (size_t i = 0; i < set.size(); ++i) {
    const PackedImage image = set.image(i);
    writer.image(image.id, image.file_name, image.width, image.height);
  }
  for (size_t i = 0; i < set.size(); ++i) {
    const int64_t image_id = set.image(i).id;
    for (const PackedBox& box : set.evaluation_boxes(i)) {
      writer.annotation(box.annotation_id, image_id,
                        set.categories()[static_cast<size_t>(box.label)].id, box.xywh, box.area,
                        box.iscrowd);
      ++summary.annotations;
    }
  }
  writer.finish(set.categories());
}

}  // namespace

ExtractSummary extract_pack(const fs::path& pack, const fs::path& output, int jobs,
                            const std::function<void(size_t, uint64_t)>& progress,
                            const std::function<bool()>& interrupted) {
  check_target(output);
  const PackedDataset set = PackedDataset::open(pack);
  AtomicFolder folder(output);
  const fs::path images = folder.path() / "images";
  fs::create_directories(images);
  std::unordered_set<std::string> seen;
  std::vector<bool> first(set.size());
  for (size_t i = 0; i < set.size(); ++i)
    first[i] = seen.insert(path_of(set, i, images).string()).second;

  ExtractSummary summary;
  ThreadPool pool(jobs);
  const auto write = [&](size_t i) {
    const std::vector<uint8_t> bytes = set.read_bytes(i);
    if (first[i]) write_image(path_of(set, i, images), bytes);
    return bytes.size();
  };
  ordered_parallel(pool, set.size(), 8 * static_cast<size_t>(jobs), write,
                   [&](size_t, size_t bytes) {
                     stop_if(interrupted);
                     ++summary.images;
                     summary.bytes += bytes;
                     progress(summary.images, summary.bytes);
                   });
  for (size_t i = 0; i < set.size(); ++i) {
    if (!first[i]) check_same(set, i, path_of(set, i, images));
  }
  write_annotations(set, folder.path() / "annotations.json", summary);
  stop_if(interrupted);
  folder.commit_new();
  return summary;
}

}  // namespace dfine::inline packing
