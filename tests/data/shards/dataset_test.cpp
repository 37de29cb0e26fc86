#include "data/shards/dataset.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "core/error.h"
#include "data/coco/read_coco.h"
#include "data/packing/packer.h"
#include "data/shards/manifest.h"
#include "data/shards/verify.h"
#include "support/python.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

fs::path shipped(const std::string& name) {
  return fs::path(std::getenv("DFINE_SOURCE_DIR")) / "tests/data/bccd" / name;
}

std::vector<uint8_t> file_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

PackOptions shipped_options(const fs::path& output) {
  PackOptions options;
  options.images = shipped("images");
  options.annotations = shipped("val.json");
  options.output = output;
  options.shard_size = 500000;
  options.jobs = 2;
  return options;
}

class PackedDatasetTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    pack(shipped_options(pack_folder()));
  }
  static void TearDownTestSuite() { delete folder_; }
  static fs::path pack_folder() { return *folder_ / "val"; }
  static inline TemporaryFolder* folder_ = nullptr;
};

TEST_F(PackedDatasetTest, HoldsTheFilesAndEveryAnnotationInOrder) {
  const PackedDataset set = PackedDataset::open(pack_folder());
  const AnnotationSet coco = read_coco(shipped("val.json"));
  EXPECT_EQ(set.categories(), coco.categories);
  ASSERT_EQ(set.size(), coco.images.size());
  size_t dropped = 0;
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < set.size(); ++i) {
    const PackedImage image = set.image(i);
    EXPECT_EQ(image.id, coco.images[i].id);
    EXPECT_EQ(image.file_name, coco.images[i].file_name);
    EXPECT_EQ(image.width, coco.images[i].width);
    EXPECT_EQ(image.height, coco.images[i].height);
    set.read_bytes(i, bytes);
    EXPECT_EQ(bytes, file_bytes(shipped("images") / image.file_name));
    const auto boxes = set.evaluation_boxes(i);
    ASSERT_EQ(boxes.size(), coco.annotations_of(i).size());
    size_t training = 0;
    for (size_t b = 0; b < boxes.size(); ++b) {
      const CocoAnnotation& annotation = coco.annotations_of(i)[b];
      EXPECT_EQ(boxes[b].annotation_id, annotation.id);
      EXPECT_EQ(boxes[b].xywh, annotation.bbox);
      EXPECT_EQ(boxes[b].area, annotation.area);
      EXPECT_EQ(boxes[b].label, annotation.label);
      EXPECT_EQ(boxes[b].dropped, annotation.bbox[2] <= 0 || annotation.bbox[3] <= 0);
      dropped += boxes[b].dropped ? 1 : 0;
      training += boxes[b].trains() ? 1 : 0;
    }
    size_t seen = 0;
    for (const LabelledBox& box : set.training_boxes(i)) {
      const auto [left, top, right, bottom] = box.xyxy;
      EXPECT_TRUE(0 <= left && left < right && right <= image.width);
      EXPECT_TRUE(0 <= top && top < bottom && bottom <= image.height);
      ++seen;
    }
    EXPECT_EQ(seen, training);
  }
  EXPECT_EQ(dropped, 1U);  // annotation 887 of the shipped val.json has no size
  EXPECT_NE(set.image(0).shard, set.image(set.size() - 1).shard);
}

