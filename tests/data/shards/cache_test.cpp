#include "data/shards/cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "core/error.h"
#include "data/packing/packer.h"
#include "data/shards/dataset.h"
#include "data/shards/manifest.h"
#include "files/atomic_path.h"
#include "support/python.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

class PackCacheTest : public testing::Test {
 protected:
  PackCacheTest() {
    PackOptions options;
    options.images = source_file("tests/data/bccd/images");
    options.annotations = source_file("tests/data/bccd/val.json");
    options.output = pack_;
    options.shard_size = 500000;
    pack(options);
  }
  static ino_t inode(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_ino;
  }
  TemporaryFolder folder_;
  const fs::path pack_ = folder_ / "val", cache_ = folder_ / "scratch/cache";
};

TEST_F(PackCacheTest, CopiesOnceAndUsesTheCopyAgain) {
  const fs::path copy = cached_pack(pack_, cache_);
  EXPECT_EQ(copy.parent_path(), cache_);
  const PackedDataset original = PackedDataset::open(pack_), copied = PackedDataset::open(copy);
  ASSERT_EQ(copied.size(), original.size());
  for (size_t i = 0; i < original.size(); ++i)
    EXPECT_EQ(copied.read_bytes(i), original.read_bytes(i));
  const ino_t first = inode(copy / "shard-00000.h5");
  EXPECT_EQ(cached_pack(pack_, cache_), copy);
  EXPECT_EQ(inode(copy / "shard-00000.h5"), first);
  // A copy that lacks something is made again.
  fs::resize_file(copy / "shard-00001.h5", 100);
  EXPECT_EQ(cached_pack(pack_, cache_), copy);
  EXPECT_EQ(PackedDataset::open(copy).size(), original.size());
  fs::remove(copy / kManifestName);
  EXPECT_EQ(cached_pack(pack_, cache_), copy);
  EXPECT_EQ(PackedDataset::open(copy).size(), original.size());
}

TEST_F(PackCacheTest, DamageInACopySaysThatItMayBeRemoved) {
  const fs::path copy = cached_pack(pack_, cache_);
  const auto expect_hint = [&](const auto& read) {
    EXPECT_TRUE(raises(kFileDamaged, read, copy.string(), "data.cache_dir"));
  };
  const auto flip = [&](uint64_t at) {
    std::fstream file(copy / "shard-00000.h5", std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 1));
  };
  const PackedDataset opened = PackedDataset::open(copy);
  flip(read_manifest(copy).shards[0].image_bytes_offset);
  expect_hint([&] { opened.read_bytes(0); });
  flip(0);
  expect_hint([&] { PackedDataset::open(cached_pack(pack_, cache_)); });
  fs::remove_all(copy);
  EXPECT_EQ(PackedDataset::open(cached_pack(pack_, cache_)).read_bytes(0),
            PackedDataset::open(pack_).read_bytes(0));
}

TEST_F(PackCacheTest, AnotherPackOfTheSameNameGetsItsOwnCopy) {
  const fs::path first = cached_pack(pack_, cache_);
  PackOptions options;
  options.images = source_file("tests/data/bccd/images");
  options.annotations = source_file("tests/data/bccd/val.json");
  options.output = folder_ / "other/val";
  pack(options);
  const fs::path second = cached_pack(folder_ / "other/val", cache_);
  EXPECT_NE(first, second);
  EXPECT_EQ(PackedDataset::open(first).size(), PackedDataset::open(second).size());
}

TEST_F(PackCacheTest, ProcessesOfANodeMakeOneCopy) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const PackedDataset set = PackedDataset::open(cached_pack(pack_, cache_));
      ::_exit(set.read_bytes(0).empty() ? 1 : 0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  size_t folders = 0;
  for (const auto& entry : fs::directory_iterator(cache_)) folders += entry.is_directory() ? 1 : 0;
  EXPECT_EQ(folders, 1U);
}

TEST_F(PackCacheTest, TooLittleSpaceIsSaidBeforeAnythingIsCopied) {
  Manifest manifest = read_manifest(pack_);
  manifest.shards[0].file_bytes += uint64_t{1} << 60;  // no disk here is that large
  write_file_atomically(folder_ / "large/manifest.json", manifest_text(manifest));
  EXPECT_TRUE(
      raises(kDiskFull, [&] { cached_pack(folder_ / "large", cache_); }, cache_.string(), "hint"));
  for (const auto& entry : fs::directory_iterator(cache_))
    EXPECT_FALSE(entry.is_directory()) << entry.path();
}

}  // namespace
}  // namespace dfine
