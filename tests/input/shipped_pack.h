#pragma once
// A pack of the shipped validation images (87 JPEG files of 640x480), in several shards.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "data/packing/packer.h"
#include "support/python.h"

namespace dfine {

class ShippedPack {
 public:
  explicit ShippedPack(uint64_t shard_size = 500000) {
    PackOptions options;
    options.images = source_file("tests/data/bccd/images");
    options.annotations = source_file("tests/data/bccd/val.json");
    options.output = path();
    options.shard_size = shard_size;
    options.jobs = 2;
    pack(options);
  }
  std::filesystem::path path() const { return folder_ / "val"; }

 private:
  TemporaryFolder folder_;
};

inline std::vector<uint8_t> file_content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace dfine