TEST_F(PackedDatasetTest, LabelsCanBeRenumbered) {
  const PackedDataset stored = PackedDataset::open(pack_folder());
  ASSERT_EQ(stored.categories().size(), 3U);
  const PackedDataset set = PackedDataset::open(pack_folder()).relabelled({2, 0, 1});
  const PackedDataset again =
      PackedDataset::open(pack_folder()).relabelled({2, 0, 1}).relabelled({1, 2, 0});
  EXPECT_EQ(again.categories(), stored.categories());
  size_t boxes = 0;
  for (size_t i = 0; i < stored.size(); ++i) {
    const auto compare = [&](const auto& before, const auto& after, const auto& back) {
      ASSERT_EQ(before.size(), after.size());
      for (size_t b = 0; b < before.size(); ++b, ++boxes) {
        EXPECT_EQ(set.categories()[static_cast<size_t>(after[b].label)],
                  stored.categories()[static_cast<size_t>(before[b].label)]);
        EXPECT_EQ(after[b].label, (before[b].label + 2) % 3);
        EXPECT_EQ(back[b].label, before[b].label);
      }
    };
    compare(stored.training_boxes(i), set.training_boxes(i), again.training_boxes(i));
    compare(stored.evaluation_boxes(i), set.evaluation_boxes(i), again.evaluation_boxes(i));
  }
  EXPECT_GT(boxes, 500U);
  for (const std::vector<int64_t>& wrong :
       {std::vector<int64_t>{0, 1}, {0, 1, 1}, {0, 1, 3}, {-1, 0, 1}})
    EXPECT_THROW(PackedDataset::open(pack_folder()).relabelled(wrong), Error);
}

TEST_F(PackedDatasetTest, ClassesCanBeRenamed) {
  const PackedDataset set = PackedDataset::open(pack_folder()).renamed({"a", "b", "c"});
  EXPECT_EQ(set.categories()[2].name, "c");
  EXPECT_EQ(set.categories()[2].id, PackedDataset::open(pack_folder()).categories()[2].id);
  EXPECT_THROW(PackedDataset::open(pack_folder()).renamed({"a", "b"}), Error);
}

