// What a pack and its loader cost in memory: numbers of /proc/self/smaps_rollup.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "core/crc32c.h"
#include "data/shards/dataset.h"
#include "data/shards/manifest.h"
#include "data/shards/writer.h"
#include "files/atomic_path.h"
#include "input/loader.h"
#include "shipped_pack.h"

namespace dfine {
namespace {

constexpr size_t kShards = 10, kImages = 10'000, kBoxes = 10;  // of a shard, of an image

/// KiB.
int64_t memory_of_this_process(const std::string& kind) {
  std::ifstream in("/proc/self/smaps_rollup");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(kind + ":")) return std::stoll(line.substr(kind.size() + 1));
  }
  ADD_FAILURE() << "no " << kind;
  return 0;
}

/// With any other process; dirty: the disk does not have the page cache's pages yet.
int64_t shared_memory() {
  return memory_of_this_process("Shared_Clean") + memory_of_this_process("Shared_Dirty");
}

/// 100,000 images of one byte each, with a million boxes.
void write_large_pack(const std::filesystem::path& folder) {
  std::filesystem::create_directory(folder);
  const std::vector<uint8_t> file{1};
  Manifest manifest{.categories = {{1, "thing"}}, .shards = {}};
  std::vector<CocoAnnotation> annotations(kBoxes);
  for (auto& annotation : annotations) {
    annotation.bbox = {10, 10, 50, 50};
    annotation.label = 0;
  }
  int64_t id = 0;
  for (size_t s = 0; s < kShards; ++s) {
    ShardWriter writer(folder / shard_file_name(s), kImages);
    for (size_t i = 0; i < kImages; ++i) {
      for (auto& annotation : annotations) annotation.id = ++id;
      const auto number = static_cast<int64_t>(s * kImages + i);
      writer.add({number, 640, 480, "train2017/" + std::to_string(100000000000 + number) + ".jpg"},
                 file, crc32c(file), annotations);
    }
    manifest.shards.push_back(writer.finish(manifest.categories));
  }
  write_file_atomically(folder / kManifestName, manifest_text(manifest));
}

double touch_all(const PackedDataset& set) {
  double sum = 0;
  for (size_t i = 0; i < set.size(); ++i) {
    sum += static_cast<double>(set.image(i).file_name.size());
    for (const auto& box : set.evaluation_boxes(i))
      sum += box.xywh[0] + static_cast<double>(box.annotation_id);
  }
  return sum;
}

