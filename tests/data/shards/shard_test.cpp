#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <tuple>

#include "core/crc32c.h"
#include "core/error.h"
#include "data/shards/reader.h"
#include "data/shards/writer.h"
#include "support/python.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

const std::vector<Category> kCategories{{-3, "b"}, {7, "a\u00e9"}};
const std::vector<uint8_t> kFirst{1, 2, 3, 4, 5}, kSecond{9, 8};

CocoAnnotation annotation(int64_t id, std::array<double, 4> bbox, int32_t label) {
  CocoAnnotation a;
  a.id = id;
  a.bbox = bbox;
  a.area = bbox[2] * bbox[3];
  a.label = label;
  return a;
}

/// Two images; the second has a kept, a dropped and a crowd box.
ShardEntry write_sample(const fs::path& path) {
  const std::vector<CocoAnnotation> annotations{annotation(11, {1, 1, 2, 2}, 0),
                                                annotation(12, {1, 1, 0, 2}, 1),
                                                annotation(13, {0, 0, 4, 4}, 1)};
  ShardWriter writer(path, kFirst.size() + kSecond.size());
  writer.add({5, 4, 4, "five"}, kFirst, crc32c(kFirst), {});
  writer.add({6, 8, 4, "sub/six"}, kSecond, crc32c(kSecond), annotations);
  return writer.finish(kCategories);
}

class ShardTest : public testing::Test {
 protected:
  ShardTest() : entry_(write_sample(folder_ / "shard-00000.h5")) {}
  void expect_refused(ErrorCode code, const ShardEntry& entry, const std::string& value) {
    EXPECT_TRUE(raises(
        code, [&] { open_shard(folder_ / "", entry, kCategories); }, "shard-00000.h5", value));
  }
  TemporaryFolder folder_;
  ShardEntry entry_;
};

TEST_F(ShardTest, ReadsBackWhatWasWritten) {
  EXPECT_EQ(entry_.file, "shard-00000.h5");
  EXPECT_EQ(entry_.images, 2U);
  EXPECT_EQ(entry_.boxes, 2U);
  EXPECT_EQ(entry_.dropped_boxes, 1U);
  EXPECT_EQ(entry_.image_bytes, 7U);
  const Shard shard = open_shard(folder_ / "", entry_, kCategories);
  EXPECT_EQ(shard.index.id, (std::vector<int64_t>{5, 6}));
  EXPECT_EQ(shard.index.file_name[1], "sub/six");
  EXPECT_EQ(shard.index.box.first, (std::vector<uint64_t>{0, 0, 2}));
  EXPECT_EQ(shard.index.box.annotation_id, (std::vector<int64_t>{11, 13}));
  EXPECT_EQ(shard.index.cxcywh,
            (std::vector<float>{0.25F, 0.5F, 0.25F, 0.5F, 0.25F, 0.5F, 0.5F, 1}));
  EXPECT_EQ(shard.index.dropped.annotation_id, (std::vector<int64_t>{12}));
  EXPECT_EQ(shard.index.position, (std::vector<uint32_t>{1}));
  std::vector<uint8_t> bytes;
  shard.bytes.read(shard.index.offset[1], shard.index.size[1], shard.index.crc32c[1], bytes);
  EXPECT_EQ(bytes, kSecond);
  EXPECT_THROW(
      shard.bytes.read(shard.index.offset[0], shard.index.size[0], shard.index.crc32c[1], bytes),
      Error);
}

TEST_F(ShardTest, SameContentGivesTheSameBytes) {
  write_sample(folder_ / "again.h5");
  EXPECT_EQ(read_file(folder_ / "shard-00000.h5"), read_file(folder_ / "again.h5"));
}

TEST_F(ShardTest, MustBeTheShardOfTheManifest) {
  ShardEntry entry = entry_;
  entry.index_crc32c ^= 1;
  expect_refused(kFileDamaged, entry, "index");
  entry = entry_;
  entry.boxes = 3;
  expect_refused(kFileDamaged, entry, "edited");
  entry = entry_;
  entry.image_bytes_offset += 1;
  expect_refused(kFileDamaged, entry, "checksum");
  entry.image_bytes_offset = ~0ULL;
  expect_refused(kFileDamaged, entry, "image/bytes");
  entry = entry_;
  entry.file_bytes += 1;
  expect_refused(kFileDamaged, entry, std::to_string(entry.file_bytes));
  EXPECT_THROW(open_shard(folder_ / "", entry_, std::vector<Category>{{-3, "b"}}), Error);
  EXPECT_THROW(open_shard(folder_ / "", entry_, std::vector<Category>{{-3, "b"}, {7, "c"}}), Error);
  fs::remove(folder_ / "shard-00000.h5");
  expect_refused(kFileMissing, entry_, "manifest");
}