TEST_F(PackedDatasetTest, ManyThreadsReadAtOnce) {
  const PackedDataset set = PackedDataset::open(pack_folder());
  std::vector<std::thread> threads;
  std::vector<uint64_t> sums(4);
  for (size_t t = 0; t < sums.size(); ++t) {
    threads.emplace_back([&, t] {
      for (size_t k = 0; k < set.size(); ++k)
        sums[t] += set.read_bytes((k * (t + 1)) % set.size()).size() % 1000;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sums[0], sums[1]);  // 87 images: strides 1, 2 and 4 visit each once
  EXPECT_EQ(sums[0], sums[3]);
}

TEST_F(PackedDatasetTest, DamageIsNamed) {
  const TemporaryFolder copies;
  const fs::path copy = copies / "copy";
  const auto renew = [&] {
    fs::remove_all(copy);
    fs::copy(pack_folder(), copy);
  };
  renew();
  const auto last_image = [&](const PackedDataset& set) { return set.size() - 1; };
  {  // a byte of an image file
    const PackedDataset set = PackedDataset::open(copy);
    const std::string shard(set.image(last_image(set)).shard);
    const auto image = file_bytes(shipped("images") / set.image(last_image(set)).file_name);
    auto content = file_bytes(copy / shard);
    const auto at = std::search(content.begin(), content.end(), image.begin(), image.end());
    ASSERT_NE(at, content.end());
    at[100] ^= 1;
    std::ofstream(copy / shard, std::ios::binary)
        .write(reinterpret_cast<const char*>(content.data()),
               static_cast<std::streamsize>(content.size()));
    const PackedDataset damaged = PackedDataset::open(copy);
    damaged.read_bytes(0);
    EXPECT_TRUE(raises(
        kFileDamaged, [&] { damaged.read_bytes(last_image(damaged)); }, shard,
        damaged.image(last_image(damaged)).file_name, "record"));
    const VerifyReport report =
        verify_pack(copy, 2, false, [](uint64_t, uint64_t) {}, [] { return false; });
    ASSERT_EQ(report.damaged.size(), 1U);
    EXPECT_NE(report.damaged[0].find(damaged.image(last_image(damaged)).file_name),
              std::string::npos)
        << report.damaged[0];
    EXPECT_EQ(report.images, damaged.size());
  }
  renew();
  fs::resize_file(copy / "shard-00001.h5", fs::file_size(copy / "shard-00001.h5") - 1);
  EXPECT_THROW(PackedDataset::open(copy), Error);
  renew();
  fs::remove(copy / "shard-00001.h5");
  EXPECT_THROW(PackedDataset::open(copy), Error);
  renew();
  fs::copy_file(copy / "shard-00000.h5", copy / "shard-00001.h5",
                fs::copy_options::overwrite_existing);
  EXPECT_THROW(PackedDataset::open(copy), Error);
  renew();
  fs::remove(copy / kManifestName);
  EXPECT_THROW(PackedDataset::open(copy), Error);
  renew();
  fs::copy_file(copy / "shard-00000.h5", copy / "shard-00099.h5");
  EXPECT_EQ(verify_pack(
                copy, 1, false, [](uint64_t, uint64_t) {}, [] { return false; })
                .damaged.size(),
            1U);
}

TEST_F(PackedDatasetTest, ManifestsThatDisagreeWithThemselvesAreRefused) {
  const TemporaryFolder folder;
  const auto bytes = file_bytes(pack_folder() / kManifestName);
  std::string sound(bytes.begin(), bytes.end());
  const auto expect_refused = [&](const std::string& from, const std::string& to, ErrorCode code,
                                  const std::string& value = "manifest.json") {
    std::string text = sound;
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::ofstream(folder / kManifestName) << text;
    EXPECT_TRUE(raises(code, [&] { read_manifest(folder / ""); }, value)) << to;
  };
  expect_refused("\"format_version\": 1", "\"format_version\": 2", kVersionMismatch, "2");
  expect_refused("\"format\": \"dfine-pack\"", "\"format\": \"other\"", kFormatInvalid,
                 "\"other\"");
  expect_refused("\"images\": 87", "\"images\": 88", kFileDamaged);
  expect_refused("\"file\": \"shard-00000.h5\"", "\"file\": \"../shard-00000.h5\"", kFileDamaged,
                 "'../shard-00000.h5'");
  expect_refused("\"index_crc32c\": \"", "\"index_crc32c\": \"x", kFileDamaged);
  expect_refused("\"categories\"", "\"classes\"", kFileDamaged, "categories");
  expect_refused("{", "", kFileDamaged);
  expect_refused("shard-00001.h5", "shard-00000.h5", kFileDamaged, "shard-00000.h5");
  expect_refused("shard-00000.h5", "shard-00002.h5", kFileDamaged, "shard-00001.h5");
  expect_refused("shard-00001.h5", "shard-1.h5", kFileDamaged, "'shard-1.h5'");
  expect_refused("shard-00001.h5", "shard-00001.h5.h5", kFileDamaged, "'shard-00001.h5.h5'");
  expect_refused("\"name\": \"RBC\"", "\"name\": \"rbc\"", kFileDamaged);
  // Manifests of earlier versions have no checksum.
  const size_t checksum = sound.rfind(",\n  \"crc32c\"");
  ASSERT_NE(checksum, std::string::npos);
  sound.replace(checksum, std::string::npos, "\n}\n");
  expect_refused("\"images\": 87", "\"images\": 88", kFileDamaged);
  expect_refused("shard-00001.h5", "shard-00000.h5", kFileDamaged, "shard-00000.h5");
  std::ofstream(folder / kManifestName) << sound;
  EXPECT_EQ(read_manifest(folder / "").shards, read_manifest(pack_folder()).shards);
}

TEST(Packer, AnInterruptLeavesNothing) {
  const TemporaryFolder folder;
  PackOptions options = shipped_options(folder / "out");
  int asked = 0;
  options.interrupted = [&] { return ++asked > 40; };
  EXPECT_THROW(pack(options), Error);
  EXPECT_EQ(fs::directory_iterator(folder / ""), fs::directory_iterator());
}

TEST(Packer, ReportsProgressToTheEnd) {
  const TemporaryFolder folder;
  PackOptions options = shipped_options(folder / "out");
  PackProgress last;
  options.progress = [&](const PackProgress& at) {
    EXPECT_EQ(at.images, last.images + 1);
    EXPECT_GT(at.bytes, last.bytes);
    last = at;
  };
  const PackSummary summary = pack(options);
  EXPECT_EQ(last.images, last.images_total);
  EXPECT_EQ(last.bytes, last.bytes_total);
  const ShardEntry totals = sum_of(summary.sets.at(0).shards);
  EXPECT_EQ(last.images, totals.images);
  EXPECT_EQ(last.bytes, totals.image_bytes);
}

}  // namespace
}  // namespace dfine
