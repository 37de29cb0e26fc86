#include "data/shards/reader.h"

#include <algorithm>

#include "core/crc32c.h"
#include "core/error.h"
#include "core/text.h"

namespace dfine::inline shards {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

/// What to do about a damaged shard.
std::string copy_again(const fs::path& shard) {
  return str_cat(
      "copy the shard again from where the pack was made, or pack the dataset again. If ",
      shard.parent_path().string(),
      " is a copy in data.cache_dir, remove that folder: it is made again");
}

/// Before the HDF5 library sees the file: is it there, whole, and undamaged outside of image/bytes?
void check_file(const fs::path& path, const ShardEntry& entry) {
  std::error_code failed;
  if (!fs::exists(path, failed))
    throw Error(kFileMissing, str_cat(path.string(), " is missing, but the manifest lists it"),
                copy_again(path));
  const ByteFile file(path);
  if (const uint64_t size = file.size(); size != entry.file_bytes) {
    throw Error(kFileDamaged,
                str_cat(path.string(), " has ", size, " bytes instead of ", entry.file_bytes,
                        size < entry.file_bytes ? ": it was cut short" : ""),
                copy_again(path));
  }
  if (entry.image_bytes_offset > entry.file_bytes ||
      entry.image_bytes > entry.file_bytes - entry.image_bytes_offset) {
    throw Error(kFileDamaged, "the manifest puts image/bytes outside of the file",
                copy_again(path));
  }
  if (index_checksum(file, entry.image_bytes_offset, entry.image_bytes) != entry.index_crc32c) {
    throw Error(
        kFileDamaged,
        "the checksum of its index is not the one in the manifest: the file is damaged, or belongs "
        "to another pack",
        copy_again(path));
  }
}

std::vector<Category> read_categories(const Hdf5Reader& file) {
  const auto ids = file.attribute_list<int64_t>("category_id");
  const auto names = file.attribute_strings("category_name");
  if (ids.size() != names.size())
    throw Error(kFileDamaged,
                str_cat("category_id has ", ids.size(), " entries, category_name ", names.size()));
  std::vector<Category> categories;
  for (size_t i = 0; i < ids.size(); ++i) categories.push_back({ids[i], names[i]});
  return categories;
}

/// Points the arrays at their places in the file.
MappedFile map_index(const Hdf5Reader& hdf5, const ByteFile& file, MappedIndex& index) {
  uint64_t begin = file.size(), end = 0;
  std::vector<Hdf5Reader::Region> regions;
  const auto found = [&](Hdf5Reader::Region region) {
    regions.push_back(region);
    if (region.size == 0) return;
    begin = std::min(begin, region.offset);
    end = std::max(end, region.offset + region.size);
  };
  for_each_dataset(index, [&]<class T>(const char* name, MappedArray<T>&, int columns) {
    found(hdf5.region<T>(name, columns));
  });
  const auto names = hdf5.string_region("image/file_name");
  found(names);

  MappedFile mapping(file, begin, end);
  const auto bytes_of = [&](Hdf5Reader::Region region) {
    return region.size == 0 ? std::span<const uint8_t>()
                            : mapping.bytes(region.offset, region.size);
  };
  auto next = regions.begin();
  for_each_dataset(index, [&]<class T>(const char*, MappedArray<T>& array, int) {
    array = MappedArray<T>(bytes_of(*next++));
  });
  index.file_name = MappedStrings(bytes_of(names), names.length);
  return mapping;
}

Shard open_checked(const fs::path& path, const ShardEntry& entry,
                   std::span<const Category> categories) {
  check_file(path, entry);
  const Hdf5Reader file(path);
  if (const auto version = file.attribute<int32_t>("format_version"); version != kFormatVersion) {
    throw Error(kVersionMismatch,
                str_cat("its format_version is ", version, "; this program reads ", kFormatVersion),
                "pack the dataset again");
  }
  ShardIndex index;
  for_each_dataset(index, [&](const char* name, auto& values, int columns) {
    file.read(name, values, columns);
  });
  index.file_name = file.read_strings("image/file_name");
  const auto own_categories = read_categories(file);
  const auto region = file.region<uint8_t>(kBytesDataset);

  const auto differs = [&](const std::string& what) {
    throw Error(kFileDamaged, what + " are not the manifest's: it was edited", copy_again(path));
  };
  if (!std::equal(own_categories.begin(), own_categories.end(), categories.begin(),
                  categories.end()))
    differs("its categories");
  check_index(index, region.size, categories.size());
  if (index.images() != entry.images || index.boxes() != entry.boxes ||
      index.dropped_boxes() != entry.dropped_boxes) {
    differs("its numbers of images or boxes");
  }
  if (region.offset != entry.image_bytes_offset || region.size != entry.image_bytes)
    differs("place and size of its image/bytes");

  ByteFile bytes(path);
  MappedIndex mapped;
  MappedFile mapping = map_index(file, bytes, mapped);
  return {std::move(index), ShardBytes(std::move(bytes), region.offset), std::move(mapping),
          mapped};
}

}  // namespace

void ShardBytes::read(uint64_t offset, uint64_t size, uint32_t expected,
                      std::vector<uint8_t>& bytes) const {
  file_.read(base_ + offset, size, bytes);
  if (const uint32_t found = crc32c(bytes); found != expected)
    throw Error(kFileDamaged, "its checksum is wrong: the bytes are damaged",
                copy_again(file_.path()));
}

Shard open_shard(const fs::path& folder, const ShardEntry& entry,
                 std::span<const Category> categories) {
  const fs::path path = folder / entry.file;
  const ErrorContext at("in ", path.string());
  return open_checked(path, entry, categories);
}

}  // namespace dfine::inline shards
