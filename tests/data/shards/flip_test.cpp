// Any byte of a pack may be damaged: it is noticed and named, or changes nothing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "core/error.h"
#include "data/packing/packer.h"
#include "data/shards/dataset.h"
#include "data/shards/verify.h"
#include "support/python.h"

namespace dfine {
namespace {

namespace fs = std::filesystem;

/// Everything that a pack holds, as text.
std::vector<std::string> records_of(const PackedDataset& set) {
  std::vector<std::string> records;
  std::string head;
  for (const Category& category : set.categories())
    head += std::to_string(category.id) + category.name + ' ';
  records.push_back(head);
  for (size_t i = 0; i < set.size(); ++i) {
    const PackedImage image = set.image(i);
    std::string record = std::to_string(image.id) + ' ' + std::to_string(image.width) + ' ' +
                         std::to_string(image.height) + ' ';
    record += std::string(image.file_name) + ' ';
    for (const PackedBox& box : set.evaluation_boxes(i)) {
      record.append(reinterpret_cast<const char*>(box.xywh.data()), sizeof box.xywh);
      record +=
          std::to_string(box.area) + std::to_string(box.annotation_id) + std::to_string(box.label);
      record += std::string(box.iscrowd ? "c" : "") + (box.dropped ? "d" : "");
    }
    for (const LabelledBox& box : set.training_boxes(i))
      record.append(reinterpret_cast<const char*>(box.xyxy.data()), sizeof box.xyxy);
    const auto bytes = set.read_bytes(i);
    records.push_back(record.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  return records;
}

class Damage : public testing::Test {
 protected:
  /// Three images in two shards; boxes kept, dropped and crowd.
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    std::ofstream(*folder_ / "a.json")
        << R"({"categories": [{"id": 3, "name": "cell"}, {"id": 9, "name": "other"}], "images": [
        {"id": 1, "file_name": "BloodImage_00000.jpg"},
        {"id": 2, "file_name": "BloodImage_00001.jpg"},
        {"id": 5, "file_name": "BloodImage_00002.jpg"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 30, 40]},
        {"id": 2, "image_id": 1, "category_id": 9, "bbox": [1, 2, 0, 40]},
        {"id": 3, "image_id": 5, "category_id": 9, "bbox": [5, 2, 7, 40], "iscrowd": 1}]})";
    PackOptions options;
    options.images = fs::path(std::getenv("DFINE_SOURCE_DIR")) / "tests/data/bccd/images";
    options.annotations = *folder_ / "a.json";
    options.output = pack_folder();
    options.shard_size = 50000;
    pack(options);
    sound_ = records_of(PackedDataset::open(pack_folder()));
    ASSERT_EQ(sound_.size(), 4U);
    ASSERT_TRUE(fs::exists(pack_folder() / "shard-00001.h5"));
  }
  static void TearDownTestSuite() { delete folder_; }
  static fs::path pack_folder() { return *folder_ / "pack"; }

  /// With `bytes` in place of the file: an Error that names it, or the very content. Returns
  /// whether it was noticed.
  bool noticed(const std::string& file, const std::string& bytes, const std::string& what) {
    const fs::path path = pack_folder() / file;
    const std::string before = read_file(path);
    write_file(path, bytes);
    bool found = false;
    try {
      EXPECT_EQ(records_of(PackedDataset::open(pack_folder())), sound_)
          << what << ": other content, unnoticed";
    } catch (const Error& e) {
      found = true;
      EXPECT_TRUE(names(e.what(), file)) << what << ": " << e.what();
    }
    EXPECT_EQ(found, verify_notices(file)) << what << ": verify says otherwise";
    write_file(path, before);
    return found;
  }

  bool flip(const std::string& file, size_t at, uint8_t mask) {
    std::string bytes = read_file(pack_folder() / file);
    bytes[at] = static_cast<char>(bytes[at] ^ mask);
    return noticed(file, bytes,
                   file + ", byte " + std::to_string(at) + " ^ " + std::to_string(mask));
  }

  static inline TemporaryFolder* folder_ = nullptr;
  static inline std::vector<std::string> sound_;
  std::mt19937_64 random_{7};

 private:
  /// Whether a message tells which file is damaged. A wrong entry of the manifest may show at the
  /// shard that it describes.
  static bool names(const std::string& message, const std::string& file) {
    const auto found = [&](const char* name) { return message.find(name) != std::string::npos; };
    return file == "manifest.json" ? found("manifest.json") || found("shard-")
                                   : found(file.c_str());
  }

  static bool verify_notices(const std::string& file) {
    try {
      const VerifyReport report =
          verify_pack(pack_folder(), 1, false, [](uint64_t, uint64_t) {}, [] { return false; });
      for (const std::string& line : report.damaged) {
        EXPECT_TRUE(names(line, file)) << line;
      }
      return !report.damaged.empty();
    } catch (const Error& e) {
      EXPECT_EQ(file, "manifest.json") << e.what();
      return true;
    }
  }
};

TEST_F(Damage, EveryFlipInAShardIsNoticed) {
  for (int k = 0; k < 1000; ++k) {
    const std::string file = k % 2 == 0 ? "shard-00000.h5" : "shard-00001.h5";
    const size_t size = fs::file_size(pack_folder() / file);
    const ShardEntry entry = read_manifest(pack_folder()).shards[static_cast<size_t>(k % 2)];
    // Half of them in the index, which is a small part of the file.
    size_t at = random_() % size;
    if (k % 4 < 2) {
      at = random_() % (size - entry.image_bytes);
      if (at >= entry.image_bytes_offset) at += entry.image_bytes;
    }
    EXPECT_TRUE(flip(file, at, static_cast<uint8_t>(1 + random_() % 255)))
        << file << " byte " << at;
  }
}

// A flip in the manifest may turn a blank into a tab, say.
TEST_F(Damage, EveryFlipInTheManifestIsNoticedOrHarmless) {
  const size_t size = fs::file_size(pack_folder() / "manifest.json");
  int found = 0;
  for (size_t at = 0; at < size; ++at)
    found += flip("manifest.json", at, static_cast<uint8_t>(1U << random_() % 8)) ? 1 : 0;
  EXPECT_GT(found, static_cast<int>(size / 2));
}

TEST_F(Damage, ShardsOfAnotherLengthAreNoticed) {
  const std::string whole = read_file(pack_folder() / "shard-00000.h5");
  for (int k = 0; k < 60; ++k) {
    const size_t length = k < 5 ? static_cast<size_t>(k) : random_() % whole.size();
    EXPECT_TRUE(
        noticed("shard-00000.h5", whole.substr(0, length), "cut to " + std::to_string(length)));
  }
  EXPECT_TRUE(noticed("shard-00000.h5", whole + '\0', "a byte more"));
  EXPECT_TRUE(
      noticed("shard-00000.h5", read_file(pack_folder() / "shard-00001.h5"), "another shard"));
}

}  // namespace
}  // namespace dfine