TEST_F(ShardTest, EveryFlippedByteIsFound) {
  const std::string path = folder_ / "shard-00000.h5";
  const auto contents = [&] {
    const Shard shard = open_shard(folder_ / "", entry_, kCategories);
    std::vector<uint8_t> bytes, all;
    for (size_t i = 0; i < 2; ++i) {
      shard.bytes.read(shard.index.offset[i], shard.index.size[i], shard.index.crc32c[i], bytes);
      all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return std::tuple(shard.index.id, shard.index.cxcywh, shard.index.box.annotation_id,
                      shard.index.dropped.xywh, all);
  };
  const auto sound = contents();
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  for (uint64_t at = 0; at < entry_.file_bytes; ++at) {
    const auto place = static_cast<std::streamoff>(at);
    file.seekg(place);
    const char before = static_cast<char>(file.get());
    file.seekp(place).put(static_cast<char>(before ^ 0x5A)).flush();
    EXPECT_THROW(contents(), Error) << "at " << at;
    file.seekp(place).put(before).flush();
  }
  EXPECT_EQ(contents(), sound);
}

class ShardIndexTest : public testing::Test {
 protected:
  ShardIndexTest() {
    TemporaryFolder folder;
    const ShardEntry entry = write_sample(folder / "s.h5");
    index_ = open_shard(folder / "", entry, kCategories).index;
  }
  static void expect_damaged(const ShardIndex& index, const std::vector<std::string>& values) {
    EXPECT_TRUE(raises(kFileDamaged, [&] { check_index(index, 7, 2); }, values));
  }
  ShardIndex index_;
};

TEST_F(ShardIndexTest, InconsistenciesAreNamed) {
  check_index(index_, 7, 2);
  const auto changed = [&](auto change) {
    ShardIndex index = index_;
    change(index);
    return index;
  };
  expect_damaged(changed([](auto& i) { i.size.pop_back(); }), {"image/size", "1", "2"});
  expect_damaged(changed([](auto& i) { i.offset[1] = 6; }),
                 {"record 1", "6", "2", "image/bytes", "7"});
  expect_damaged(changed([](auto& i) { i.offset[1] = ~0ULL; }), {"record 1"});
  expect_damaged(changed([](auto& i) { i.size[0] = 0; }), {"record 0"});
  expect_damaged(changed([](auto& i) { i.width[0] = 0; }), {"record 0", "0x4"});
  expect_damaged(changed([](auto& i) { i.box.first = {0, 2}; }), {"box/first"});
  expect_damaged(changed([](auto& i) { i.box.first = {0, 3, 2}; }), {"box/first", "record 1"});
  expect_damaged(changed([](auto& i) { i.box.first[2] = 1; }), {"box/first"});
  expect_damaged(changed([](auto& i) { i.box.label[1] = 2; }), {"box/label[1]", "2"});
  expect_damaged(changed([](auto& i) { i.box.label[1] = -1; }), {"box/label[1]", "-1"});
  expect_damaged(changed([](auto& i) { i.box.xywh[5] = std::nan(""); }), {"box 1"});
  expect_damaged(changed([](auto& i) { i.box.iscrowd[0] = 2; }), {"box/iscrowd[0]", "2"});
  expect_damaged(changed([](auto& i) { i.cxcywh[4] = 1.5F; }), {"box/cxcywh", "box 1"});
  expect_damaged(changed([](auto& i) { i.cxcywh[3] = 0; }), {"box/cxcywh", "box 0"});
  expect_damaged(changed([](auto& i) { i.cxcywh[0] = std::nanf(""); }), {"box/cxcywh", "box 0"});
  expect_damaged(changed([](auto& i) { i.position[0] = 3; }), {"dropped/position[0]", "3"});
  expect_damaged(changed([](auto& i) { i.dropped.area.clear(); }), {"dropped/area", "0", "1"});
}

}  // namespace
}  // namespace dfine