/// Another process that has opened the pack and read all of its index, until the end of its life
/// here.
class OtherRank {
 public:
  explicit OtherRank(const std::filesystem::path& pack) {
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe(ready.data()), 0);
    child_ = ::fork();
    if (child_ == 0) {
      const PackedDataset set = PackedDataset::open(pack);
      const char done = touch_all(set) > 0 ? 'y' : 'n';
      if (::write(ready[1], &done, 1) == 1) ::pause();
      ::_exit(0);
    }
    char done = 0;
    EXPECT_EQ(::read(ready[0], &done, 1), 1);
    EXPECT_EQ(done, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~OtherRank() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  OtherRank(const OtherRank&) = delete;
  OtherRank& operator=(const OtherRank&) = delete;

 private:
  pid_t child_ = -1;
};

TEST(IndexMemory, LiesOnceInThePageCacheForAllRanks) {
  const TemporaryFolder folder;
  write_large_pack(folder / "pack");
  int64_t index = 0;  // KiB of all shards, nearly all of which is index here
  for (size_t s = 0; s < kShards; ++s)
    index +=
        static_cast<int64_t>(std::filesystem::file_size(folder / ("pack/" + shard_file_name(s)))) /
        1024;

  const OtherRank other(folder / "pack");
  const int64_t own_before = memory_of_this_process("Anonymous"), shared_before = shared_memory();
  const PackedDataset set = PackedDataset::open(folder / "pack");
  ASSERT_EQ(set.size(), kShards * kImages);
  EXPECT_GT(touch_all(set), 0);
  const int64_t own = memory_of_this_process("Anonymous") - own_before,
                shared = shared_memory() - shared_before;
  std::cout << kShards * kImages << " images, " << kShards * kImages * kBoxes << " boxes, index of "
            << index << " KiB: " << shared << " KiB shared, " << own << " KiB of its own\n";
  // Nothing here reads box/cxcywh, four float32 per box, after the checks.
  const auto unread = static_cast<int64_t>(kShards * kImages * kBoxes * 16 / 1024);
  EXPECT_GT(shared, (index - unread) * 9 / 10);
  // What the checks of one shard took may stay with the allocator; nothing grows with the number of
  // shards, images or boxes.
  EXPECT_LT(own, index / static_cast<int64_t>(kShards) * 3 / 2);
}

TEST(OpenFiles, MoreShardsThanTheLimitAllows) {
  const ShippedPack pack(/*shard_size=*/1);  // 87 shards of one image
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  if (before.rlim_max < 256)
    GTEST_SKIP() << "the system allows only " << before.rlim_max << " open files";
  const rlimit low{.rlim_cur = 64, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const PackedDataset data = PackedDataset::open(pack.path());
  for (size_t i = 0; i < data.size(); ++i) EXPECT_FALSE(data.read_bytes(i).empty());
  EXPECT_NE(data.image(0).shard, data.image(86).shard);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

/// The pages of a file that the page cache holds.
class PageCache {
 public:
  explicit PageCache(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDONLY)), size_(std::filesystem::file_size(path)) {
    map_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd_, 0);
  }
  ~PageCache() {
    ::munmap(map_, size_);
    ::close(fd_);
  }
  PageCache(const PageCache&) = delete;
  PageCache& operator=(const PageCache&) = delete;

  void drop() const {
    ::fsync(fd_);
    ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED);
  }
  size_t held() const {
    std::vector<unsigned char> pages((size_ + 4095) / 4096);
    EXPECT_EQ(::mincore(map_, size_, pages.data()), 0);
    return static_cast<size_t>(
        std::ranges::count_if(pages, [](unsigned char page) { return (page & 1) != 0; }));
  }

 private:
  int fd_;
  size_t size_;
  void* map_;
};

TEST(ReadAhead, FetchesTheFileThatWillBeRead) {
  const ShippedPack pack;
  const PackedDataset data = PackedDataset::open(pack.path());
  constexpr size_t kImage = 12;  // in the middle of its shard of 500 kB, away from the index, which
                                 // is mapped and so stays
  const PageCache cache(pack.path() / data.image(kImage).shard);
  cache.drop();
  const size_t before = cache.held();
  if (before > 60) GTEST_SKIP() << "the file system of the temporary folder keeps its pages";
  data.prefetch(kImage);
  for (int i = 0; i < 1000 && cache.held() <= before; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_GT(cache.held(), before);
}

// Fifty epochs with workers: what is held after the second must be all.
TEST(LoaderMemory, DoesNotGrowOverEpochs) {
  const ShippedPack pack;
  const PackedDataset data = PackedDataset::open(pack.path());
  const auto size = static_cast<int64_t>(data.size());
  const int64_t steps = size / 8;
  Loader loader(data,
                {.sample = {.size = {96, 96}, .augment = AugmentConfig(), .seed = 1},
                 .workers = 2,
                 .read_ahead = 2},
                training_order({.num_images = size, .seed = 1, .batch_size = 8}, 0, 50 * steps));
  int64_t early = 0;
  for (int64_t step = 0; loader.has_next(); ++step) {
    loader.next();
    if (step == 5 * steps - 1) early = memory_of_this_process("Anonymous");
  }
  const int64_t late = memory_of_this_process("Anonymous");
  std::cout << "after 5 epochs " << early << " KiB, after 50 " << late << " KiB\n";
  EXPECT_LT(late - early, 2048);
}

}  // namespace
}  // namespace dfine
